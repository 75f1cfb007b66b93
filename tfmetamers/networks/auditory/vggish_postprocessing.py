"""From VGGish's embeddings to the form that AudioSet published: rotated, whitened, in 8 bits.

No layer of the network needs this; it is for comparisons with published embeddings (``vggish_postprocess.py`` of
tensorflow/models, research/audioset).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, CheckpointError, shown
from tfmetamers.networks.auditory.vggish import EMBEDDING_UNITS
from tfmetamers.utilities.array_files import read_archive

#: The most that the file's arrays take, in bytes: twice what they take in double precision.
MAX_BYTES = 16 * (EMBEDDING_UNITS + 1) * EMBEDDING_UNITS

#: Whitened embeddings are clipped to this magnitude before they are scaled to 0 to 255.
MAX_FLOAT = 2.0


@dataclass(frozen=True)
class Postprocessing:
    """The parameters of AudioSet's postprocessing.

    Attributes:
        eigenvectors: float (128, 128), one a row, divided by the root of its variance.
        means: float (128,), of the embeddings.
    """

    eigenvectors: np.ndarray
    means: np.ndarray


def read_postprocessing(path: str | os.PathLike) -> Postprocessing:
    """Read the parameters from the published file.

    Args:
        path: ``vggish_pca_params.npz``, which ``tfmetamers checkpoints fetch vggish_pca`` downloads.

    Raises:
        CheckpointError: the file is missing or damaged, or holds something else.

    >>> np.savez("vggish_pca_params.npz", pca_eigen_vectors=np.eye(128), pca_means=np.zeros((128, 1)))
    >>> read_postprocessing("vggish_pca_params.npz").means.shape
    (128,)
    """
    path = Path(path)
    try:
        arrays = read_archive(path, MAX_BYTES)
        parameters = Postprocessing(arrays["pca_eigen_vectors"], arrays["pca_means"].reshape(-1))
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} cannot be read as VGGish's postprocessing ({error}). Get it with 'tfmetamers checkpoints fetch "
            "vggish_pca'."
        ) from error
    found = parameters.eigenvectors, parameters.means
    expected = (EMBEDDING_UNITS, EMBEDDING_UNITS), (EMBEDDING_UNITS,)
    is_right = [array.shape for array in found] == list(expected) and all(array.dtype.kind == "f" for array in found)
    if not is_right or not all(np.isfinite(array).all() for array in found):
        held = " and ".join(f"{array.dtype} {list(array.shape)}" for array in found)
        raise CheckpointError(
            f"{path} holds {held}; finite floating-point numbers [128, 128] and [128] were expected. Get it with "
            "'tfmetamers checkpoints fetch vggish_pca'."
        )
    return parameters


def postprocess(embeddings, parameters: Postprocessing) -> np.ndarray:
    """Convert embeddings to the form in which AudioSet published them.

    Args:
        embeddings: float array (..., 128), from the layer ``embedding``.
        parameters: what `read_postprocessing` returns.

    Returns:
        uint8 array of the same shape: whitened numbers, clipped to [-2, 2], as 0 to 255, fractions dropped.

    Raises:
        ArgumentError: the embeddings have another shape, or are not finite.

    >>> parameters = Postprocessing(eigenvectors=np.eye(128), means=np.zeros(128))
    >>> postprocess(np.linspace(-3.0, 3.0, 128), parameters)[[0, 63, 127]].tolist()
    [0, 125, 255]
    """
    embeddings = np.asarray(embeddings)
    if embeddings.dtype.kind != "f" or embeddings.shape[-1:] != (EMBEDDING_UNITS,):
        raise ArgumentError(
            f"The embeddings are {shown(embeddings)} of shape {embeddings.shape}; floating-point numbers of shape "
            "(..., 128) were expected, as network.activations('embedding') returns."
        )
    if not np.isfinite(embeddings).all():
        raise ArgumentError("The embeddings are not finite; give those of finite sounds.")
    whitened = (embeddings - parameters.means) @ parameters.eigenvectors.T
    scaled = (whitened.clip(-MAX_FLOAT, MAX_FLOAT) + MAX_FLOAT) * (255.0 / (2 * MAX_FLOAT))
    return scaled.astype(np.uint8)
