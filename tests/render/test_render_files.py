"""Files of pages, shuffled n-grams, spacing."""

import pytest
from render.render_samples import SANS, sans

from lstmjax.errors import DataError
from lstmjax.formats import box
from lstmjax.render import Degradation, FontCatalog, Settings
from lstmjax.render.files import Job, bases_for, read_text, run_job
from lstmjax.render.mersenne import shuffled
from lstmjax.render.ngrams import spread
from lstmjax.render.pages import PageRenderer
from lstmjax.render.spacing import measure, show

GRAMS = "a bb ccc dddd e f g h i j k l m n o p q r s t u v w x y z"
SHUFFLED = "m t n ccc s u g y e i q w p f k dddd x v bb l o a j r h z"
"""As the original orders them."""


def test_shuffle_is_that_of_the_original():
    assert shuffled(GRAMS.split(), 0x18273645) == SHUFFLED.split()


def test_ngrams_are_spread_over_lines():
    assert spread(GRAMS, shuffle=True, point_size=12).split() == SHUFFLED.split()
    assert "    " in spread("a b", shuffle=True, point_size=12)
    lines = spread("word " * 60, shuffle=False, point_size=32).split("\n")
    assert len(lines) > 5
    assert all(len(line) < 60 for line in lines)


def test_spacing_of_bigrams():
    renderer = PageRenderer(sans(50.0), Settings(degradation=Degradation(degrade=False)))
    found = measure("AV ab cd ab", renderer)
    text = show(found)
    assert text.splitlines()[0] == str(len(found)) == "6"
    assert found["A"].pairs
    assert found["A"].pairs["V"] < 0
    assert text.endswith("\n")
    assert "b 4 3 0\n" in text


BAD_TEXTS = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n", "empty"),
    "not UTF-8": (b"abc\xff", "0x3 .0xff. is not UTF-8"),
    "zero byte": (b"abc\0d", "is zero"),
}


@pytest.mark.parametrize(("data", "message"), BAD_TEXTS.values(), ids=list(BAD_TEXTS))
def test_bad_texts_are_refused(tmp_path, data, message):
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_text(path)


def test_byte_order_mark_is_removed(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffabc".encode())
    assert read_text(path) == "abc"


def test_job_writes_all_or_nothing(tmp_path):
    catalog = FontCatalog([SANS.parent])
    font = catalog.find("DejaVu Sans")
    assert font is not None
    options = Settings(400, 260, margin=20)
    job = Job("Hello \U0001f9ff world", font, str(tmp_path / "out"), options)
    outcome = run_job(job, catalog)
    assert (outcome.pages, outcome.words_left_out) == (1, 1)
    assert outcome.messages[0] == "Stripped 1 unrenderable word(s): '\U0001f9ff '"
    loaded = box.load(tmp_path / "out.box")
    assert not loaded.problems
    assert "".join(b.text for b in loaded.boxes).split() == ["Hello", "world"]
    nothing = Job("\U0001f9ff", font, str(tmp_path / "none"), options)
    with pytest.raises(DataError, match="can show none of the text"):
        run_job(nothing, catalog)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.box", "out.tif"]
    assert bases_for("x", [font]) == ["x.DejaVu_Sans"]
    with pytest.raises(DataError, match="two fonts"):
        bases_for("x", [font, font])
