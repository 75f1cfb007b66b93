"""Pictures: exactly as the released code prepares them, and back to a file."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tfmetamers.errors import StimulusError, checked_whole_number
from tfmetamers.utilities.files import atomic_write

#: Endings of the files that a folder of pictures is searched for.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm")


def load_image(path: str | os.PathLike, size: int) -> np.ndarray:
    """Load a picture as the released code does.

    The largest centred square is cut out, brought to the size by Pillow's bilinear filter on 8-bit values,
    and divided by 255 (``metamer_helpers.py`` of the released code, where SciPy's ``imread`` and
    ``imresize``, since removed, did the same).

    A picture is turned upright as its EXIF orientation says, which the released code did not do. Grey,
    palette and CMYK pictures are converted to RGB by Pillow, an alpha channel is dropped where it is opaque,
    and the first frame of an animation is used.

    Args:
        path: the picture's file.
        size: height and width of the result, in pixels.

    Returns:
        float32 array (size, size, 3), RGB in [0, 1].

    Raises:
        StimulusError: the file is missing, empty, truncated or no picture; it has 16 bits a channel, pixels
            that are not opaque, or a side of one pixel.
        ArgumentError: the size is no whole number from 1.
    """
    size = checked_whole_number("size", size, minimum=1)
    pixels = _read(Path(path))
    height, width = pixels.shape[:2]
    side = min(height, width)
    if side < 2:
        raise StimulusError(f"{path} has {width} x {height} pixels; at least 2 x 2 are needed.")
    top, left = int(height / 2 - side / 2), int(width / 2 - side / 2)
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    resized = square.resize((size, size), Image.Resampling.BILINEAR)
    return (np.asarray(resized) / 255.0).astype(np.float32)


def save_image(pixels: np.ndarray, path: str | os.PathLike) -> None:
    """Save a picture as an 8-bit PNG, whole or not at all.

    Args:
        pixels: float array (height, width, 3), RGB in [0, 1]; each value is rounded to the nearest of the
            256 levels.
        path: the file to write.

    Raises:
        ResultError: the file cannot be written.
    """
    levels = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    with atomic_write(path) as partial:
        Image.fromarray(levels).save(partial, format="PNG")


def sample_photograph() -> Path:
    """Return the path of a photograph that ships with matplotlib: Rear Admiral Grace Hopper, public domain."""
    from matplotlib import cbook

    return Path(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))


def _read(path: Path) -> np.ndarray:
    """Return a file's first frame, upright, as uint8 (height, width, 3)."""
    if not path.is_file():
        raise StimulusError(f"There is no file {path}; give a picture.")
    if path.stat().st_size == 0:
        raise StimulusError(f"{path} is empty; give a picture.")
    try:
        with Image.open(path) as picture:
            if _has_16_bits(picture):
                raise StimulusError(f"{path} has more than 8 bits a channel; save it with 8 bits first.")
            picture = ImageOps.exif_transpose(picture)
            if picture.has_transparency_data and picture.convert("RGBA").getextrema()[3][0] < 255:
                raise StimulusError(
                    f"{path} has pixels that are not opaque, and what they show is not defined; "
                    "save it on a background first."
                )
            return np.asarray(picture.convert("RGB"))
    except Image.UnidentifiedImageError as error:
        raise StimulusError(f"{path} is not a picture that Pillow can read; give a PNG or JPEG.") from error
    except Image.DecompressionBombError as error:
        raise StimulusError(f"{path} has too many pixels ({error}); make it smaller first.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise StimulusError(f"{path} is damaged or cut short ({error}); get the file again.") from error


def _has_16_bits(picture: Image.Image) -> bool:
    """Tell whether Pillow would drop bits: it reads 16-bit RGB as 8-bit without saying so."""
    return picture.mode.startswith(("I", "F")) or any(_is_16_bit_tile(tile[0], tile[3]) for tile in picture.tile)


def _is_16_bit_tile(decoder: str, arguments) -> bool:
    """Tell from what Pillow hands a decoder: a raw mode such as ``RGB;16B``, or the greatest value of a PPM.

    ``BGR;16`` is a BMP of 16 bits a pixel, not a channel.
    """
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    if decoder in ("ppm", "ppm_plain"):
        return any(isinstance(argument, int) and argument > 255 for argument in arguments)
    modes = [argument for argument in arguments if isinstance(argument, str)]
    return any(";16" in mode and not mode.startswith("BGR") for mode in modes)
