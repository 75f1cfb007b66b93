"""Auditory networks of one's own layers, in a JSON file or a pickle of the release's form."""

from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.networks.families.auditory import AuditoryFamily, AuditoryFiles
from tfmetamers.networks.families.base import names_file
from tfmetamers.utilities.json_files import read_json

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.architecture import Architecture

SUFFIXES = (".json", ".pckl")


class ArchitectureFamily(AuditoryFamily):
    """Networks of any layers; a spec holds them as a file or, from Python, as they are."""

    name = "architecture"
    takes = frozenset({"file", "definition", "checkpoint", "random_seed", "labels", "optimize"})

    def claim(self, base):
        return {"file": base} if names_file(base, SUFFIXES) else None

    def network_name(self, spec):
        if spec.definition is not None:
            return spec.definition["name"]
        if Path(spec.file).suffix.lower() == ".json":
            try:
                return str(read_json(spec.file)["name"])
            except (OSError, ValueError, KeyError, TypeError):
                pass  # Reading the architecture says what is wrong.
        return self.find(spec).architecture.name

    def find(self, spec):
        from tfmetamers.networks.auditory.architecture import from_json

        is_file = spec.definition is None
        architecture = read_architecture_file(spec.file) if is_file else from_json(spec.definition)
        return AuditoryFiles(architecture, labels=spec.labels)

    def own_checkpoint(self, spec):
        return None

    def defining_files(self, spec):
        return [] if spec.file is None else [Path(spec.file)]


def read_architecture_file(file: str | Path) -> "Architecture":
    """Read layers from a JSON file, or from a pickle of the release's form, of which nothing is executed.

    Raises:
        ArgumentError: a JSON file is missing or damaged, or its layers cannot be used.
        CheckpointError: a pickle is missing, damaged, or holds something else.
    """
    from tfmetamers.networks.auditory.architecture import read_architecture
    from tfmetamers.networks.auditory.release import network_name, read_release_architecture

    is_json = Path(file).suffix.lower() == ".json"
    return read_architecture(file) if is_json else read_release_architecture(file, network_name(file))


FAMILY = ArchitectureFamily()
