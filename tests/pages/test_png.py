import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import page_samples
from PIL import Image

from lstmjax.formats import lstmf
from lstmjax.pages import png

STOCK = not zlib.ZLIB_RUNTIME_VERSION.endswith("ng")
SIZES = [(1, 1), (1, 9), (9, 1), (20, 30), (15, 16), (16, 1022), (60, 700), (300, 500)]


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(png.SIGNATURE)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += size + 12
    return found


@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 9))
def test_any_image_can_be_read_again(height, width, coloured, seed):
    shape = (height, width, 3) if coloured else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    data = png.encode(pixels)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data))), pixels)


def test_large_images_are_filtered_in_blocks(monkeypatch):
    pixels = page_samples.colour(100, 90)
    whole = png.encode(pixels)
    monkeypatch.setattr(png, "_BLOCK_BYTES", 1000)
    assert png.encode(pixels) == whole


def test_chunks():
    data = png.encode(np.random.default_rng(0).integers(0, 256, (99, 99)).astype(np.uint8))
    kinds = [kind for kind, _ in chunks(data)]
    assert kinds == [b"IHDR", b"pHYs", b"IDAT", b"IDAT", b"IEND"]
    assert len(chunks(data)[2][1]) == 8192


@pytest.mark.parametrize(
    ("resolution", "per_metre", "unit"),
    [((300, 300), (11811, 11811), 1), ((72, 96), (2835, 3780), 1), ((0, 300), (0, 0), 0)],
    ids=["300", "two", "none"],
)
def test_resolution(resolution, per_metre, unit):
    data = dict(chunks(png.encode(page_samples.grey(9, 9), resolution)))[b"pHYs"]
    assert data == b"".join(n.to_bytes(4, "big") for n in per_metre) + bytes([unit])


def test_palette():
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
    palette = np.arange(15, dtype=np.uint8).reshape(5, 3)
    read = Image.open(io.BytesIO(png.encode(indices, palette=palette)))
    assert read.mode == "P"
    np.testing.assert_array_equal(np.array(read.convert("RGB")), palette[indices])


@pytest.mark.reference
@pytest.mark.skipif(not STOCK, reason="this Python has another zlib than the real tools")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[1]}x{size[0]}")
@pytest.mark.parametrize("make", [page_samples.grey, page_samples.colour], ids=["grey", "colour"])
def test_bytes_are_those_of_the_original(tmp_path, make, size):
    pixels = make(size[1], size[0])
    name = page_samples.write_page(
        tmp_path / "x.png", f"a 0 0 {size[1]} {size[0]} 0\n", Image.fromarray(pixels)
    )
    done = page_samples.real(name, str(tmp_path / "x"))
    if not (tmp_path / "x.lstmf").exists():
        pytest.skip(f"the real tesseract makes nothing of this size: {done.stderr}")
    assert lstmf.load(tmp_path / "x.lstmf")[0].image == png.encode(pixels)
