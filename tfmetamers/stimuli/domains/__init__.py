"""The kinds of stimuli: pictures, sounds, cochleagrams and arrays. Everything in which they differ is here."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfmetamers.errors import checked_whole_number
from tfmetamers.stimuli.domains.arrays import Arrays
from tfmetamers.stimuli.domains.cochleagrams import Cochleagrams
from tfmetamers.stimuli.domains.domain import Domain
from tfmetamers.stimuli.domains.images import Images
from tfmetamers.stimuli.domains.sounds import Sounds

#: The domains by name.
DOMAINS: dict[str, type[Domain]] = {domain.name: domain for domain in (Images, Sounds, Cochleagrams, Arrays)}

#: Those of them that users' own models can take.
MODEL_DOMAINS = {name: domain for name, domain in DOMAINS.items() if domain.model_recipe}


def implied_domain(shape: Sequence[int | None], sampling_rate: int | None) -> type[Domain]:
    """Return the domain of a model's input where none is given.

    An input with a sampling rate is a sound, (height, width, 1 or 3) is a picture, and any other is an array.

    Args:
        shape: of one item of the input; None for an axis of any length.
        sampling_rate: of sounds, in Hz.
    """
    if sampling_rate is not None:
        return Sounds
    return Images if len(shape) == 3 and shape[2] in (1, 3) else Arrays


def domain_from_json(content: Mapping[str, Any]) -> Domain:
    """Return the domain that ``to_json`` described.

    Raises:
        ArgumentError: a length or a sampling rate is not a whole number of at least 1.
        KeyError, TypeError, ValueError: a part is missing or of another type, or there is no such domain.
    """
    domain = DOMAINS[content["name"]].from_json(content)
    for length in domain.shape:
        checked_whole_number("length of a stimulus", length, minimum=1)
    return domain
