"""The model card: what a network was trained on and how well it does, as JSON and for people to read."""

import json
from pathlib import Path

from tabulate import tabulate

from tfmetamers.networks.auditory.trained_folder import CARD_FILE
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import counted

PAGE_FILE = "README.md"

#: The metrics by name, in words.
METRICS = {
    "word_accuracy": "words correct, in mixtures",
    "word_accuracy_in_quiet": "words correct, in quiet",
    "category_auc": "mean area under the ROC curve of the categories, in mixtures",
    "category_auc_without_speech": "mean area under the ROC curve of the categories, backgrounds alone",
}


def write_card(card: dict, folder: Path) -> None:
    """Write a card as ``card.json`` and as the page ``README.md``.

    Raises:
        ResultError: a file cannot be written.
    """
    with atomic_write(folder / PAGE_FILE) as partial:
        partial.write_text(describe_card(card), encoding="utf-8")
    with atomic_write(folder / CARD_FILE) as partial:
        partial.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def describe_card(card: dict) -> str:
    """Return a card as a page of Markdown."""
    settings, front_end = card["settings"], card["front_end"]
    tables = [
        f"# {card['name']}",
        card["note"],
        _outcome(card),
        "## Performance",
        _metrics(card),
        "## Training data",
        _data(card["data"]),
        "## Settings",
        tabulate([(name, value) for name, value in _flat(settings)], ["setting", "value"], tablefmt="github"),
        _perturbation(card),
        f"The network has {card['weights']:,} weights. It takes sounds of "
        f"{front_end['samples'] / front_end['sampling_rate']:g} s at {front_end['sampling_rate']} Hz, with a root mean "
        "square of 0.1. Its front end:",
        tabulate(list(front_end.items()), ["cochleagram", "value"], tablefmt="github"),
        "## Training curves",
        _curves(card["history"]),
        "Made with " + ", ".join(f"{name} {number}" for name, number in card["versions"].items()) + ".",
    ]
    return "\n\n".join(filter(None, tables)) + "\n"


def _outcome(card: dict) -> str:
    epochs = counted(len(card["history"]), "epoch")
    if not card["finished"]:
        return f"Training is not finished: {epochs} so far. The weights are those of epoch {card['epoch']}."
    if card["reached_threshold"]:
        return f"Training stopped at epoch {card['epoch']}, the first to reach its threshold in validation."
    return (
        f"No threshold was reached in {epochs}; the weights are those of epoch {card['epoch']}, the best in validation."
    )


def _perturbation(card: dict) -> str:
    perturbation = card["settings"].get("perturbation")
    if perturbation is None:
        return ""
    share = perturbation["eps"] / card["history"][0]["signal_norm"]
    kind = "Adversarial" if perturbation["steps"] else "Random"
    return (
        f"{kind} perturbations of an L2 norm of at most {perturbation['eps']:g}, {100 * share:.2g} % of the mean norm "
        f"of its {perturbation['domain']}s, were added to the sounds of training."
    )


def _metrics(card: dict) -> str:
    test = card.get("test", {})
    rows = [
        [words, _shown(card["validation"].get(name)), _shown(test.get(name))]
        for name, words in METRICS.items()
        if name in card["validation"] or name in test
    ]
    return tabulate(rows, ["metric", "validation", "test"], tablefmt="github", disable_numparse=True)


def _data(data: dict) -> str:
    rows = [
        [kind, entries["manifest"], entries["sha256"][:12], *entries["clips"].values()]
        for kind, entries in data.items()
    ]
    headers = ["", "manifest", "SHA-256", "training clips", "validation clips", "test clips"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def _curves(history: list[dict]) -> str:
    measured = {name: words for name, words in METRICS.items() if name in history[0]}
    rows = [
        [entry["epoch"], f"{entry['loss']:.4f}", *(_shown(entry.get(name)) for name in measured)] for entry in history
    ]
    return tabulate(rows, ["epoch", "loss", *measured.values()], tablefmt="github", disable_numparse=True)


def _flat(settings: dict, prefix: str = "") -> list[tuple]:
    rows = []
    for name, value in settings.items():
        rows += _flat(value, f"{name}: ") if isinstance(value, dict) else [(prefix + name, value)]
    return rows


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
