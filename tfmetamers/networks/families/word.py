"""The word networks of the paper, from the authors' release or with the architecture in this package."""

from importlib import resources
from pathlib import Path

from tfmetamers.checkpoints.catalog import cache_folder, cached_checkpoint, network_entry
from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.auditory import AuditoryFamily, AuditoryFiles, refuse_another_network, variables_of
from tfmetamers.networks.families.checkpoints import fetched

#: The folder of the layers that the package carries.
ARCHITECTURES = Path(str(resources.files("tfmetamers.networks.auditory"))) / "architectures"

NAMES = ("word_aliased", "word_reduced_aliasing")


class WordFamily(AuditoryFamily):
    """The aliased word network, and that with reduced aliasing."""

    name = "word"

    def network_names(self):
        return list(NAMES)

    def find(self, spec):
        """Return the release's files where its pickle lies beside the checkpoint that is given or was fetched."""
        from tfmetamers.networks.auditory import release, word_cnn
        from tfmetamers.networks.families.release import released_files

        if any(release.network_name(file) == spec.name for file in self._released_layers(spec)):
            return released_files(self._released_layers(spec)[0].parent, spec.name)
        return AuditoryFiles(word_cnn.find_architecture(spec.name))

    def _released_layers(self, spec) -> list[Path]:
        """Return the files of layers of the release beside a network's checkpoint."""
        checkpoint = spec.checkpoint or cached_checkpoint(network_entry(spec.name).name)
        if spec.random_seed is not None or checkpoint is None:
            return []
        return list(Path(checkpoint).parent.glob("word_network_*.pckl"))

    def architecture_file(self, spec):
        return None if self._released_layers(spec) else ARCHITECTURES / f"{spec.name}.json"

    def load(self, spec):
        if spec.random_seed is None and spec.checkpoint is None:
            fetched(spec.name)  # Its error says what to do.
        try:
            return super().load(spec)
        except CheckpointError as error:
            if spec.checkpoint is None:
                raise
            raise CheckpointError(
                f"{error} For a checkpoint of the release, give its layers too, with --network release:DIR:{spec.name} "
                f"or --network FILE.pckl; the {spec.name} in this package has other sizes."
            ) from error

    def variables(self, spec):
        """Return what a checkpoint must hold, by the release's pickle beside it, whatever the checkpoint is called."""
        from tfmetamers.checkpoints.reader import CheckpointFile
        from tfmetamers.networks.auditory import release

        if spec.checkpoint is None:
            return super().variables(spec)
        checkpoint = CheckpointFile(spec.checkpoint)
        refuse_another_network(spec.name, checkpoint.path)
        layers = release.find_layers(spec.name, checkpoint.path)
        architecture = release.read_release_architecture(layers, spec.name)
        return variables_of(release.class_counts(architecture, checkpoint.variables))

    def files(self, spec):
        if spec.random_seed is None and spec.checkpoint is None:
            fetched(spec.name)
        return super().files(spec)

    def own_files(self, folder, spec):
        found = network_entry(spec.name).location_in(Path(folder))
        return [] if found is None else [found]

    def state(self, spec):
        return "fetched" if network_entry(spec.name).location(cache_folder()) else "not fetched"


FAMILY = WordFamily()
