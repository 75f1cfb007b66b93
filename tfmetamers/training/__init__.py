"""Training: corpora, mixtures of speech and backgrounds, and word and sound-category tasks on them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "corpora": ["check_recordings", "read_backgrounds", "read_words"],
        "evaluation": ["evaluate_trained"],
        "run": ["train"],
        "settings": ["MixtureSettings", "TrainingSettings"],
    },
)
