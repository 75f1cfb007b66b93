"""Networks that 'tfmetamers train' made, by their folders."""

from pathlib import Path

from tfmetamers.networks.auditory.trained_folder import (
    ARCHITECTURE_FILE,
    LABELS_FILE,
    is_trained_folder,
    read_trained,
    trained_checkpoint,
)
from tfmetamers.networks.families.auditory import AuditoryFamily, AuditoryFiles
from tfmetamers.utilities.json_files import read_json


class TrainedFamily(AuditoryFamily):
    """Networks in folders of architecture, labels, card and checkpoint."""

    name = "trained"
    takes = frozenset({"file", "checkpoint", "random_seed", "optimize"})

    def claim(self, base):
        return {"file": base} if is_trained_folder(base) else None

    def network_name(self, spec):
        try:
            return str(read_json(self.folder(spec) / ARCHITECTURE_FILE)["name"])
        except (OSError, ValueError, KeyError, TypeError):
            return self.find(spec).architecture.name  # Its error says what is wrong.

    def folder(self, spec) -> Path:
        """Return the network's folder."""
        return Path(spec.file)

    def find(self, spec):
        files = read_trained(self.folder(spec))
        return AuditoryFiles(files.architecture, files.checkpoint, files.class_labels)

    def own_checkpoint(self, spec):
        return trained_checkpoint(self.folder(spec))

    def architecture_file(self, spec):
        return self.folder(spec) / ARCHITECTURE_FILE

    def defining_files(self, spec):
        return [self.folder(spec) / ARCHITECTURE_FILE, self.folder(spec) / LABELS_FILE]


FAMILY = TrainedFamily()
