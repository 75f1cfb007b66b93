"""Stimuli: loading, exact preprocessing, initial noise, saving."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "collection": ["StimulusFile", "collect_stimuli"],
        "images": ["load_image", "sample_photograph", "save_image"],
        "domains": ["Cochleagrams", "Images", "Sounds"],
        "noise": ["initial_noise", "stimulus_digest"],
        "sounds": ["load_sound", "sample_word", "save_sound"],
    },
)
