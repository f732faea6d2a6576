import json

import helpers
import numpy as np
import pytest
from formats.format_samples import UNICHARSET

from lstmjax.cli import check_text
from lstmjax.errors import FormatError, UsageError
from lstmjax.formats import lstmf, recoder, traineddata
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.lstmf import Page
from lstmjax.formats.recoder import Recoder
from lstmjax.formats.traineddata import TrainedData

TEXTS = [row.unichar for row in unicharset_format.unpack(UNICHARSET).rows]
LETTERS = [text for text in TEXTS[3:] if len(text) == 1]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").write_bytes(UNICHARSET)
    (tmp_path / "good.txt").write_text("".join(LETTERS) + "\n\n")
    (tmp_path / "bad.gt.txt").write_bytes("\ufeff漢\r\nmore\n".encode())
    return tmp_path


def run(capsys, *argv: str) -> tuple[int, str]:
    return check_text.main(["--charset", "set", *argv]), capsys.readouterr().out


def test_good_text(capsys):
    status, out = run(capsys, "--min_count", "0", "good.txt")
    assert status == 0
    assert out.startswith(f"1 lines, character set set with {len(TEXTS)} unichars\n")
    assert "dropped" not in out


def test_a_line_that_would_be_dropped(capsys):
    status, out = run(capsys, "bad.gt.txt", "good.txt")
    assert status == 1
    assert "Lines that would be dropped: 1\n  bad.gt.txt:1: '漢': character not in the uni" in out
    assert "U+6F22 CJK UNIFIED IDEOGRAPH-6F22" in out
    assert "bad.gt.txt: only the first line is used in training" in out


def test_json(capsys):
    status, out = run(capsys, "--json", "bad.gt.txt")
    report = json.loads(out)
    assert status == 1
    assert report["dropped"] == [{
        "line": {"file": "bad.gt.txt", "number": 1, "text": "漢"},
        "reason": "character not in the unicharset", "characters": ["漢"], "mended_by": None,
    }]  # fmt: skip
    assert report["missing"][0] == {"character": "漢", "count": 1, "lines": 1, "replacement": None}
    assert report["unused"] == TEXTS[3:]


def test_every_kind_of_file(capsys, folder):
    (folder / "x.box").write_text("漢 1 2 3 4 0\n\t 1 2 3 4 0\nbad\nWordStr 1 2 3 4 0 #字 \n")
    image = np.zeros((1, 4), np.int16)
    lstmf.save((Page("", 0, b"png", "", "語", image, ("語",), False),), "x.lstmf")
    _, out = run(capsys, "--json", "x.box", "x.lstmf", "bad.gt.txt")
    report = json.loads(out)
    texts = [one["line"]["text"] for one in report["dropped"]]
    assert texts == ["漢", "字 ", "語", "漢"]
    assert report["problems"][0].startswith("x.box: line 3: expected a label")
    assert [line["text"] for line in report["blanks_at_ends"]] == ["字 "]


def test_characters_that_are_no_utf_8(capsys, folder):
    (folder / "x.txt").write_bytes(b"\xff\n")
    _, out = run(capsys, "x.txt")
    assert "byte 0xff, not valid UTF-8" in out


def test_a_starter_works_like_its_unicharset(capsys, folder):
    codes = Recoder(tuple((i,) for i in range(len(TEXTS))))
    parts = {"lstm-unicharset": UNICHARSET, "lstm-recoder": recoder.pack(codes)}
    traineddata.save(TrainedData(parts), "x.traineddata")
    expected = run(capsys, "--json", "good.txt", "bad.gt.txt")
    check_text.main(["--charset", "x.traineddata", "--json", "good.txt", "bad.gt.txt"])
    assert capsys.readouterr().out == expected[1]


@pytest.mark.parametrize("argv", [["good.txt"], ["--charset", "set"]], ids=["no-set", "no-file"])
def test_what_is_needed(argv):
    with pytest.raises(UsageError, match="Usage: lstmjax check_text"):
        check_text.main(argv)


@pytest.mark.parametrize(
    ("charset", "file"), [("absent", "good.txt"), ("set", "absent.txt"), ("good.txt", "good.txt")]
)
def test_files_that_cannot_be_used_are_named(charset, file):
    name = charset if charset != "set" else file
    with pytest.raises(FormatError, match=name):
        check_text.main(["--charset", charset, file])


def test_the_own_lines_of_a_model_are_all_kept(capsys):
    unicharset = helpers.testdata("tesseract-test", "eng.unicharset")
    lines = helpers.testdata("tesseract-test", "eng.Arial.exp0.lstmf")
    assert check_text.main(["--charset", str(unicharset), str(lines)]) == 0
