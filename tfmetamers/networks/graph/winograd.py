"""Convolutions by Winograd's minimal filtering, for processors; libraries for GPUs have their own.

A 3 x 3 convolution at stride 1 is computed in overlapping tiles: each tile and the kernel are transformed, their
products take the place of the sliding sums, and the result is transformed back (Lavin & Gray, "Fast algorithms for
convolutional neural networks", CVPR 2016, sections 4.1 to 4.3). Tiles with 2 x 2 outputs need 2.25 times fewer
multiplications and round no worse than the direct sum; tiles with 4 x 4 outputs need 4 times fewer and round about
five times worse (3e-6), which is good enough for gradients.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

#: By the outputs of a tile along each side: fewer channels or places than these, and the transforms, or reading the
#: transformed kernel, cost more than is saved.
MIN_CHANNELS = {2: 256, 4: 128}
MIN_PLACES = {2: 14 * 14, 4: 20 * 20}


@dataclass(frozen=True)
class _Transforms:
    """The matrices of one tile size: of the tile (B transposed), the kernel (G) and the output (A transposed)."""

    tile: np.ndarray
    kernel: np.ndarray
    output: np.ndarray


_TRANSFORMS = {
    2: _Transforms(
        tile=np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),
        kernel=np.array([[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]]),
        output=np.array([[1, 1, 1, 0], [0, 1, -1, -1]]),
    ),
    4: _Transforms(
        tile=np.array(
            [
                [4, 0, -5, 0, 1, 0],
                [0, -4, -4, 1, 1, 0],
                [0, 4, -4, -1, 1, 0],
                [0, -2, -1, 2, 1, 0],
                [0, 2, -1, -2, 1, 0],
                [0, 4, 0, -5, 0, 1],
            ]
        ),
        kernel=np.array(
            [
                [1 / 4, 0, 0],
                [-1 / 6, -1 / 6, -1 / 6],
                [-1 / 6, 1 / 6, -1 / 6],
                [1 / 24, 1 / 12, 1 / 6],
                [1 / 24, -1 / 12, 1 / 6],
                [0, 0, 1],
            ]
        ),
        output=np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]),
    ),
}


def pays(kernel_shape, height: int, width: int, *, outputs: int) -> bool:
    """Tell whether a 3 x 3 convolution of this size is quicker by tiles of so many outputs on processors."""
    return (
        tuple(kernel_shape[:2]) == (3, 3)
        and min(kernel_shape[2:]) >= MIN_CHANNELS[outputs]
        and height * width >= MIN_PLACES[outputs]
    )


class WinogradConvolution:
    """A 3 x 3 convolution at stride 1 with zeros around ("SAME"), by tiles.

    Call it with a float tensor (batch, height, width, channels in); it returns (batch, height, width, channels out).
    """

    def __init__(self, kernel: np.ndarray, height: int, width: int, *, outputs: int):
        """Transform the kernel.

        Args:
            kernel: float array (3, 3, channels in, channels out).
            height: height of the input.
            width: width of the input.
            outputs: outputs of a tile along each side, 2 or 4.
        """
        transforms = _TRANSFORMS[outputs]
        self._height, self._width, self._outputs = height, width, outputs
        self._tiles = (-(-height // outputs), -(-width // outputs))
        self._padded = tuple(count * outputs + 2 for count in self._tiles)
        side = outputs + 2
        transformed = np.einsum("ai,bj,ijco->abco", transforms.kernel, transforms.kernel, np.float64(kernel))
        # Channels out before channels in: so the product reads large kernels faster.
        transposed = transformed.reshape(side * side, *kernel.shape[2:]).transpose(0, 2, 1)
        self._kernel = tf.constant(transposed, tf.float32)
        self._tile_transform = np.kron(transforms.tile, transforms.tile).astype(np.float32)
        self._output_transform = np.kron(transforms.output, transforms.output).astype(np.float32)
        self._places = self._places_of_tiles(side)

    def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
        (tiles_down, tiles_across), outputs, places = self._tiles, self._outputs, self._places.shape[0]
        batch, channels_out = tf.shape(inputs)[0], self._kernel.shape[1]
        tiles = self._gather_tiles(inputs, batch)
        transformed = tf.matmul(self._tile_transform, tf.reshape(tiles, [places, -1]))
        products = tf.matmul(tf.reshape(transformed, [places, -1, inputs.shape[-1]]), self._kernel, transpose_b=True)
        results = tf.matmul(self._output_transform, tf.reshape(products, [places, -1]))
        results = tf.reshape(results, [outputs, outputs, batch, tiles_down, tiles_across, channels_out])
        whole = tf.reshape(
            tf.transpose(results, [2, 3, 0, 4, 1, 5]),
            [batch, tiles_down * outputs, tiles_across * outputs, channels_out],
        )
        is_exact = whole.shape[1:3] == [self._height, self._width]
        return whole if is_exact else whole[:, : self._height, : self._width]

    def _gather_tiles(self, inputs, batch):
        """Return each place of each tile: (places of a tile, batch and tiles, channels)."""
        below, right = self._padded[0] - 1 - self._height, self._padded[1] - 1 - self._width
        rows = tf.reshape(tf.pad(inputs, [[0, 0], [1, below], [1, right], [0, 0]]), [-1, inputs.shape[-1]])
        items = tf.range(batch) * (self._padded[0] * self._padded[1])
        return tf.gather(rows, self._places[:, None, :] + items[None, :, None])

    def _places_of_tiles(self, side: int) -> np.ndarray:
        """Return where each place of each tile lies among the rows of one padded item: (places, tiles)."""
        down, across = (np.arange(count) * self._outputs for count in self._tiles)
        within = np.arange(side)
        row = down[None, None, :, None] + within[:, None, None, None]
        column = across[None, None, None, :] + within[None, :, None, None]
        return (row * self._padded[1] + column).reshape(side * side, -1).astype(np.int32)
