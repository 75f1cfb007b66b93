"""The inclusion test: null distributions, and which metamers count."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bundled_nulls": ["bundled_nulls"],
        "evaluation": ["evaluate", "summarize"],
        "null": ["NullDistribution", "NullStimulus", "merge_nulls"],
        "null_construction": ["build_null", "examine_stimuli", "plan_null"],
        "pairs": ["draw_pairs"],
        "verdict": ["Verdict", "include"],
    },
)
