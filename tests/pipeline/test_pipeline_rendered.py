"""Texts rendered in fonts become documents of lines, as tesstrain.sh makes them."""

from pathlib import Path

import helpers
import matplotlib
import pytest

from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.errors import DataError
from lstmjax.formats import lstmf
from lstmjax.pipeline.languages import language_settings
from lstmjax.pipeline.plan import Plan, Rendering
from lstmjax.pipeline.rendered import file_name, rendered_lines
from lstmjax.pipeline.state import State
from lstmjax.pipeline.tesstrain import run

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
TEXT = [f"line {i} says {word}" for i, word in enumerate(["apples", "pears", "plums", "figs"] * 5)]


def plan(tmp_path, *fonts: str, data_only: bool = False, text: str | None = None, **changes):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(TEXT) + "\n" if text is None else text, encoding="utf-8")
    rendering = Rendering(str(path), fonts, fonts_dir=str(FONTS), **changes)
    (tmp_path / "out").mkdir(exist_ok=True)
    return Plan(
        "eng", str(tmp_path / "out"), rendering=rendering, ratio_train=0.8, data_only=data_only,
        overwrite=True,
    )  # fmt: skip


def lines(asked: Plan) -> tuple[dict, list[str]]:
    said: list[str] = []
    return rendered_lines(asked, State.load(asked.output_dir), said.append), said


def texts(path: str) -> list[str]:
    return sorted(line.text for line in build_index(read_list(path)))


def test_line_data_is_what_tesstrain_sh_makes(tmp_path):
    said: list[str] = []
    asked = plan(tmp_path, "DejaVu Sans", "DejaVu Serif Bold", data_only=True, keep_pages=True)
    run(asked, said.append)
    out = tmp_path / "out"
    names = [f"eng.{font}.exp0" for font in ("DejaVu_Sans", "DejaVu_Serif_Bold")]
    listed = (out / "eng.training_files.txt").read_text()
    assert listed.split("\n") == [str(out / f"{name}.lstmf") for name in names]
    for name in names:
        assert sorted(page.transcription for page in lstmf.load(out / f"{name}.lstmf")) == sorted(
            TEXT
        )
        assert (out / f"{name}.tif").exists()
        assert (out / f"{name}.box").exists()
    assert (out / "eng" / "eng.traineddata").exists()
    assert said[-2] == f"{out}/eng/eng.traineddata\n{out}/list.train" or "Created" in said[-2]


def test_no_evaluation_line_has_the_text_of_a_training_line(tmp_path):
    notes, _ = lines(plan(tmp_path, "DejaVu Sans", eval_fonts=("DejaVu Serif",)))
    train, evaluation = texts(notes["train"]), texts(notes["eval"])
    assert (len(train), len(evaluation)) == (16, 4)
    assert sorted(train + evaluation) == sorted(TEXT)
    assert "DejaVu_Serif" in Path(notes["eval"]).read_text()
    assert not list((tmp_path / "out" / "pages").glob("*.tif"))


def test_equal_lines_of_a_text_stay_together(tmp_path):
    text = "one and the same\n" * 9 + "".join(f"another {i}\n" for i in range(9))
    notes, _ = lines(plan(tmp_path, "DejaVu Sans", text=text))
    assert not {*texts(notes["train"])} & {*texts(notes["eval"])}


def test_only_what_has_changed_is_drawn_again(tmp_path):
    lines(plan(tmp_path, "DejaVu Sans"))
    _, said = lines(plan(tmp_path, "DejaVu Sans", "DejaVu Sans Bold"))
    assert [text for text in said if not text.endswith("nothing has changed")] == [
        "== draw eng.DejaVu_Sans_Bold.exp0.train", "== draw eng.DejaVu_Sans_Bold.exp0.eval",
        "== lists",
    ]  # fmt: skip


def test_exposures_are_documents_of_their_own(tmp_path):
    notes, _ = lines(plan(tmp_path, "DejaVu Sans", exposures=(-1, 1), data_only=True))
    assert notes["counts"]["train"] == 2 * len(TEXT)
    first, second = read_list(notes["train"])
    assert (Path(first).name, Path(second).name) == (
        "eng.DejaVu_Sans.exp-1.lstmf", "eng.DejaVu_Sans.exp1.lstmf",
    )  # fmt: skip
    assert lstmf.load(first)[0].image != lstmf.load(second)[0].image


def test_an_unknown_font_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(DataError, match=r"no font 'DejaVu Sanz' .*did you mean 'DejaVu Sans"):
        lines(plan(tmp_path, "DejaVu Sanz"))


def test_words_the_font_cannot_show_are_named(tmp_path):
    notes, _ = lines(plan(tmp_path, "DejaVu Sans", text="plain\nmixed 漢字 line\n", data_only=True))
    assert notes["problems"] == [["DejaVu Sans", "cannot show 1 words, such as '漢字'"]]
    assert texts(notes["train"]) == ["mixed line", "plain"]


@pytest.mark.parametrize("text", ["", "\n \n"], ids=["empty", "blank"])
def test_an_empty_text_is_refused(tmp_path, text):
    with pytest.raises(DataError, match=r"text\.txt: there is no text in it"):
        lines(plan(tmp_path, "DejaVu Sans", text=text, data_only=True))


def test_names_of_files_are_tesstrains():
    assert file_name("Times New Roman, Bold") == "Times_New_Roman_Bold"


@pytest.mark.parametrize(
    ("lang", "norm_mode", "rtl", "leading", "spacing"),
    [
        ("eng", 1, False, 32, 0.0), ("hin", 2, False, 32, 0.0), ("tam", 2, False, 32, 0.5),
        ("ara", 2, True, 32, 0.0), ("tha", 2, False, 48, 0.0), ("xyz", 1, False, 32, 0.0),
    ],
    ids=["eng", "hin", "tam", "ara", "tha", "unknown"],
)  # fmt: skip
def test_languages_have_their_settings(lang, norm_mode, rtl, leading, spacing):
    settings = language_settings(lang)
    assert (settings.norm_mode, settings.rtl) == (norm_mode, rtl)
    assert settings.pass_through == (norm_mode == 2)
    assert (settings.leading, settings.char_spacing) == (leading, spacing)
    assert language_settings("grc").exposures == (-3, -2, -1, 0, 1, 2, 3)


@pytest.mark.reference
def test_lines_are_those_of_the_real_tools(tmp_path):
    notes, _ = lines(plan(tmp_path, "DejaVu Sans", data_only=True))
    real = tmp_path / "real"
    real.mkdir()
    helpers.run_real(
        "text2image", "--fonts_dir", FONTS, "--fontconfig_tmpdir", real, "--font", "DejaVu Sans",
        "--strip_unrenderable_words", "--leading", "32", "--outputbase", real / "page", "--text",
        tmp_path / "text.txt", "--ptsize", "12",
    )  # fmt: skip
    done = helpers.run_real("tesseract", "page.tif", "page", "--psm", "6", "lstm.train", cwd=real)
    if "Error opening data file" in done.stderr:
        pytest.skip("the real tesseract has no language data")
    (ours,) = read_list(notes["train"])
    theirs = {page.transcription: page for page in lstmf.load(real / "page.lstmf")}
    pages = lstmf.load(ours)
    assert {page.transcription for page in pages} == theirs.keys()
    same = [page.image == theirs[page.transcription].image for page in pages]
    assert sum(same) >= 0.9 * len(same)
