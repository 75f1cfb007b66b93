"""The proportions of the 2023 paper's participants, as its release has them."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.errors import ResultError, first_line
from tfmetamers.recognition.exhibits import NATURAL

if TYPE_CHECKING:
    import pandas

_AXES = ["participants", "model_layers", "conditions"]


def read_release(file: str | os.PathLike) -> "pandas.DataFrame":
    """Return the proportions correct of a ``…_network_vs_humans_datamatrix_…_public.mat``.

    Its natural stimuli were shown to the same participants as the metamers of one network.

    Returns:
        ``participant``, ``network`` (from the file's name; empty for natural stimuli), ``layer``, ``place``,
        ``value`` (participants' proportion correct) and ``network_itself`` (the network's).

    Raises:
        ResultError: the file cannot be read, or is another one.
    """
    import pandas
    from scipy.io import loadmat

    file = Path(file)
    try:
        content = loadmat(file, variable_names=["participant_data_matrix", "participants", "model_layers", "conditions",
                                                "axis_order"])  # fmt: skip
        values = np.asarray(content["participant_data_matrix"], float)
        names = {key: [str(each).strip() for each in content[key]] for key in (*_AXES, "axis_order")}
        if names["axis_order"] != _AXES or values.shape != tuple(len(names[key]) for key in _AXES):
            raise ValueError("its axes are not participants, layers and conditions")
        people, itself = (values[:, :, names["conditions"].index(name)] for name in ("Human", "Network"))
    except Exception as error:  # SciPy raises whatever its parser raises.
        raise ResultError(
            f"{file} cannot be read as proportions of the 2023 release ({first_line(error)}); give one of its "
            "*_network_vs_humans_datamatrix_*_public.mat files."
        ) from error
    network = re.sub(r".*datamatrix_|_public$", "", file.stem)
    tables = []
    for place, layer in enumerate(names["model_layers"], start=-1):
        is_natural = layer.startswith("natural")
        tables.append(
            pandas.DataFrame(
                {"participant": names["participants"], "network": "" if is_natural else network,
                 "layer": NATURAL if is_natural else layer, "place": place, "value": people[:, place + 1],
                 "network_itself": itself[:, place + 1]}
            )
        )  # fmt: skip
    return pandas.concat(tables, ignore_index=True)
