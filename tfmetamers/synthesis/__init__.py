"""From noise to metamers: the Adam loop, and runs of many metamers on disk."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"loop": ["synthesize"], "runs": ["execute_run", "plan_run"]}
)
