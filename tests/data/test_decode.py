"""Every kind of image file this program meets, and those it refuses."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lstmjax.data.decode import MAX_SIDE, decode
from lstmjax.errors import DataError

GREY = (np.arange(7 * 11, dtype=np.uint8) * 3).reshape(7, 11)
COLOUR = np.stack([GREY, 255 - GREY, GREY[::-1]], axis=-1)


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width, height):
    """A PNG file that ends where its pixels begin."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(header))
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + crc
    return start + struct.pack(">I", 9) + b"IDAT" + bytes(3)


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF"])
def test_grey_and_colour_come_back_unchanged(kind):
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(GREY), kind)), GREY)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(COLOUR), kind)), COLOUR)


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF"])
def test_two_valued_images_are_true_where_white(kind):
    white = GREY > 100
    decoded = decode(encoded(Image.fromarray(white), kind))
    assert decoded.dtype == np.bool_
    np.testing.assert_array_equal(decoded, white)


def test_jpeg_comes_back_nearly_unchanged():
    flat = np.full((16, 16), 90, np.uint8)
    np.testing.assert_allclose(decode(encoded(Image.fromarray(flat), "JPEG")), flat, atol=2)


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF"])
def test_sixteen_bits_keep_the_high_byte(kind):
    samples = (GREY.astype(np.uint16) << 8) | 0x7F
    decoded = decode(encoded(Image.fromarray(samples), kind))
    np.testing.assert_allclose(decoded, GREY, atol=0)


@pytest.mark.parametrize(("mode", "shape"), [("L", (7, 11)), ("RGB", (7, 11, 3))])
def test_palettes_become_grey_or_colour(mode, shape):
    source = Image.fromarray(GREY if mode == "L" else COLOUR)
    palette = source.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    decoded = decode(encoded(palette, "PNG"))
    assert decoded.shape == shape
    np.testing.assert_array_equal(decoded, np.asarray(palette.convert(mode)))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_pixels_become_white(mode):
    image = Image.fromarray(GREY).convert(mode)
    alpha = np.zeros(GREY.shape, np.uint8)
    alpha[:, :5] = 255
    image.putalpha(Image.fromarray(alpha))
    decoded = decode(encoded(image, "PNG")).reshape(7, 11, -1)[..., 0]
    np.testing.assert_array_equal(decoded[:, :5], GREY[:, :5])
    assert (decoded[:, 5:] == 255).all()


def test_cmyk_becomes_colour():
    decoded = decode(encoded(Image.new("CMYK", (9, 9)), "JPEG"))
    assert decoded.shape == (9, 9, 3)
    assert decoded.min() > 250


def test_paths_and_open_images_are_taken(tmp_path):
    path = tmp_path / "line.png"
    Image.fromarray(GREY).save(path)
    for source in (path, str(path), Image.fromarray(GREY)):
        np.testing.assert_array_equal(decode(source), GREY)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an image"),
        (b"not an image", "not an image"),
        (encoded(Image.fromarray(GREY), "PNG")[:-30], "cannot be decoded"),
        (png_header(5, 5), "cannot be decoded"),
        (png_header(0, 5), "not an image"),
        (png_header(MAX_SIDE + 1, 1), "at most 32767 a side"),
        (png_header(9000, 9000), "67108864 in all"),
        (png_header(30000, 30000), "more than 67108864 pixels"),
        (b"P5 3 3 255\n123", "cannot be decoded"),
        (b"GIF89a" + bytes(40), "not an image"),
    ],
    ids=[
        "no bytes",
        "text",
        "cut",
        "no pixels",
        "no width",
        "too wide",
        "too many",
        "bomb",
        "cut PGM",
        "GIF",
    ],
)
def test_bad_images_are_refused_by_name(data, reason):
    with pytest.raises(DataError, match=reason) as raised:
        decode(data, "page 3 of x.lstmf")
    assert str(raised.value).startswith("page 3 of x.lstmf: ")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        decode(tmp_path / "none.png")


def test_images_without_pixels_are_refused():
    with pytest.raises(DataError, match=r"empty \(0 x 4 pixels\)"):
        decode(Image.new("L", (0, 4)))


def test_floating_point_samples_are_refused():
    with pytest.raises(DataError, match="floating point"):
        decode(Image.new("F", (3, 3)))


def test_wide_samples_are_refused():
    with pytest.raises(DataError, match="wider than 16 bits"):
        decode(Image.fromarray(np.full((2, 2), 1 << 20, np.int32)))
