import numpy as np
import pytest
from pages import page_samples
from PIL import Image, TiffImagePlugin

from lstmjax.errors import DataError
from lstmjax.formats import lstmf
from lstmjax.pages import assemble, page_image
from lstmjax.pages.lines import lines_of
from lstmjax.pages.page_image import read_pages
from lstmjax.pages.sources import identify

GREY = Image.fromarray(page_samples.grey())
RGB = Image.fromarray(page_samples.colour())
ALPHA = Image.fromarray(np.tile(np.arange(150, dtype=np.uint8) + 100, (80, 1)))
WIDE = Image.fromarray(page_samples.grey().astype(np.uint16) * 256 + 77)


def with_alpha(image: Image.Image) -> Image.Image:
    return Image.merge(image.mode + "A", [*image.split(), ALPHA])


def turned(orientation: int) -> dict:
    """The options that save a TIFF with an orientation."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = orientation
    return {"tiffinfo": tags}


def in_dots(x: float, y: float, unit: int) -> dict:
    """The options that save a TIFF with a resolution; unit 1 is none, 2 inches, 3 centimetres."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[282], tags[283], tags[296] = x, y, unit
    return {"tiffinfo": tags}


KINDS = {
    "grey": ("png", GREY, {}),
    "grey-with-resolution": ("png", GREY, {"dpi": (300, 200)}),
    "bilevel": ("png", GREY.convert("1"), {}),
    "group4": ("tif", GREY.convert("1"), {"compression": "group4", "dpi": (300, 300)}),
    "colour": ("png", RGB, {}),
    "colour-jpeg": ("jpg", RGB, {"quality": 80, "dpi": (150, 150)}),
    "grey-jpeg": ("jpg", GREY, {"quality": 60}),
    "cmyk-jpeg": ("jpg", RGB.convert("CMYK"), {}),
    "alpha": ("png", with_alpha(RGB), {}),
    "grey-alpha": ("png", with_alpha(GREY), {}),
    "palette-8-bits": ("png", RGB.quantize(200), {}),
    "palette-4-bits": ("png", RGB.quantize(16), {}),
    "palette-2-bits": ("png", RGB.quantize(4), {}),
    "palette-1-bit": ("png", RGB.quantize(2), {}),
    "palette-transparent": ("png", RGB.quantize(64), {"transparency": 3}),
    "16-bits": ("png", WIDE, {}),
    "tiff-colour": ("tif", RGB, {"compression": "tiff_lzw"}),
    "tiff-palette": ("tif", RGB.quantize(256), {}),
    "tiff-centimetres": ("tif", GREY, {"resolution": 118.11, "resolution_unit": "cm"}),
    "tiff-fraction": ("tif", GREY, in_dots(72.6, 100.0, 1)),
    "tiff-fraction-of-a-centimetre": ("tif", GREY, in_dots(72.6, 72.4, 3)),
    "tiff-upside-down": ("tif", GREY, turned(3)),
    "pgm": ("pgm", GREY, {}),
    "pbm": ("pbm", GREY.convert("1"), {}),
}


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_those_of_the_original(tmp_path, kind):
    ending, image, options = KINDS[kind]
    name = page_samples.write_page(tmp_path / f"x.{ending}", image=image, **options)
    base = str(tmp_path / "x")
    page_samples.real(name, base)
    pages = assemble.document(lines_of(identify(name)), base + ".lstmf")
    assert lstmf.pack(pages) == (tmp_path / "x.lstmf").read_bytes()


def only_page(path) -> page_image.PageImage:
    (page,) = read_pages(str(path))
    return page


@pytest.mark.reference
@pytest.mark.parametrize("mode", ["L", "1"])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_turned_pages(tmp_path, orientation, mode):
    name = page_samples.write_page(
        tmp_path / "x.tif", "a 0 0 80 150 0\n", GREY.convert(mode), **turned(orientation)
    )
    base = str(tmp_path / "x")
    page_samples.real(name, base)
    pages = assemble.document(lines_of(identify(name)), base + ".lstmf")
    assert lstmf.pack(pages) == (tmp_path / "x.lstmf").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(tmp_path, kind):
    ending, image, options = KINDS[kind]
    image.save(tmp_path / f"x.{ending}", **options)
    page = only_page(tmp_path / f"x.{ending}")
    assert (page.width, page.height) == (150, 80)
    assert page.pixels.dtype == (np.bool_ if image.mode == "1" else np.uint8)
    assert (page.palette is not None) == (kind in ("palette-8-bits", "tiff-palette"))


def test_pages_come_one_after_the_other(tmp_path):
    second = Image.fromarray(page_samples.grey(40, 20, seed=1))
    GREY.save(tmp_path / "x.tif", save_all=True, append_images=[second])
    pages = list(read_pages(str(tmp_path / "x.tif")))
    assert [page.width for page in pages] == [150, 40]
    np.testing.assert_array_equal(pages[1].pixels, np.array(second))


def test_transparent_pixels_become_white(tmp_path):
    image = RGB.convert("RGBA")
    image.putalpha(0)
    image.save(tmp_path / "x.png")
    assert (only_page(tmp_path / "x.png").pixels == 255).all()


@pytest.mark.parametrize("size", [(40000, 1), (1, 40000), (20000, 20000)], ids=str)
def test_huge_images_are_refused_from_their_header(tmp_path, size):
    path = tmp_path / "x.pgm"
    path.write_bytes(b"P5 %d %d 255\n" % size)
    with pytest.raises(DataError, match=r"x\.pgm: .*(at most 32767 a side|more than 89000000)"):
        list(read_pages(str(path)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image"),
        (b"hello", "not an image"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not an image|cannot be decoded"),
        (b"P5 0 5 255\n", "cannot be decoded|empty|not an image"),
        (b"Pf 2 2\n1.0\n" + bytes(16), "floating point"),
    ],
    ids=["empty", "text", "stub", "no-pixels", "float"],
)
def test_what_is_no_image_is_named(tmp_path, content, message):
    (tmp_path / "x.img").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.img: .*({message})"):
        list(read_pages(str(tmp_path / "x.img")))


def test_a_cut_off_image_is_named(tmp_path):
    GREY.save(tmp_path / "x.png")
    data = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"x\.png: the image cannot be decoded"):
        list(read_pages(str(tmp_path / "x.png")))


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        list(read_pages(str(tmp_path / "x.png")))
