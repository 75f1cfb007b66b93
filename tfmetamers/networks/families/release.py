"""Word networks of the authors' release, from where it was unpacked: ``release:DIR:NAME``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.errors import ArgumentError, CheckpointError, unknown_name
from tfmetamers.networks.families.auditory import AuditoryFamily, AuditoryFiles

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.release import ReleaseFiles

PREFIX = "release:"


class ReleaseFamily(AuditoryFamily):
    """Networks of the release; its pickles are never executed."""

    name = "release"
    takes = frozenset({"file", "optimize"})

    def claim(self, base):
        if not base.startswith(PREFIX):
            return None
        folder, colon, name = base.removeprefix(PREFIX).rpartition(":")
        if not colon or os.path.isdir(base.removeprefix(PREFIX)):
            folder, name = base.removeprefix(PREFIX), None
        if not folder or name == "":
            raise ArgumentError(f"The network {base!r} lacks a part; write release:DIR or release:DIR:NAME.")
        return {"file": folder} if name is None else {"file": folder, "name": name}

    def text(self, spec):
        return f"{PREFIX}{spec.file}" + (f":{spec.name}" if spec.name else "")

    def identity(self, fields):
        # The same network as that of its pickle and its checkpoint given one by one.
        return {**{name: value for name, value in fields.items() if name != "name"}, "family": "architecture"}

    def network_name(self, spec):
        return _files(spec.file, spec.name).name

    def find(self, spec):
        return released_files(spec.file, spec.name)

    def load(self, spec):
        _files(spec.file, spec.name)  # Raises an error about the name before one about the files.
        try:
            return super().load(spec)
        except ArgumentError as error:
            raise CheckpointError(f"The files in {spec.file} do not fit each other. {error}") from error

    def defining_files(self, spec):
        return [_files(spec.file, spec.name).architecture]


def released_files(folder: str | Path, name: str | None) -> AuditoryFiles:
    """Return the files of a network of the release, with the numbers of classes that its checkpoint has.

    Raises:
        ArgumentError: the folder holds several networks and none was named, or another one was.
        CheckpointError: a file is missing, damaged, or does not fit the others.
    """
    from tfmetamers.checkpoints.reader import CheckpointFile
    from tfmetamers.networks.auditory import release

    files = _files(folder, name)
    architecture = release.read_release_architecture(files.architecture, files.name)
    architecture = release.class_counts(architecture, CheckpointFile(files.checkpoint).variables)
    labels = release.read_word_labels(files.labels) if files.labels else None
    return AuditoryFiles(architecture, files.checkpoint, labels)


def _files(folder: str | Path, name: str | None) -> "ReleaseFiles":
    from tfmetamers.networks.auditory import release

    found = {files.name: files for files in release.find_release(folder)}
    if name is None and len(found) > 1:
        raise ArgumentError(f"{folder} holds {', '.join(found)}; name one of them, as release:{folder}:NAME.")
    if name is not None and name not in found:
        raise unknown_name("network", name, found, f"These are in {folder}.")
    return found[name] if name else next(iter(found.values()))


FAMILY = ReleaseFamily()
