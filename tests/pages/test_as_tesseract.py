import os

import pytest
from pages import page_samples
from PIL import Image, ImageDraw, ImageFont

from lstmjax.errors import UsageError
from lstmjax.pages import as_tesseract
from lstmjax.pages.as_tesseract import Call, parse_call

NEXT = page_samples.NEXT_BOXES
LATIN = b"\xff\xfe 20 15 40 58 0\nab\xc3 5 5 20 20 0\n"
CASES = {
    "two-lines": page_samples.BOXES,
    "carriage-returns": page_samples.BOXES.replace("\n", "\r\n"),
    "tabs": "\t 1 1 2 2 0\na 20 15 40 58 0\n\t 1 1 2 2 0\n\t 1 1 2 2 0\nb 20 15 40 58 0\n",
    "odd-lines": "a b c d e\nx 20 15 22 58 0\ny 20 15 22\nz 90 90 50 95 0\n\n  5 5 20 20 0\nno\n",
    "not-utf8": LATIN.decode("latin1") + "x 20 15 22 58 0\n",
    "half-outside": "a -60 30 60 70 0\n\t 0 0 1 1 0\nb -61 30 60 70 0\n",
    "outside": "a 500 30 600 70 0\n",
    "around": "a -1000 -1000 3000 3000 0\n",
    "flat": "a 50 50 50 70 0\n\t 0 0 1 1 0\nb 50 50 70 70 0\n",
    "floats-and-more": "a 20.5 15 40 58 0\nc 20 15 40 58 0 extra\nd 20 15 40 58\n",
    "tabs-only": "\t 0 0 1 1 0\n",
    "other-page": NEXT,
    "empty": "",
    "missing": None,
}


def both(image: str, base: str, psm: int, capfd) -> None:
    """Check that texts, status and file are those of the real tesseract."""
    done = page_samples.real(image, base, psm)
    path = base + ".lstmf"
    expected = None
    if os.path.exists(path):
        with open(path, "rb") as file:
            expected = file.read()
        os.unlink(path)
    capfd.readouterr()
    status = as_tesseract.main([image, base, "--psm", str(psm), "lstm.train"])
    seen = capfd.readouterr()
    assert (status, seen.out, seen.err) == (done.returncode, done.stdout, done.stderr)
    assert os.path.exists(path) == (expected is not None)
    if expected is not None:
        with open(path, "rb") as file:
            assert file.read() == expected


@pytest.mark.reference
@pytest.mark.parametrize("case", CASES)
def test_box_files(tmp_path, monkeypatch, capfd, case):
    monkeypatch.chdir(tmp_path)
    page_samples.write_page(tmp_path / "x.png")
    boxes = CASES[case]
    if boxes is None:
        os.unlink("x.box")
    else:
        (tmp_path / "x.box").write_bytes(boxes.encode("latin1" if case == "not-utf8" else "utf-8"))
    both("x.png", "x", 13, capfd)


@pytest.mark.reference
@pytest.mark.parametrize("psm", [1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13])
def test_modes(tmp_path, monkeypatch, psm):
    monkeypatch.chdir(tmp_path)
    image = Image.new("L", (150, 80), 255)
    font = ImageFont.load_default(24)
    for y, text in ((10, "Hello World"), (47, "second line")):
        ImageDraw.Draw(image).text((10, y), text, fill=0, font=font)
    page_samples.write_page(tmp_path / "x.png", image=image, dpi=(300, 300))
    page_samples.real("x.png", "x", psm)
    expected = (tmp_path / "x.lstmf").read_bytes()
    as_tesseract.main(["x.png", "x", "--psm", str(psm)])
    assert (tmp_path / "x.lstmf").read_bytes() == expected


@pytest.mark.reference
@pytest.mark.parametrize("second", [NEXT, "", "bad\n"], ids=["whole", "no-boxes", "bad-boxes"])
def test_several_pages(tmp_path, monkeypatch, capfd, second):
    monkeypatch.chdir(tmp_path)
    page = Image.fromarray(page_samples.grey(seed=1))
    boxes = page_samples.BOXES + second + NEXT.replace(" 1\n", " 2\n").replace(" 1 #", " 2 #")
    page_samples.write_page(tmp_path / "x.tif", boxes, save_all=True, append_images=[page, page])
    both("x.tif", "x", 6, capfd)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("image", "base"), [("none.png", "x"), ("x.png", "no/such")], ids=["no-image", "no-folder"]
)
def test_paths_that_lead_nowhere(tmp_path, monkeypatch, capfd, image, base):
    monkeypatch.chdir(tmp_path)
    page_samples.write_page(tmp_path / "x.png")
    both(image, base, 13, capfd)


def test_a_broken_image(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.png").write_bytes(b"broken")
    assert as_tesseract.run(Call("x.png", "x")) == 1
    err = capfd.readouterr().err
    assert err.startswith("Image file x.png cannot be read!\nx.png: not an image")
    assert err.endswith("\nError during processing.\n")


def test_pages_before_a_broken_one_are_kept(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    page_samples.write_page(tmp_path / "x.tif", save_all=True,
                            append_images=[Image.new("L", (40000, 2))])  # fmt: skip
    assert as_tesseract.run(Call("x.tif", "x", 13)) == 1
    assert (tmp_path / "x.lstmf").exists()
    assert "page 2: the image has 40000 x 2 pixels" in capfd.readouterr().err


def test_calls():
    assert parse_call(["i.png", "b", "--psm", "6", "lstm.train"]) == Call("i.png", "b", 6)
    assert parse_call(["--psm", "7", "-l", "eng", "i.png", "b", "lstm.train"]) == Call(
        "i.png", "b", 7
    )
    assert parse_call(["i.png", "b", "lstm.train"]).psm == 3
    assert parse_call(["--list-langs"]) is None
    assert parse_call(["i.png", "b", "--psm", "6"]) is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["i.png", "b", "--psm", "99", "lstm.train"], "Invalid PSM value"),
        (["i.png", "b", "-c", "x=y", "lstm.train"], "-c is not available together with lstm.train"),
        (["i.png", "lstm.train"], "expected IMAGE BASE"),
        (["i.png", "b", "lstm.train", "makebox"], "expected IMAGE BASE"),
    ],
    ids=["psm", "variable", "one-path", "two-configs"],
)
def test_calls_that_cannot_be_honoured(argv, message, capfd):
    with pytest.raises(UsageError, match=message):
        parse_call(argv)
    assert as_tesseract.main(argv) == 1
    assert message in capfd.readouterr().err
