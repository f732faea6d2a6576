import pytest
from pages import page_samples
from PIL import Image

from lstmjax.errors import DataError
from lstmjax.pages import Settings, real_tesseract

BOXES = "WordStr 10 45 140 70 0 #a b \n\t 141 45 145 70 0\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Stand in for tesseract: a script that writes boxes or fails."""

    def install(body: str) -> None:
        path = tmp_path / "tesseract"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    return install


def test_lines_are_found(tmp_path, program):
    program(f"printf '%s' '{BOXES}' > $2.box; echo \"$@\" > {tmp_path}/said")
    Image.fromarray(page_samples.grey()).save(tmp_path / "x.png")
    image = str(tmp_path / "x.png")
    (line,) = real_tesseract.find_lines(image, "m/eng.traineddata", 6, Settings())
    assert line.rect == (6, 41, 144, 74)
    said = (tmp_path / "said").read_text()
    assert "-l eng --psm 6 -c tessedit_create_wordstrbox=1" in said
    assert real_tesseract.box_text(image, "eng.traineddata", 3, wordstr=False) == BOXES


@pytest.mark.parametrize(
    ("body", "model", "message"),
    [
        ("echo first >&2; echo last words >&2; exit 1", "m.traineddata", "failed: last words"),
        ("true", "m.traineddata", "tesseract failed: no reason"),
        ("true", "m_checkpoint", "needs a .traineddata as --model"),
    ],
    ids=["status", "no-file", "checkpoint"],
)
def test_failures_are_named(program, body, model, message):
    program(body)
    with pytest.raises(DataError, match=f"x.png: .*{message}"):
        real_tesseract.box_text("x.png", model, 6, wordstr=False)


def test_without_tesseract(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="tesseract is not installed to find them; describe them"):
        real_tesseract.box_text("x.png", "m.traineddata", 6, wordstr=False)


def test_a_hanging_program_is_given_up(program, monkeypatch):
    program("sleep 5")
    monkeypatch.setattr(real_tesseract, "_SECONDS", 0.1)
    with pytest.raises(DataError, match=r"took more than 0\.1 s"):
        real_tesseract.box_text("x.png", "m.traineddata", 6, wordstr=False)
