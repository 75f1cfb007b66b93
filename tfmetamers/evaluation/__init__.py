"""Evaluation: how well a metamer matches, and who recognises it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "correlation": ["pearson", "signal_to_noise_ratio", "spearman"],
        "default_nulls": ["bundled_nulls"],
        "categories": ["CATEGORIES", "category_positions", "decide"],
        "evaluation": ["evaluate", "summarize"],
        "inclusion": ["Verdict", "include"],
        "null": ["NullDistribution", "NullStimulus", "merge_nulls"],
        "null_construction": ["build_null", "examine_stimuli", "plan_null"],
        "pairs": ["draw_pairs"],
        "recognition": ["recognize"],
        "recognition_summary": ["summarize_recognition"],
    },
)
