"""SavedModels, by their folders."""

import os
from pathlib import Path

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.base import NetworkFamily
from tfmetamers.networks.families.keras import MODEL_FIELDS

#: The file by which a SavedModel is known.
GRAPH_FILE = "saved_model.pb"


class SavedModelFamily(NetworkFamily):
    """Exports of Keras, modules of `tf.function`, and models of TensorFlow 1."""

    name = "saved_model"
    takes = MODEL_FIELDS | {"input", "signature"}

    def claim(self, base):
        # What cannot be a path is a missing file to os.path, and an error to pathlib.
        return {"file": base} if os.path.isfile(os.path.join(base, GRAPH_FILE)) else None

    def network_name(self, spec):
        return spec.name or Path(spec.file).resolve().name

    def files(self, spec):
        if not (Path(spec.file) / GRAPH_FILE).is_file():
            raise CheckpointError(f"{spec.file} holds no {GRAPH_FILE}; give the folder of a SavedModel.")
        return sorted(path for path in Path(spec.file).rglob("*") if path.is_file())

    def load(self, spec):
        from tfmetamers.networks.own.saved_model import network_of_saved_model

        return network_of_saved_model(spec)


FAMILY = SavedModelFamily()
