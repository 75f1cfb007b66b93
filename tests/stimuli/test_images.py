"""Pictures are prepared as the released code prepares them, and what cannot be a stimulus is refused knowingly."""

import hashlib
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError, ResultError, StimulusError
from tfmetamers.stimuli.images import SUFFIXES, load_image, sample_photograph, save_image


def drawn(height: int, width: int) -> np.ndarray:
    """A picture without randomness or symmetry, uint8 (height, width, 3)."""
    row, column = np.mgrid[:height, :width]
    channels = (7 * row + 3 * column, row * column, row**2 + 5 * column)
    return np.stack([channel % 256 for channel in channels], axis=-1).astype(np.uint8)


def saved(path: Path, pixels: np.ndarray | Image.Image, **options) -> Path:
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path, **options)
    return path


def released_code(path: Path, size: int) -> np.ndarray:
    """The released code's steps: crop, imresize to 8 bits, division."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    h, w = pixels.shape[:2]
    s = min(h, w)
    square = pixels[int(h / 2 - s / 2) : int(h / 2 + s / 2), int(w / 2 - s / 2) : int(w / 2 + s / 2)]
    return np.asarray(Image.fromarray(square).resize((size, size), resample=Image.BILINEAR)) / 255.0


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def png(width: int, height: int, bits: int, colour_type: int, rows: bytes) -> bytes:
    """A PNG by hand: Pillow writes none with 16 bits a channel, nor one that lies about its size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png_rows(samples: np.ndarray) -> bytes:
    """Big-endian samples (height, width, channels) with the filter byte 0 before each row."""
    return b"".join(b"\0" + row.tobytes() for row in samples.astype(samples.dtype.newbyteorder(">")))


class TestPinnedArrays:
    def test_a_drawn_picture(self, tmp_path):
        loaded = load_image(saved(tmp_path / "drawn.png", drawn(60, 83)), 24)
        assert sha256(loaded) == "528b51dbbabbb0c68afbfe55d7de0d8aac388464bb3357a2ae98c242ecac0f40"

    def test_the_sample_photograph(self):
        loaded = load_image(sample_photograph(), 224)
        assert sha256(loaded) == "fd0d5c78fcf5c41109d813276bce0fc11d708dce36164e4c892493bd8f7fa523"

    def test_the_published_pocket_watch(self):
        loaded = load_image(GOLDEN / "paper_stimuli" / "pocketwatch.jpg", 224)
        assert sha256(loaded) == "92a6dcca79508bfd31ba0a584a0aee0ac233eca235364af195ffd981ce4ee470"


class TestPreparation:
    @pytest.mark.parametrize("shape", [(60, 83), (61, 84), (61, 83), (84, 61), (83, 60), (50, 50), (2, 9), (3, 2)])
    @pytest.mark.parametrize("size", [1, 24, 97])
    def test_equals_the_released_code(self, tmp_path, shape, size):
        path = saved(tmp_path / "drawn.png", drawn(*shape))
        np.testing.assert_array_equal(load_image(path, size), released_code(path, size).astype(np.float32))

    def test_a_picture_of_the_right_size_keeps_its_values(self, tmp_path):
        pixels = drawn(224, 224)
        loaded = load_image(saved(tmp_path / "drawn.png", pixels), 224)
        np.testing.assert_array_equal(loaded, (pixels / 255.0).astype(np.float32))

    def test_is_float32_in_0_to_1_with_three_channels(self, tmp_path):
        loaded = load_image(saved(tmp_path / "drawn.png", drawn(61, 84)), 24)
        assert loaded.dtype == np.float32
        assert loaded.shape == (24, 24, 3)
        assert 0 <= loaded.min() < loaded.max() <= 1

    def test_resizing_is_done_on_8_bit_values(self, tmp_path):
        levels = load_image(saved(tmp_path / "drawn.png", drawn(61, 84)), 24) * 255
        np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)

    def test_the_path_may_be_a_string(self, tmp_path):
        path = saved(tmp_path / "drawn.png", drawn(8, 8))
        np.testing.assert_array_equal(load_image(str(path), 8), load_image(path, 8))

    @pytest.mark.parametrize("size", [0, -3])
    def test_a_size_below_one_is_refused(self, tmp_path, size):
        path = saved(tmp_path / "drawn.png", drawn(8, 8))
        with pytest.raises(ArgumentError, match=f"size is {size};"):
            load_image(path, size)


class TestAccepted:
    """Every kind of picture here shows 8-bit colours that are beyond doubt."""

    def test_greyscale_has_three_equal_channels(self, tmp_path):
        grey = drawn(16, 16)[..., 0]
        loaded = load_image(saved(tmp_path / "grey.png", grey), 16)
        np.testing.assert_array_equal(loaded, np.repeat((grey / 255.0).astype(np.float32)[..., None], 3, axis=-1))

    @pytest.mark.parametrize("mode", ["P", "1", "CMYK"])
    def test_other_colour_modes_are_converted_to_rgb(self, tmp_path, mode):
        converted = Image.fromarray(drawn(16, 16)).convert(mode)
        loaded = load_image(saved(tmp_path / "picture.tif", converted), 16)
        np.testing.assert_array_equal(loaded, (np.asarray(converted.convert("RGB")) / 255.0).astype(np.float32))

    def test_a_cmyk_jpeg(self, tmp_path):
        path = saved(tmp_path / "cmyk.jpg", Image.fromarray(drawn(16, 16)).convert("CMYK"))
        np.testing.assert_array_equal(load_image(path, 16), released_code(path, 16).astype(np.float32))

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_an_opaque_alpha_channel_is_dropped(self, tmp_path, mode):
        opaque = Image.fromarray(drawn(16, 16)).convert(mode)
        loaded = load_image(saved(tmp_path / "alpha.png", opaque), 16)
        np.testing.assert_array_equal(loaded, (np.asarray(opaque.convert("RGB")) / 255.0).astype(np.float32))

    def test_a_transparent_palette_entry_that_no_pixel_has(self, tmp_path):
        picture = Image.fromarray(np.ones((8, 8), np.uint8), mode="P")
        picture.putpalette([0, 0, 0, 10, 20, 30])
        loaded = load_image(saved(tmp_path / "palette.png", picture, transparency=0), 8)
        np.testing.assert_array_equal(loaded[0, 0], np.float32([10, 20, 30]) / np.float32(255))

    @pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 1), (8, -1)])
    def test_a_picture_rotated_by_exif_is_turned_upright(self, tmp_path, orientation, turns):
        upright = drawn(16, 20)
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = saved(tmp_path / "turned.png", np.rot90(upright, turns).copy(), exif=exif)
        expected = load_image(saved(tmp_path / "upright.png", upright), 16)
        np.testing.assert_array_equal(load_image(path, 16), expected)

    def test_the_first_frame_of_an_animation(self, tmp_path):
        frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
        path = saved(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(load_image(path, 8), np.full((8, 8, 3), [1, 0, 0], np.float32))

    @pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
    @pytest.mark.parametrize("width", [24, 54, 72, 216])
    def test_8_bits_are_8_bits_whatever_the_width(self, tmp_path, suffix, width):
        pixels = drawn(width, width)
        loaded = load_image(saved(tmp_path / f"picture{suffix}", pixels), width)
        np.testing.assert_array_equal(loaded, (pixels / 255.0).astype(np.float32))

    def test_a_bmp_of_16_bits_a_pixel_has_fewer_than_8_a_channel(self, tmp_path):
        head = struct.pack(
            "<2sIIIIiiHHIIiiIIIII", b"BM", 82, 0, 66, 40, 2, -4, 1, 16, 3, 16, 0, 0, 0, 0, 0xF800, 0x7E0, 0x1F
        )
        (tmp_path / "picture.bmp").write_bytes(head + struct.pack("<H", 0xF800) * 8)
        np.testing.assert_array_equal(load_image(tmp_path / "picture.bmp", 2)[0, 0], [1, 0, 0])

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_every_ending_that_folders_are_searched_for(self, tmp_path, suffix):
        assert load_image(saved(tmp_path / f"picture{suffix}", drawn(9, 12)), 8).shape == (8, 8, 3)

    @pytest.mark.parametrize("content", [b"P1 2 2 0 1 1 0", b"P2 2 2 9 0 1 2 3", b"P3 2 2 255 " + b"1 2 3 " * 4])
    def test_a_netpbm_picture_in_text(self, tmp_path, content):
        path = tmp_path / "picture.ppm"
        path.write_bytes(content)
        assert load_image(path, 2).shape == (2, 2, 3)


class TestRefused:
    @staticmethod
    def refusal(path: Path) -> str:
        """The message, which names the file and is one line."""
        with pytest.raises(StimulusError) as refused:
            load_image(path, 16)
        message = str(refused.value)
        assert str(path) in message
        assert "\n" not in message
        return message

    @pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
    def test_a_side_of_one_pixel(self, tmp_path, shape):
        path = saved(tmp_path / "small.png", drawn(*shape))
        assert f"{shape[1]} x {shape[0]} pixels; at least 2 x 2" in self.refusal(path)

    @pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
    def test_one_pixel_that_is_not_opaque(self, tmp_path, suffix):
        alpha = np.full((16, 16, 1), 255, np.uint8)
        alpha[3, 5] = 254
        pixels = np.concatenate([drawn(16, 16), alpha], axis=-1)
        path = saved(tmp_path / f"alpha.{suffix}", pixels, **({"lossless": True} if suffix == "webp" else {}))
        assert "not opaque" in self.refusal(path)

    def test_grey_with_transparency(self, tmp_path):
        picture = Image.fromarray(drawn(16, 16)).convert("LA")
        picture.putalpha(100)
        assert "not opaque" in self.refusal(saved(tmp_path / "grey.png", picture))

    @pytest.mark.parametrize("suffix", ["png", "gif"])
    def test_a_transparent_palette_entry(self, tmp_path, suffix):
        picture = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16) % 4, mode="P")
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
        assert "not opaque" in self.refusal(saved(tmp_path / f"palette.{suffix}", picture, transparency=2))

    def test_a_transparent_colour(self, tmp_path):
        path = saved(tmp_path / "colour.png", drawn(16, 16), transparency=tuple(map(int, drawn(16, 16)[2, 3])))
        assert "not opaque" in self.refusal(path)

    def test_a_16_bit_grey_png(self, tmp_path):
        path = saved(tmp_path / "deep.png", drawn(16, 16)[..., 0].astype(np.uint16) * 257)
        assert "more than 8 bits" in self.refusal(path)

    @pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
    def test_a_16_bit_png_of_every_colour_type(self, tmp_path, colour_type, channels):
        samples = np.full((16, 16, channels), 0xFFFF, np.uint16)
        path = tmp_path / "deep.png"
        path.write_bytes(png(16, 16, 16, colour_type, png_rows(samples)))
        assert "more than 8 bits" in self.refusal(path)

    def test_the_png_by_hand_is_accepted_with_8_bits(self, tmp_path):
        path = tmp_path / "shallow.png"
        path.write_bytes(png(16, 16, 8, 2, png_rows(drawn(16, 16))))
        np.testing.assert_array_equal(load_image(path, 16), (drawn(16, 16) / 255.0).astype(np.float32))

    @pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
    def test_a_tiff_of_more_than_8_bits(self, tmp_path, dtype):
        path = saved(tmp_path / "deep.tif", drawn(16, 16)[..., 0].astype(dtype))
        assert "more than 8 bits" in self.refusal(path)

    @pytest.mark.parametrize("content", [b"P6 2 2 65535\n" + bytes(24), b"P3 2 2 1023 " + b"1 2 3 " * 4])
    def test_a_netpbm_picture_of_more_than_8_bits(self, tmp_path, content):
        path = tmp_path / "deep.ppm"
        path.write_bytes(content)
        assert "more than 8 bits" in self.refusal(path)

    def test_a_missing_file(self, tmp_path):
        assert "no file" in self.refusal(tmp_path / "missing.png")

    def test_a_folder(self, tmp_path):
        assert "no file" in self.refusal(tmp_path)

    def test_an_empty_file(self, tmp_path):
        (tmp_path / "empty.png").touch()
        assert "is empty" in self.refusal(tmp_path / "empty.png")

    def test_a_text_file_with_a_pictures_name(self, tmp_path):
        (tmp_path / "words.png").write_text("not a picture\n" * 100)
        assert "not a picture" in self.refusal(tmp_path / "words.png")

    def test_postscript_with_a_pictures_name(self, tmp_path):
        """Which Pillow would have Ghostscript execute."""
        path = saved(tmp_path / "photo.eps", drawn(64, 64)).rename(tmp_path / "photo.png")
        with Image.open(path) as picture:
            assert picture.format == "EPS"
        assert "not a picture" in self.refusal(path)

    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".bmp", ".tif", ".webp", ".ppm"])
    def test_a_file_that_is_cut_in_half(self, tmp_path, suffix):
        path = saved(tmp_path / f"half{suffix}", drawn(64, 64))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert "damaged or cut short" in self.refusal(path)

    @pytest.mark.parametrize("suffix", ["png", "jpg"])
    def test_a_file_that_is_cut_in_its_header(self, tmp_path, suffix):
        path = saved(tmp_path / f"header.{suffix}", drawn(64, 64))
        path.write_bytes(path.read_bytes()[:20])
        self.refusal(path)

    def test_a_picture_with_a_changed_byte(self, tmp_path):
        path = saved(tmp_path / "damaged.png", drawn(64, 64))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        assert "damaged" in self.refusal(path)

    def test_a_decompression_bomb(self, tmp_path):
        path = tmp_path / "bomb.png"
        path.write_bytes(png(30000, 30000, 8, 2, b""))
        assert "too many pixels" in self.refusal(path)


class TestSaving:
    def test_all_256_levels_come_back_exactly(self, tmp_path):
        pixels = (np.arange(16 * 16 * 3).reshape(16, 16, 3) % 256 / 255.0).astype(np.float32)
        assert len(np.unique(pixels)) == 256
        save_image(pixels, tmp_path / "levels.png")
        np.testing.assert_array_equal(load_image(tmp_path / "levels.png", 16), pixels)

    @pytest.mark.parametrize(
        ("value", "level"), [(10.4 / 255, 10), (10.6 / 255, 11), (254.6 / 255, 255), (-0.2, 0), (-9.0, 0), (1.3, 255)]
    )
    def test_values_are_rounded_and_clipped(self, tmp_path, value, level):
        save_image(np.full((2, 2, 3), value, np.float32), tmp_path / "picture.png")
        with Image.open(tmp_path / "picture.png") as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
            assert picture.getextrema() == ((level, level),) * 3

    def test_makes_the_folder_and_leaves_nothing_else_in_it(self, tmp_path):
        save_image(np.zeros((2, 2, 3)), tmp_path / "new" / "picture.png")
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["picture.png"]

    def test_a_path_below_a_file_is_refused(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ResultError, match=r"file/picture\.png cannot be written: "):
            save_image(np.zeros((2, 2, 3)), tmp_path / "file" / "picture.png")
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_full_disk_leaves_the_older_picture_as_it_was(self, tmp_path):
        path = tmp_path / "picture.png"
        path.write_bytes(b"older")
        script = """
import resource, sys
import numpy as np
from tfmetamers.errors import ResultError
from tfmetamers.stimuli.images import save_image
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_image(np.random.default_rng(0).random((64, 64, 3)), sys.argv[1])
except ResultError as error:
    sys.exit(str(error))
"""
        finished = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
        assert finished.returncode == 1
        assert finished.stderr.startswith(f"{path} cannot be written: ")
        assert path.read_bytes() == b"older"
        assert list(tmp_path.iterdir()) == [path]


class TestOtherShapes:
    @pytest.mark.parametrize(
        ("source", "size", "cut"),
        [
            ((60, 90), (20, 40), (slice(7, 52), slice(0, 90))),  # As wide as can be: 45 of 60 rows, from 7.5 down.
            ((60, 90), (30, 20), (slice(0, 60), slice(25, 65))),
            ((61, 30), (5, 10), (slice(23, 38), slice(0, 30))),
        ],
    )
    def test_the_largest_centred_part_of_the_sizes_proportions_is_taken(self, tmp_path, source, size, cut):
        pixels = drawn(*source)
        loaded = load_image(saved(tmp_path / "drawn.png", pixels), size)
        resized = Image.fromarray(pixels[cut]).resize(size[::-1], Image.BILINEAR)
        np.testing.assert_array_equal(loaded, (np.asarray(resized) / 255.0).astype(np.float32))

    def test_a_pair_of_equal_sides_is_a_square(self, tmp_path):
        path = saved(tmp_path / "drawn.png", drawn(61, 84))
        np.testing.assert_array_equal(load_image(path, (24, 24)), load_image(path, 24))

    @pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "LA"])
    def test_one_channel_is_pillows_luma(self, tmp_path, mode):
        converted = Image.fromarray(drawn(16, 16)).convert(mode)
        loaded = load_image(saved(tmp_path / "picture.tif", converted), 16, channels=1)
        np.testing.assert_array_equal(loaded[..., 0], (np.asarray(converted.convert("L")) / 255.0).astype(np.float32))
        assert loaded.shape == (16, 16, 1)

    @pytest.mark.parametrize(("size", "channels"), [((8, 0), 3), ((8, 8, 8), 3), (8, 2)])
    def test_other_sizes_and_channels_are_refused(self, tmp_path, size, channels):
        with pytest.raises(ArgumentError, match=r"size|channels"):
            load_image(saved(tmp_path / "drawn.png", drawn(8, 8)), size, channels)

    def test_a_grey_picture_is_saved_as_one(self, tmp_path):
        pixels = (np.arange(256).reshape(16, 16, 1) / 255.0).astype(np.float32)
        save_image(pixels, tmp_path / "levels.png")
        np.testing.assert_array_equal(load_image(tmp_path / "levels.png", 16, channels=1), pixels)
        with Image.open(tmp_path / "levels.png") as picture:
            assert picture.mode == "L"
