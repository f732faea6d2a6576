"""Reading images from Python: every kind of input, and the words of the tesseract program."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import helpers
import numpy as np
import pytest
from data.documents import png
from infer.models import tiny_traineddata
from PIL import Image, ImageOps

import lstmjax
from lstmjax.errors import DataError, FormatError
from lstmjax.formats import lstmf, traineddata

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.traineddata"
    traineddata.save(tiny_traineddata(), path)
    return lstmjax.load(path)


def test_every_kind_of_image_reads_the_same(reader, tmp_path):
    data = png(70, 20)
    path = tmp_path / "line.png"
    path.write_bytes(data)
    image = Image.open(io.BytesIO(data))
    grey = np.asarray(image)
    same = [data, path, str(path), image, grey, np.repeat(grey[..., None], 3, 2)]
    texts = [reader.recognize(each) for each in same]
    assert texts[0]
    assert set(texts) == {texts[0]}
    assert reader.recognize_lines(iter(same)) == texts


def test_two_valued_images_are_scaled_in_grey(reader):
    black = np.asarray(Image.open(io.BytesIO(png(70, 20)))) > 127
    as_grey = black.astype(np.uint8) * 255
    assert reader.recognize(black) == reader.recognize(as_grey)
    assert reader.recognize(Image.fromarray(black)) == reader.recognize(as_grey)


def test_lines_do_not_influence_each_other(reader):
    images = [png(40, 20, seed=i) for i in range(5)]
    assert reader.recognize_lines(images) == [reader.recognize(image) for image in images]
    assert reader.recognize_lines([]) == []


@pytest.mark.parametrize("size", [(1, 30), (2, 30)], ids=str)
def test_images_too_small_for_text_are_empty(size, reader):
    assert reader.recognize(np.zeros(size[::-1], np.uint8)) == ""


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (b"nothing", "image 2 of 2: not an image"),
        ("/nonexistent/line.png", "/nonexistent/line.png"),
        (np.zeros((20, 30)), "image 2 of 2: an array of float64 and shape [20, 30]"),
        (np.zeros((20, 30, 2), np.uint8), "shape [20, 30, 2]; expected uint8"),
        (np.zeros((0, 30), np.uint8), "shape [0, 30]"),
        (np.zeros(30, np.uint8), "shape [30]"),
    ],
    ids=["bytes", "path", "float", "two channels", "empty", "one axis"],
)
def test_what_cannot_be_read_is_named(image, problem, reader):
    with pytest.raises(DataError) as caught:
        reader.recognize_lines([png(), image])
    assert problem in str(caught.value)


def test_broken_models_are_refused(tmp_path):
    (tmp_path / "m.traineddata").write_bytes(b"\0" * 100)
    with pytest.raises(FormatError, match=r"m\.traineddata"):
        lstmjax.load(tmp_path / "m.traineddata")


def test_names_of_the_package():
    assert lstmjax.__version__[0].isdigit()
    assert {"load", "LineRecognizer", "LstmjaxError", "__version__"} <= set(dir(lstmjax))
    assert lstmjax.LstmjaxError is not None
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        lstmjax.lod  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, lstmjax; heavy = {'jax', 'numba', 'numpy', 'PIL'} & set(sys.modules); "
        "assert not heavy, heavy; assert lstmjax.__version__"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


def without_dictionary(source, target):
    """Copy a model without its word lists, which only the tesseract program uses."""
    trained = traineddata.load(source)
    kept = {name: data for name, data in trained.components.items() if "dawg" not in name}
    traineddata.save(replace(trained, components=kept), target)


def disguised(image, i):
    """A line as users have them: inverted, two-valued, in colour, or as it was."""
    grey = image.convert("L")
    match i % 5:
        case 1:
            return ImageOps.invert(grey)
        case 2:
            return grey.point(lambda v: 255 * (v > 127)).convert("1")
        case 3:
            pixels = np.repeat(np.asarray(grey)[..., None], 3, axis=2).copy()
            pixels[..., 2] = np.maximum(pixels[..., 2], 90)
            return Image.fromarray(pixels)
    return image


@pytest.mark.reference
@pytest.mark.parametrize("folder", ["tessdata_best", "tessdata_fast"], ids=["float", "int8"])
def test_texts_are_those_of_the_tesseract_program(folder, tmp_path):
    pages = lstmf.load(helpers.testdata("tesseract-test", "fra.Arial_Unicode_MS.exp0.lstmf"))
    paths = []
    for i, each in enumerate(pages[18:43]):
        paths.append(str(tmp_path / f"{i}.png"))
        disguised(Image.open(io.BytesIO(each.image)), i).save(paths[-1])
    (tmp_path / "list").write_text("\n".join(paths) + "\n")
    without_dictionary(helpers.testdata(folder, "fra.traineddata"), tmp_path / "fra.traineddata")
    done = helpers.run_real(
        "tesseract", tmp_path / "list", "-", "--psm", "13", "-l", "fra",
        "--tessdata-dir", tmp_path, env=dict(os.environ),
    )  # fmt: skip
    expected = [text.strip("\n") for text in done.stdout.split("\f")[: len(paths)]]
    assert lstmjax.load(tmp_path / "fra.traineddata").recognize_lines(paths) == expected
