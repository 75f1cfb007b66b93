"""Who recognises metamers: judges, their decisions, and the 16 categories."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "categories": ["CATEGORIES", "category_positions", "decide"],
        "decisions": ["recognize"],
        "summary": ["summarize_recognition"],
    },
)
