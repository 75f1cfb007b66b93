"""The report: one HTML page that shows metamers beside their originals, with their verdicts."""

import itertools
import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.evaluation import Judged, known_columns, layer_place, summarize
from tfmetamers.inclusion.measures import SPEARMAN, TITLES
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import checked_file, read_metamer, read_saved
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.networks.record import distinct_names
from tfmetamers.plotting.style import LINE_COLOURS
from tfmetamers.report.figures import (
    MANY_COLOR,
    MEDIAN_COLOR,
    draw_across_layers,
    draw_losses,
    draw_null,
    draw_scatter,
    median_defined,
)
from tfmetamers.report.media import embed_picture, embed_sound
from tfmetamers.utilities.files import atomic_write, file_digest
from tfmetamers.utilities.templates import find_template
from tfmetamers.utilities.words import counted
from tfmetamers.version import __version__

#: Pictures that take more bytes than this together are scaled down.
MAX_PICTURE_BYTES = 8_000_000

#: The longer side of a picture that is scaled down, and of the figure of a sound, in pixels.
THUMBNAIL, FIGURE_THUMBNAIL = 160, 560

#: The largest number of scatter plots that are drawn for a network.
MAX_SCATTERS = 12

#: The columns of `tfmetamers.inclusion.evaluation.summarize`, in the words of the page.
SUMMARY_COLUMNS = {
    "metamers": "metamers",
    "passed": "passed",
    "failed": "failed",
    "not_judged": "not judged",
    "other_label": "other label",
    "low_correlation": "correlation not above null",
    "low_pearson": "Pearson correlation below null",
    "low_snr": "signal-to-noise ratio below null",
    "undefined": "correlation undefined",
    "saved_failed": "passed, but not as saved",
    "median_correlation": "median correlation",
    "min_margin": "smallest margin above null",
}

#: Those that are shown beside the published numbers of the 2023 paper.
PUBLISHED_COLUMNS = {
    "median_loss": "median loss",
    "published_loss_range": "published",
    "median_correlation": "median correlation (Spearman)",
    "published_correlation": "published",
    "spearman_null_maximum": "null maximum, Spearman",
    "published_spearman_null_maximum_range": "published",
    "pearson_null_maximum": "null maximum, Pearson",
    "published_pearson_null_maximum_range": "published",
    "snr_null_maximum": "null maximum, signal-to-noise ratio (dB)",
    "published_snr_null_maximum_range": "published",
}

#: Word, symbol and class of style by whether a metamer is included.
_OUTCOMES = {
    True: {"word": "passed", "symbol": "✓", "style": "passed"},
    False: {"word": "failed", "symbol": "✗", "style": "failed"},
    None: {"word": "not judged", "symbol": "?", "style": "open"},
}

#: The axis of each measure.
_AXES = {SPEARMAN: "Spearman's correlation", "pearson": "Pearson's correlation", "snr": "signal-to-noise ratio (dB)"}

#: Null distributions by the SHA-256 of their files, as verdicts name them.
Nulls = Mapping[str, NullDistribution]


def write_report(
    out: str | os.PathLike,
    judged: Sequence[Judged],
    nulls: Mapping[Path, NullDistribution],
    path: str | os.PathLike | None = None,
) -> Path:
    """Write one HTML file that needs no other files, no internet and no JavaScript; it is the same for the same input.

    Args:
        out: the folder that the metamers are below.
        judged: the metamers, as `tfmetamers.inclusion.evaluation.evaluate` yields them.
        nulls: the null distributions that they were judged by, by their files; a missing one is not drawn.
        path: the file to write; ``report.html`` in `out` by default.

    Returns:
        The file's path.

    Raises:
        ResultError: there is no metamer, one is damaged (`find_unreadable`), or the file cannot be written.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.inclusion import evaluate
    >>> from tfmetamers.metamers import save_metamers
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> folders = save_metamers(synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2), "metamers")
    >>> write_report("metamers", list(evaluate("metamers", networks=network)), nulls={}).as_posix()
    'metamers/report.html'
    """
    if not judged:
        raise ResultError(
            f"No metamer below {out} was judged, so there is nothing to report; run 'tfmetamers evaluate' first."
        )
    out = Path(out)
    path = Path(path) if path else out / "report.html"
    template = find_template(
        "report.html", Path(__file__).parent, number=_number, counted=counted, label=_label, brief=_brief
    )
    page = template.render(_page(out, judged, {file_digest(file): null for file, null in nulls.items()}))
    with atomic_write(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return path


def find_unreadable(judged: Sequence[Judged]) -> dict[Path, str]:
    """Return the folders of metamers that a report cannot show because a file is missing or damaged, and why.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.inclusion import evaluate
    >>> from tfmetamers.metamers import save_metamers
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> (folder,) = save_metamers(synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2), "metamers")
    >>> judged = list(evaluate("metamers", networks=network))
    >>> find_unreadable(judged)
    {}
    >>> (folder / "trace.csv").unlink()
    >>> list(find_unreadable(judged)) == [folder]
    True
    """
    found = [attempt(each.folder, _read_all, each) for each in judged]
    return {failure.folder: failure.reason for failure in found if isinstance(failure, Failure)}


def _read_all(each: Judged) -> None:
    """Read all that a report shows of a metamer."""
    read_metamer(each.folder)
    read_saved(each.folder, "metamer", each.record)
    for name in ("original", "metamer"):
        _media(each, name, is_reduced=False)
    _sound_figure(each, is_reduced=False)


def _page(out: Path, judged: Sequence[Judged], nulls: Nulls) -> dict[str, Any]:
    groups = list(_grouped(judged, lambda each: each.record.network.identity).values())
    names = distinct_names([group[0].record.network for group in groups])
    is_reduced = _picture_bytes(judged) > MAX_PICTURE_BYTES
    included = [each.verdict["array"]["included"] for each in judged]
    return {
        "folder": out.resolve().name,
        "version": __version__,
        "counts": [{**outcome, "count": sum(each is key for each in included)} for key, outcome in _OUTCOMES.items()],
        "metamers": len(judged),
        "nulls": [_describe_null(null) for null in nulls.values()] + _earlier_nulls(judged, nulls),
        "summary": (summary := summarize(judged)),
        "summary_columns": known_columns(SUMMARY_COLUMNS, summary),
        "published": [row for row in summary if row["published_model"]],
        "published_columns": PUBLISHED_COLUMNS,
        "is_reduced": is_reduced,
        "thumbnail": THUMBNAIL,
        "figure_thumbnail": FIGURE_THUMBNAIL,
        "networks": [
            {"id": f"network-{place}", "name": name, **_describe_network(out, group, nulls, is_reduced)}
            for place, (name, group) in enumerate(zip(names, groups, strict=True), start=1)
        ],
    }


def _describe_null(null: NullDistribution) -> dict[str, Any]:
    return {"network": null.network_name, "claim": null.claim(), "layers": list(null.layers)}


def _earlier_nulls(judged: Sequence[Judged], nulls: Nulls) -> list[dict[str, Any]]:
    """Return what is known of null distributions that verdicts are based on but that were not given now."""
    kept = [each for each in judged if each.verdict["basis"]["null"] and _null_digest(each) not in nulls]
    return [
        {
            "network": group[0].verdict["basis"]["null"]["file"],
            "claim": f"{group[0].verdict['array']['claim']} (of an earlier command)",
            "layers": list(dict.fromkeys(each.layer for each in sorted(group, key=_layer_order))),
        }
        for group in _grouped(kept, _null_digest).values()
    ]


def _by_layer(group: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Return the metamers of a network by what `distinct_layers` calls their layers, from the input to the output."""
    names = distinct_layers([each.record for each in group])
    ordered = sorted(zip(names, group, strict=True), key=lambda item: (*_layer_order(item[1]), _natural_order(item[0])))
    by_layer: dict[str, list[Judged]] = {}
    for name, each in ordered:
        by_layer.setdefault(name, []).append(each)
    return by_layer


def _layer_order(each: Judged) -> tuple:
    return *layer_place(each)[:2], _natural_order(each.layer)


def _null_digest(each: Judged) -> str | None:
    return (each.verdict["basis"]["null"] or {}).get("sha256")


def _describe_network(out: Path, group: Sequence[Judged], nulls: Nulls, is_reduced: bool) -> dict[str, Any]:
    record, by_layer = group[0].record, _by_layer(group)
    return {
        "is_visual": record.domain.is_visual,
        "weights": record.network.describe_weights(),
        "judged_by": group[0].verdict["array"]["claim"].partition(";")[0],
        "metamers": len(group),
        "layers": list(by_layer),
        "stimuli": _describe_stimuli(by_layer, is_reduced),
        "losses": _losses(by_layer),
        "nulls": _null_panels(by_layer, nulls),
        "scatters": [_scatter_panel(layer, each) for layer, each in _some_of_each(by_layer, MAX_SCATTERS)],
        "across": _across_layers(by_layer),
        "further": list(dict.fromkeys(name for each in group for name in each.verdict["array"].get("further", {}))),
        "measures": TITLES,
        "verdicts": [_describe_verdict(out, layer, each) for layer, made in by_layer.items() for each in made],
    }


def _describe_stimuli(by_layer: Mapping[str, Sequence[Judged]], is_reduced: bool) -> list[dict[str, Any]]:
    """Return what is shown for each stimulus: the original, and by layer the metamers of all seeds."""
    by_stimulus: dict[tuple, dict[str, list[Judged]]] = {}
    for layer, made in by_layer.items():
        for each in made:
            key = _natural_order(_stimulus(each)), each.record.stimulus.sha256
            by_stimulus.setdefault(key, {}).setdefault(layer, []).append(each)
    found = []
    for _, layers in sorted(by_stimulus.items(), key=lambda item: item[0]):
        first = next(iter(layers.values()))[0]
        stimulus = first.record.stimulus
        found.append(
            {
                "id": stimulus.id,
                "truth": [
                    f"{name}: {truth}"
                    for name, truth in (("label", stimulus.label), ("category", stimulus.category))
                    if truth
                ],
                "original": _media(first, "original", is_reduced),
                "metamers": {
                    layer: [_describe_metamer(each, is_reduced) for each in sorted(made, key=_seed)]
                    for layer, made in layers.items()
                },
            }
        )
    return found


def _describe_metamer(each: Judged, is_reduced: bool) -> dict[str, Any]:
    array = each.verdict["array"]
    return {
        **_media(each, "metamer", is_reduced),
        "figure": _sound_figure(each, is_reduced),
        "seed": _seed(each),
        "outcome": _OUTCOMES[array["included"]],
        "correlation": array["correlation"],
        "notes": _notes(each.verdict),
    }


def _notes(verdict: Mapping) -> list[str]:
    array, notes = verdict["array"], []
    if array["same_label"] is False:
        notes.append(f"label {_label(array['metamer_label'])}, not {_label(array['original_label'])}")
    if array["included"] is True and verdict["saved"]["included"] is not True:
        notes.append("fails as saved")
    return notes


def _media(each: Judged, name: str, is_reduced: bool) -> dict[str, Any]:
    """Return what a person sees or hears: a picture or a sound, or neither for an optimised cochleagram."""
    domain = each.record.domain
    picture, sound = (
        ending and checked_file(each.folder, f"{name}{ending}", each.record)
        for ending in (domain.picture_ending, domain.sound_ending)
    )
    return {
        "picture": picture and embed_picture(picture, THUMBNAIL if is_reduced else None),
        "sound": sound and embed_sound(sound),
    }


def _sound_figure(each: Judged, is_reduced: bool):
    """Return the figure of a sound and its metamer; None for a picture, or if the folder was made without one."""
    name = "figure.png"
    if name not in each.record.files:
        return None
    path = checked_file(each.folder, name, each.record)
    return embed_picture(path, FIGURE_THUMBNAIL if is_reduced else None)


def _picture_bytes(judged: Sequence[Judged]) -> int:
    endings = {name for each in judged if (name := each.record.domain.picture_ending)}
    names = ("figure.png", *(f"metamer{ending}" for ending in endings))
    files = (each.folder / name for each in judged for name in names)
    return sum(file.stat().st_size for file in files if file.exists())


def _losses(by_layer: Mapping[str, Sequence[Judged]]) -> dict[str, Any]:
    """Return a panel for each layer, and what the colours of its lines mean, which is the same in all of them."""
    curves = {layer: [_curve(each.folder) for each in made] for layer, made in by_layer.items()}
    losses = np.concatenate([each for made in curves.values() for _, each in made])
    minimum, maximum = losses[losses > 0].min(initial=1.0), losses.max(initial=1.0)
    lines = {layer: _line_names(made) for layer, made in by_layer.items()}
    names = sorted({name for each in lines.values() for name in each}, key=_natural_order)
    color_of = dict(zip(names, LINE_COLOURS, strict=False))
    is_told_apart = len(color_of) == len(names)
    panels = []
    for layer, made in curves.items():
        last = [each[-1] for _, each in made]
        reached = f"{min(last):.2g}" if len(last) == 1 else f"between {min(last):.2g} and {max(last):.2g}"
        alt = f"Losses of {counted(len(made), 'metamer')} of {layer}: the last is {reached} of the first."
        colors = [color_of[name] for name in lines[layer]] if is_told_apart else None
        panels.append({"title": layer, "alt": alt, "picture": draw_losses(made, colors, minimum, maximum)})
    return {
        "panels": panels,
        "legend": color_of if is_told_apart else {"each metamer": MANY_COLOR, "their median": MEDIAN_COLOR},
    }


def _line_names(made: Sequence[Judged]) -> list[str]:
    """Return names that distinguish the metamers of a layer: the stimulus, and the seed where there are several."""
    has_seeds = len({_seed(each) for each in made}) > 1
    return [f"{_stimulus(each)}, seed {_seed(each)}" if has_seeds else _stimulus(each) for each in made]


def _curve(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of steps, and the loss after each as a fraction of the first loss."""
    metamer = read_metamer(folder)
    return metamer.steps, metamer.losses / max(float(metamer.losses[0]), np.finfo(np.float64).tiny)


def _null_panels(by_layer: Mapping[str, Sequence[Judged]], nulls: Nulls) -> list[dict[str, Any]]:
    """Return a panel for each measure, layer and null distribution that verdicts are based on."""
    made = [(layer, *item) for layer, group in by_layer.items() for item in _grouped(group, _null_digest).items()]
    return [panel for measure in TITLES for panel in _measure_panels(measure, made, nulls)]


def _measure_panels(measure: str, made: Sequence[tuple], nulls: Nulls) -> list[dict[str, Any]]:
    """Return the panels of a measure; those of correlations share an axis that ends at 1."""
    shown = [
        (layer, nulls[digest].coefficients(group[0].layer, measure), _measured(measure, group))
        for layer, digest, group in made
        if digest in nulls and measure in nulls[digest].measures
    ]
    shown = [each for each in shown if len(each[1]) and (each[2] or measure == SPEARMAN)]
    everything = [number for _, numbers, found in shown for number in (numbers.min(), *(value for value, _ in found))]
    lowest, highest = min(everything, default=0.0), 1.0  # All of them may be 1.
    minimum = min(np.floor(10 * lowest) / 10, 0.9)
    if measure == "snr":
        highest = max((max(numbers.max(), *(value for value, _ in found)) for _, numbers, found in shown), default=1.0)
    return [
        {
            "title": layer if measure == SPEARMAN else f"{layer}: {TITLES[measure]}",
            "alt": _null_alt(layer, measure, numbers, found),
            "picture": draw_null(numbers, found, (minimum, highest), _AXES[measure]),
        }
        for layer, numbers, found in shown
    ]


def _measured(measure: str, group: Sequence[Judged]) -> list[tuple[float, bool | None]]:
    """Return a measure of each metamer that has it, and whether the metamer passed."""
    arrays = [each.verdict["array"] for each in group]
    if measure == SPEARMAN:
        found = [(array["correlation"], array["included"]) for array in arrays]
    else:
        found = [(array["further"][measure]["value"], array["included"]) for array in arrays if "further" in array]
    return [each for each in found if each[0] is not None]


def _null_alt(layer: str, measure: str, numbers: np.ndarray, found: Sequence[tuple]) -> str:
    above = sum(value > numbers.max() for value, _ in found)
    what, noun = (layer, "coefficient") if measure == SPEARMAN else (f"{layer}, {TITLES[measure]}", "one")
    return (
        f"Histogram of the null distribution of {what}: {counted(len(numbers), 'pair')}, the largest {noun} "
        f"{numbers.max():.3f}. Above it: {above} of {counted(len(found), 'metamer')}."
    )


def _scatter_panel(layer: str, each: Judged) -> dict[str, Any]:
    verdict = each.verdict
    values = verdict["scatter"]
    correlations = f"Spearman {_number(verdict['array']['correlation'])}, Pearson {_number(verdict['pearson'])}"
    title = f"{_stimulus(each)}, {layer}, seed {_seed(each)}"
    count = counted(len(values["original"]), "unit")
    return {
        "title": f"{title}: {correlations}",
        "alt": f"Activations of {count}, metamer against original: {title}.",
        "picture": draw_scatter(values["original"], values["metamer"]),
    }


def _across_layers(by_layer: Mapping[str, Sequence[Judged]]) -> dict[str, Any] | None:
    """Return the drawing and the table of correlations at every layer; None if they were not computed."""
    compared = {layer: [each.verdict["layers"] for each in made] for layer, made in by_layer.items()}
    compared = {layer: [each for each in made if each] for layer, made in compared.items()}
    compared = {layer: made for layer, made in compared.items() if made}
    if not compared:
        return None
    everything = [each for made in compared.values() for each in made]
    names = list(dict.fromkeys(name for each in everything for name in each))
    lines = {
        layer: [[_or_nan(each.get(name, {}).get("correlation")) for name in names] for each in made]
        for layer, made in compared.items()
    }
    medians = {layer: median_defined(np.array(values, float)) for layer, values in lines.items()}
    maxima = [_first_defined(each.get(name, {}).get("null_maximum") for each in everything) for name in names]
    return {
        "picture": draw_across_layers(names, lines, maxima),
        "generating": list(lines),
        "rows": [
            {
                "layer": name,
                "medians": [values[place] for values in medians.values()],
                "null_maximum": maxima[place],
            }
            for place, name in enumerate(names)
        ],
        "has_null": not np.isnan(maxima).all(),
    }


def _describe_verdict(out: Path, layer: str, each: Judged) -> dict[str, Any]:
    return {
        "further": {},
        **each.verdict["array"],
        "layer": layer,
        "stimulus": _stimulus(each),
        "seed": _seed(each),
        "outcome": _OUTCOMES[each.verdict["array"]["included"]],
        "saved": _OUTCOMES[each.verdict["saved"]["included"]],
        "folder": each.folder.relative_to(out).as_posix(),
    }


def _some_of_each(by_layer: Mapping[str, Sequence[Judged]], max_count: int) -> list[tuple[str, Judged]]:
    """Return the first metamers of every layer, as many of each as of the next, in the order of the layers."""
    rounds = itertools.zip_longest(*([(layer, each) for each in made] for layer, made in by_layer.items()))
    chosen = [item for items in rounds for item in items if item is not None][:max_count]
    return [item for layer in by_layer for item in chosen if item[0] == layer]


def _grouped(items: Sequence[Judged], key: Callable[[Judged], Hashable]) -> dict[Any, list[Judged]]:
    groups: dict[Any, list[Judged]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _seed(each: Judged) -> int:
    return each.record.seed


def _stimulus(each: Judged) -> str:
    return each.record.stimulus.id


def _natural_order(name: str) -> tuple:
    """Return a key that sorts names so that conv_10 comes after conv_9."""
    parts = [(part.isdecimal(), part) for part in re.split(r"(\d+)", name)]
    digits = [part.lstrip("0") if is_number else "" for is_number, part in parts]
    return tuple((not each[0], len(number), number, each[1]) for each, number in zip(parts, digits, strict=True))


def _first_defined(values: Iterable[float | None]) -> float:
    return next((value for value in values if value is not None), np.nan)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _label(label: str | None) -> str:
    """Write a label; a transcript may be empty."""
    return "no labels" if label is None else label or "(empty transcript)"


def _number(value, missing: str = "undefined") -> str:
    """Write a number with four decimals and a true minus sign, a count as it is."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return missing
    return (f"{value:.4f}" if isinstance(value, float) else f"{value:,}").replace("-", "\N{MINUS SIGN}")


def _brief(value) -> str:
    """Write a number, or the two that it lies between, with three digits."""
    if isinstance(value, list):
        return " to ".join(map(_brief, value))
    return "\N{EN DASH}" if value is None else f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
