"""Lines of real models as the tesseract program reads them, with its dictionary."""

import io
import os
from dataclasses import replace
from pathlib import Path

import helpers
import numpy as np
import pytest
from PIL import Image

import lstmjax
from lstmjax.charset.codec import Codec
from lstmjax.charset.dictionary import build_dictionary
from lstmjax.ctc.lexicon_beam import Read
from lstmjax.errors import FormatError
from lstmjax.formats import lstmf, traineddata, unicharset
from lstmjax.formats.unicharset import UnicharsetTable
from lstmjax.infer.words import WordReader, words_of

LINES = 24


@pytest.fixture(scope="module")
def codec():
    return Codec.from_traineddata(
        traineddata.load(helpers.testdata("tesseract-test/eng.starter.traineddata"))
    )


def read_of(codec, text: str, *words: tuple[int, int]) -> Read:
    ids = np.array([codec.unicharset.ids[char] for char in text], np.int32)
    zeros = np.zeros(len(ids), np.int32)
    return Read(ids, zeros, zeros, zeros.astype(np.float32), words, (True,) * len(words))


@pytest.mark.parametrize(
    ("keeps_spaces", "expected"), [(False, "ab c d"), (True, "ab cd")], ids=["always", "kept"]
)
def test_words_are_divided_by_spaces(codec, keeps_spaces, expected):
    reader = WordReader(codec, build_dictionary({}, codec.unicharset), keeps_spaces)
    assert reader.text(read_of(codec, "ab cd", (0, 2), (3, 4), (4, 5))) == expected


def test_words_of_spaces_are_dropped(codec):
    reader = WordReader(codec, build_dictionary({}, codec.unicharset))
    assert reader.text(read_of(codec, " ab  ", (0, 1), (1, 3), (4, 5))) == "ab"
    assert reader.text(read_of(codec, "a  b", (0, 1), (2, 4))) == "a  b"
    assert reader.text(read_of(codec, "")) == ""


@pytest.mark.parametrize(
    ("config", "keeps"),
    [
        (b"", False),
        (b"# spaces\npreserve_interword_spaces 1\n", True),
        (b"preserve_interword_spaces\tT", True),
        (b"preserve_interword_spaces 1\npreserve_interword_spaces 0\n", False),
        (b"preserve_interword_spaces\n\xff\n", False),
    ],
)
def test_config(config, keeps, codec):
    trained = traineddata.load(helpers.testdata("tesseract-test/eng.starter.traineddata"))
    assert words_of(trained.with_component("config", config), codec).keeps_spaces is keeps


def test_damaged_dawg_is_named(codec):
    trained = traineddata.load(helpers.testdata("tesseract-test/eng.starter.traineddata"))
    with pytest.raises(FormatError, match="lstm-word-dawg: "):
        words_of(trained.with_component("lstm-word-dawg", b"*"), codec)


def as_thai(trained):
    """The same model as if its letters were of a script without spaces."""
    table = unicharset.unpack(trained.components["lstm-unicharset"])
    rows = [
        replace(row, script="Thai") if row.unichar.isalpha() and i > 2 and i % 3 else row
        for i, row in enumerate(table.rows)
    ]
    return trained.with_component("lstm-unicharset", unicharset.pack(UnicharsetTable(tuple(rows))))


def without_punctuation(trained):
    return trained.with_component("lstm-punc-dawg", b"")


def debian_model(name: str) -> Path:
    folders = os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata")
    path = Path(folders, name)
    if not path.exists():
        pytest.skip(f"{name} of Debian is not installed")
    return path


def unclear(png: bytes, seed: int) -> Image.Image:
    """A line as from a bad scan, so that the dictionary has something to decide."""
    random = np.random.default_rng(seed)
    image = Image.open(io.BytesIO(png)).convert("L")
    scale = random.uniform(0.25, 0.6)
    size = max(4, int(image.width * scale)), max(4, int(image.height * scale))
    pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR)).astype(float)
    pixels += random.normal(0, random.uniform(5, 60), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


CASES = {
    "eng int8": ("eng", "eng.traineddata", None),
    "fra float": ("fra", "tessdata_best/fra.traineddata", None),
    "fra int8": ("fra", "tessdata_fast/fra.traineddata", None),
    "without spaces": ("fra", "tessdata_fast/fra.traineddata", as_thai),
    "without punctuation": ("fra", "tessdata_fast/fra.traineddata", without_punctuation),
}


@pytest.mark.reference
@pytest.mark.parametrize("case", CASES)
def test_texts_are_those_of_the_tesseract_program(case, tmp_path):
    language, name, change = CASES[case]
    source = debian_model(name) if language == "eng" else helpers.testdata(name)
    trained = traineddata.load(source)
    traineddata.save(change(trained) if change else trained, tmp_path / "x.traineddata")
    lines = helpers.testdata("tesseract-test", f"{language}.Arial_Unicode_MS.exp0.lstmf")
    paths = []
    for i, page in enumerate(lstmf.load(lines)[:LINES]):
        paths.append(str(tmp_path / f"{i}.png"))
        unclear(page.image, i).save(paths[-1])
    (tmp_path / "list").write_text("\n".join(paths) + "\n")
    done = helpers.run_real(
        "tesseract", tmp_path / "list", "-", "--psm", 13, "-l", "x", "--tessdata-dir", tmp_path
    )
    expected = [text.strip("\n") for text in done.stdout.split("\f")[:LINES]]
    model = lstmjax.load(tmp_path / "x.traineddata")
    assert model.recognize_lines(paths) == expected
    assert model.recognize_lines(paths, dictionary=False) != expected
