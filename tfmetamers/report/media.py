"""Pictures, sounds and drawings as data URIs, so that the page that shows them needs no other file."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tfmetamers.errors import ResultError
from tfmetamers.stimuli.images import open_picture
from tfmetamers.stimuli.sounds import MAX_SAMPLES
from tfmetamers.utilities.regular_files import regular_status


@dataclass(frozen=True)
class Picture:
    """A picture that a page can show.

    Attributes:
        uri: its data URI.
        width: in pixels.
        height: in pixels.
    """

    uri: str
    width: int
    height: int


def data_uri(content: bytes, media_type: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def embed_picture(path: Path, max_side: int | None = None) -> Picture:
    """Return a PNG as it is, or scaled down and as WebP if it is larger than allowed.

    Args:
        path: the PNG.
        max_side: the largest number of pixels of the longer side; None leaves every picture as it is.

    Raises:
        ResultError: the picture is missing or damaged.
    """
    try:
        with open_picture(path, formats=("PNG",)) as picture:
            if max_side is None or max(picture.size) <= max_side:
                return Picture(data_uri(path.read_bytes(), "image/png"), *picture.size)
            picture = picture.convert("RGB")
    except Exception as error:  # Pillow's decoders raise whatever their parsers raise.
        raise _damaged(path, error) from error
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    smaller = io.BytesIO()
    picture.save(smaller, "WEBP", quality=70)
    return Picture(data_uri(smaller.getvalue(), "image/webp"), *picture.size)


def embed_sound(path: Path) -> str:
    """Return a 16-bit WAV as the data URI of a FLAC, which holds the same samples in fewer bytes.

    Raises:
        ResultError: the sound is missing or damaged.
    """
    import soundfile

    packed = io.BytesIO()
    try:
        regular_status(path)
        with soundfile.SoundFile(path) as sound:
            samples, sampling_rate = sound.read(min(sound.frames, MAX_SAMPLES), dtype="int16"), sound.samplerate
        soundfile.write(packed, samples, sampling_rate, format="FLAC", subtype="PCM_16")
    except (OSError, RuntimeError) as error:
        raise _damaged(path, error) from error
    return data_uri(packed.getvalue(), "audio/flac")


def _damaged(path: Path, error: Exception) -> ResultError:
    reason = getattr(error, "strerror", None) or error
    return ResultError(f"{path} is missing or damaged ({reason}); delete its folder and make the metamer again.")
