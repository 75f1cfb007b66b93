"""Pictures: loaded exactly as the released code prepares them, and saved."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tfmetamers.errors import ArgumentError, StimulusError, checked_whole_number, unknown_name
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.regular_files import open_regular, require_file

#: Endings of the files that a folder of pictures is searched for.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm")

#: The formats that are decoded, by Pillow's names, whatever the file's name: some of the others run programs (EPS).
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")

#: Pillow's mode of a picture by its number of channels.
_MODES = {1: "L", 3: "RGB"}

#: Pillow's filters by the names that recipes have (`tfmetamers.recipes.RESAMPLINGS`).
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

#: How a number becomes one of the 256 levels, by the names that recipes have (`tfmetamers.recipes.ROUNDINGS`).
_ROUNDED = {"nearest": np.rint, "floor": np.floor}


def load_image(
    path: str | os.PathLike, size: int | tuple[int, int], channels: int = 3, resampling: str = "bilinear"
) -> np.ndarray:
    """Load a picture as the released code does.

    The largest centred square is cut out, brought to the size by Pillow's bilinear filter on 8-bit values,
    and divided by 255 (``metamer_helpers.py`` of the released code, where SciPy's ``imread`` and
    ``imresize``, since removed, did the same). For a size that is not square, the largest centred rectangle of its
    proportions takes the place of the square. The code of the 2023 paper resized by Pillow's own default, which is its
    bicubic filter.

    A picture is turned upright according to its EXIF orientation, which the released code did not do. Grey,
    palette and CMYK pictures are converted to RGB by Pillow, or all pictures to grey, an alpha channel is dropped
    where it is opaque, and the first frame of an animation is used.

    Args:
        path: the picture's file.
        size: height and width of the result, in pixels; one number for both.
        channels: 3 for RGB, 1 for grey, which is Pillow's mode ``L`` (luma as of ITU-R 601-2).
        resampling: Pillow's filter, ``"bilinear"`` or ``"bicubic"``.

    Returns:
        float32 array (height, width, channels), in [0, 1].

    Raises:
        StimulusError: the file is missing, empty, truncated or not a picture; it has 16 bits a channel, pixels
            that are not opaque, or a side of one pixel.
        ArgumentError: the size is not whole numbers from 1, the number of channels is neither 1 nor 3, or the filter is
            unknown.

    >>> picture = load_image(sample_photograph(), (32, 24))
    >>> picture.shape, picture.dtype.name
    ((32, 24, 3), 'float32')
    """
    height, width = checked_size(size)
    if channels not in _MODES:
        raise ArgumentError(f"The number of channels of a picture is {channels!r}; 1 or 3 was expected.")
    if resampling not in _FILTERS:
        raise unknown_name("filter", resampling, _FILTERS)
    pixels = _read(Path(path), _MODES[channels])
    if min(pixels.shape[:2]) < 2:
        raise StimulusError(f"{path} has {pixels.shape[1]} x {pixels.shape[0]} pixels; at least 2 x 2 are needed.")
    resized = Image.fromarray(_cut(pixels, height, width)).resize((width, height), _FILTERS[resampling])
    return (np.asarray(resized) / 255.0).astype(np.float32).reshape(height, width, channels)


def checked_size(size: int | Sequence[int]) -> tuple[int, int]:
    """Return height and width of a picture, given one number for both, or two.

    Raises:
        ArgumentError: they are not whole numbers from 1.
    """
    sides = tuple(size) if isinstance(size, Sequence) else (size, size)
    if len(sides) != 2:
        raise ArgumentError(f"The size is {size!r}; one whole number was expected, or height and width.")
    height, width = (checked_whole_number("size", side, minimum=1) for side in sides)
    return height, width


def _cut(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the largest centred part of a picture that has the proportions of a size."""
    rows, columns = pixels.shape[:2]
    if rows * width <= columns * height:
        kept = rows, max(1, round(rows * width / height))
    else:
        kept = max(1, round(columns * height / width)), columns
    top, left = int(rows / 2 - kept[0] / 2), int(columns / 2 - kept[1] / 2)
    return pixels[top : top + kept[0], left : left + kept[1]]


def resize_image(picture: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Resize a picture by Pillow's bilinear filter.

    `load_image` does so on 8-bit values; here nothing is rounded, because a metamer is the exact array that was
    optimised, and another one need not be a metamer.

    Args:
        picture: float array (height, width, channels).
        size: height and width of the result, in pixels; one number for both.
    """
    height, width = checked_size(size)
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in np.moveaxis(picture, -1, 0)]
    resized = [np.asarray(channel.resize((width, height), Image.Resampling.BILINEAR)) for channel in channels]
    return np.stack(resized, axis=-1)


def save_image(pixels: np.ndarray, path: str | os.PathLike, rounding: str = "nearest") -> None:
    """Save a picture as an 8-bit PNG, whole or not at all.

    Args:
        pixels: float array (height, width, 3) or, for grey, (height, width, 1), in [0, 1].
        path: the file to write.
        rounding: to which of the 256 levels each value goes: ``"nearest"``, or ``"floor"``, the one below, as in the
            code of the 2023 paper.

    Raises:
        ArgumentError: the rounding is unknown.
        ResultError: the file cannot be written.

    >>> save_image(np.full((8, 8, 3), 0.2), "grey.png")
    >>> bool((load_image("grey.png", 8) == np.float32(0.2)).all())
    True
    """
    if rounding not in _ROUNDED:
        raise unknown_name("rounding", rounding, _ROUNDED)
    levels = _ROUNDED[rounding](np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    levels = levels[..., 0] if levels.shape[2] == 1 else levels
    with atomic_write(path) as partial:
        Image.fromarray(levels).save(partial, format="PNG")


def sample_photograph() -> Path:
    """Return the path of a photograph that ships with matplotlib: Rear Admiral Grace Hopper, public domain.

    >>> load_image(sample_photograph(), 64, channels=1).shape
    (64, 64, 1)
    """
    from matplotlib import cbook

    return Path(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))


@contextlib.contextmanager
def open_picture(path: str | os.PathLike, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """Open a picture without decoding it yet.

    Args:
        path: the file.
        formats: of `FORMATS`, those that are expected.

    Raises:
        OSError: the file is missing, not a regular file, or of another format.
        Image.DecompressionBombError, Image.DecompressionBombWarning: it has more than 89 million pixels.
    """
    with open_regular(path) as stream, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(stream, formats=formats) as picture:
            yield picture


def _read(path: Path, mode: str) -> np.ndarray:
    """Return a file's first frame, upright, as uint8: (height, width, 3) for the mode RGB, (height, width) for L."""
    require_file(path, "a picture", StimulusError)
    if path.stat().st_size == 0:
        raise StimulusError(f"{path} is empty; give a picture.")
    try:
        with open_picture(path) as picture:
            if _has_16_bits(picture):
                raise StimulusError(f"{path} has more than 8 bits a channel; save it with 8 bits first.")
            picture = ImageOps.exif_transpose(picture)
            if picture.has_transparency_data and picture.convert("RGBA").getextrema()[3][0] < 255:
                raise StimulusError(
                    f"{path} has pixels that are not opaque, so what they show is undefined; save it on a background "
                    "first."
                )
            return np.asarray(picture.convert(mode))
    except Image.UnidentifiedImageError as error:
        raise StimulusError(
            f"{path} is not a picture in a supported format ({', '.join(FORMATS)}); save it as PNG."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise StimulusError(f"{path} has too many pixels ({error}); make it smaller first.") from error
    except StimulusError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever their parsers raise.
        raise StimulusError(f"{path} is damaged or cut short ({error}); get the file again.") from error


def _has_16_bits(picture: Image.Image) -> bool:
    """Tell whether Pillow would drop bits: it reads 16-bit RGB as 8-bit without saying so."""
    return picture.mode.startswith(("I", "F")) or any(_is_16_bit_tile(tile[0], tile[3]) for tile in picture.tile)


def _is_16_bit_tile(decoder: str, arguments) -> bool:
    """Tell from what Pillow hands a decoder: a raw mode such as ``RGB;16B``, or the maximum of a PPM.

    ``BGR;16`` is a BMP of 16 bits a pixel, not a channel.
    """
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    if decoder in ("ppm", "ppm_plain"):
        return any(isinstance(argument, int) and argument > 255 for argument in arguments)
    modes = [argument for argument in arguments if isinstance(argument, str)]
    return any(";16" in mode and not mode.startswith("BGR") for mode in modes)
