import helpers
import pytest
from infer.models import tiny_traineddata
from pages import page_samples
from PIL import Image, ImageDraw, ImageFont

from lstmjax.cli import lstmbox as tool
from lstmjax.errors import UsageError
from lstmjax.formats import box, traineddata

XML = """<PcGts><Page imageFilename="x.png"><TextLine id="l"><Coords
points="10,10 139,10 139,35 10,35"/></TextLine></Page></PcGts>"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.traineddata"
    traineddata.save(tiny_traineddata(), path)
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page_samples.write_line(tmp_path / "a.png", width=70, seed=1)
    page_samples.write_line(tmp_path / "b.png", width=70, seed=2)
    return tmp_path


def run(capsys, *argv: object) -> tuple[int, str]:
    status = tool.main([str(arg) for arg in argv])
    return status, capsys.readouterr().err


def texts(path: str) -> list[str]:
    found = box.load(path)
    assert found.problems == ()
    return [line.text.strip() for line in box.text_lines(found.boxes)]


def test_the_three_forms_have_one_text(capsys, model):
    forms = {"lines": [], "words": ["--wordstr"], "chars": ["--char_boxes"]}
    for name, flags in forms.items():
        status, err = run(capsys, "--model", model, "--output_dir", name, *flags, "a.png", "b.png")
        assert (status, err) == (0, "Wrote 2 lines to 2 box files\n")
    assert texts("lines/a.box") == texts("words/a.box") == texts("chars/a.box")
    assert len({box.load(f"{name}/a.box").boxes for name in forms}) == 3


def test_box_files_are_not_replaced_unasked(capsys, model, folder):
    (folder / "a.box").write_text("old")
    status, err = run(capsys, "--model", model, "a.png", "b.png")
    assert status == 1
    assert "a.png: a.box exists; --overwrite replaces it" in err
    assert err.endswith("Wrote 1 lines to 1 box files; 1 of 2 inputs failed\n")
    assert (folder / "a.box").read_text() == "old"
    assert run(capsys, "--model", model, "--overwrite", "a.png")[0] == 0
    assert texts("a.box")


def test_lines_of_pages(capsys, model, folder):
    page_samples.write_page(folder / "x.png")
    (folder / "x.xml").write_text(XML)
    assert run(capsys, "--model", model, "--output_dir=o", "--wordstr", "x.png")[0] == 0
    assert box.load("o/x.box").boxes[0].top == 70
    args = ["--output_dir=p", "--source=box", "--wordstr", "x.png"]
    assert run(capsys, "--model", model, *args)[0] == 0
    assert [(one.left, one.right) for one in box.load("p/x.box").boxes[::2]] == [
        (10, 140), (10, 130),
    ]  # fmt: skip


def test_what_cannot_be_read_is_named(capsys, model, folder):
    page_samples.write_line(folder / "c.png", width=1)
    (folder / "d.png").write_bytes(b"x")
    status, err = run(capsys, "--model", model, "a.png", "c.png", "d.png", "e.png")
    assert status == 1
    assert "e.png: there is no such file" in err
    assert "d.png: not an image" in err
    assert "c.png: page 1, line 1: too small to be read: 1 x 20 pixels" in err
    assert "c.png: no line of it can be used" in err
    assert err.endswith("Wrote 1 lines to 1 box files; 3 of 4 inputs failed\n")


def test_pages_need_tesseract(capsys, model, monkeypatch):
    monkeypatch.setenv("PATH", "")
    status, err = run(capsys, "--model", model, "--psm=3", "a.png")
    assert status == 1
    assert "tesseract is not installed to find them" in err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a.png"], "--model is missing"),
        (["--model=m"], "name images, XML files"),
        (["--model=m", "--wordstr", "--char_boxes", "a.png"], "name one"),
        (["--model=m", "--psm=5", "a.png"], "--psm is 5, expected one of 1, 3, 4, 6"),
        (["--model=m", "--source=gt", "a.png"], "--source is 'gt', expected auto, xml"),
        (["--model=m", "a.png", "--wordstr"], "--wordstr comes after a path"),
    ],
    ids=["model", "paths", "forms", "psm", "source", "order"],
)
def test_bad_usage(argv, message):
    with pytest.raises(UsageError, match=message):
        tool.main(argv)


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstmbox", "wordstrbox"])
def test_files_are_those_of_the_original(capsys, kind):
    model = helpers.testdata("tessdata_fast", "fra.traineddata")
    text = "Le petit bateau quitta le port"
    image = Image.new("L", (420, 50), 255)
    font = ImageFont.load_default(28)
    ImageDraw.Draw(image).text((10, 6), text, fill=0, font=font)
    image.save("line.png")
    helpers.run_real(
        "tesseract", "line.png", "real", "--tessdata-dir", model.parent, "-l", "fra",
        "--psm", 13, "-c", f"tessedit_create_{kind}=1",
    )  # fmt: skip
    form = ["--wordstr"] if kind == "wordstrbox" else []
    assert run(capsys, "--model", model, *form, "line.png")[0] == 0
    with open("real.box") as real, open("line.box") as ours:
        assert ours.read() == real.read()
