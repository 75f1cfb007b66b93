"""Masks: pink noise, which follows each image."""

import numpy as np

#: How much the contrast is raised about the middle grey, as in the second experiments of Geirhos et al. (2018).
CONTRAST = 4.0


def make_mask(size: int, generator: np.random.Generator) -> np.ndarray:
    """Draw a mask whose power falls as one over the frequency, in two dimensions.

    Phases are random; amplitude is (u^2 + v^2)^(-1/4), and 0 for the mean. The noise is brought to [0, 1] by its
    extremes, then its contrast is raised about 0.5 and what is beyond [0, 1] is cut (``lab-experiment`` of github
    rgeirhos/generalisation-humans-DNNs).

    Args:
        size: height and width in pixels.
        generator: where phases come from.

    Returns:
        uint8 (size, size), grey.
    """
    frequencies = np.fft.fftfreq(size)
    squared = frequencies[:, None] ** 2 + frequencies[None, :] ** 2
    squared[0, 0] = np.inf
    phases = np.exp(2j * np.pi * generator.random((size, size)))
    noise = np.fft.ifft2(phases * squared**-0.25).real
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    return np.rint(255 * np.clip(0.5 + CONTRAST * (noise - 0.5), 0, 1)).astype(np.uint8)
