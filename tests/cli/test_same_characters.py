"""A network and a character set are put together only if they belong together."""

import jax
import pytest
from helpers import run_real
from training.small import EXAMPLES, flags
from training.starts import DEMO, exchanged_rows

import lstmjax
from lstmjax.charset.identity import charset_path
from lstmjax.cli import main
from lstmjax.errors import CharsetError, LstmjaxError
from lstmjax.formats import traineddata, unicharset
from lstmjax.pipeline.starter import StarterRequest, make_starter

ROW = "another character set: row 10 is ',' (U+002C, code 8) in "
OTHER = "but 'd' (U+0064, code 8) in "
_VERY_QUIET = {"lstmeval": ("--verbosity", "0")}
UNKNOWN = "there is no record of the characters it was trained with; only their number"


def run(*arguments, capsys=None):
    """Run a command in this process; its exit status and its output."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        status = main.run([str(argument) for argument in arguments])
    return status, capsys.readouterr().err if capsys else ""


@pytest.fixture(scope="module", autouse=True)
def _one_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSTMJAX_NO_REEXEC", "1")
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a run of a few lines, and the demo's set with two characters exchanged."""
    folder = tmp_path_factory.mktemp("trained")
    assert run(*flags(folder / "m", iterations=4))[0] == 0
    return folder, exchanged_rows(folder)


def commands(folder, charsets, *extra, network="m_checkpoint"):
    """Command by name, each with a network of the run and some traineddata."""
    network = folder / network
    resume = flags(folder / "m", *extra, iterations=8)
    resume[resume.index("--traineddata") + 1] = charsets
    return {
        "resume": resume,
        "stop_training": [
            "lstmtraining", "--stop_training", "--continue_from", network,
            "--traineddata", charsets, "--model_output", folder / "made.traineddata",
        ],
        "continue_from": [
            *flags(folder / "n", "--continue_from", network), "--traineddata", charsets,
        ],
        "lstmeval": [
            "lstmeval", "--model", network, "--traineddata", charsets,
            "--eval_listfile", EXAMPLES / "eval.list",
        ],
        "compare_model": [
            "lstmeval", "--model", network, "--traineddata", DEMO, "--compare_model", network,
            "--compare_traineddata", charsets, "--eval_listfile", EXAMPLES / "eval.list",
        ],
        "lstmbox": [
            "lstmbox", "--model", network, "--traineddata", charsets, "--output_dir",
            folder / "boxes", EXAMPLES / "samples" / "sample-1.png",
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["resume", "stop_training", "continue_from", "lstmeval", "compare_model", "lstmbox"]
)
@pytest.mark.parametrize("network", ["m_checkpoint", "m"], ids=["file", "run"])
def test_exchanged_characters_are_refused(trained, capsys, name, network):
    folder, other = trained
    before = {path: path.stat().st_mtime_ns for path in folder.glob("m_*")}
    status, said = run(*commands(folder, other, network=network)[name], capsys=capsys)
    assert status == 1
    assert f"{ROW}{folder / 'm'}" in said
    assert f"{OTHER}{other}" in said
    assert "Use the traineddata" in said or "as --old_traineddata" in said
    assert before == {path: path.stat().st_mtime_ns for path in folder.glob("m_*")}
    assert not (folder / "made.traineddata").exists()


def test_recipe_tesseract_refuses_them_too(tmp_path, capsys):
    recipe = ("--recipe", "tesseract")
    assert run(*flags(tmp_path / "m", *recipe, iterations=4))[0] == 0
    command = commands(tmp_path, exchanged_rows(tmp_path), *recipe)["resume"]
    status, said = run(*command, capsys=capsys)
    assert status == 1
    assert f"{ROW}{tmp_path / 'm.charset'}" in said


def test_python_refuses_them_too(trained):
    folder, other = trained
    network = folder / "m_checkpoint"
    with pytest.raises(CharsetError, match="row 10"):
        lstmjax.load(network, other)
    with pytest.raises(CharsetError, match="row 10"):
        lstmjax.evaluate(network, EXAMPLES / "eval.list", traineddata=other)
    with pytest.raises(CharsetError, match="row 10"):
        lstmjax.write_model(network, folder / "made.traineddata", traineddata=other)


def test_its_own_characters_are_taken_without_a_word(trained, capsys):
    folder, _ = trained
    for name in ("stop_training", "lstmeval", "lstmbox"):
        command = commands(folder, DEMO)[name]
        status, said = run(*command, *_VERY_QUIET.get(name, ()), capsys=capsys)
        assert status == 0
        assert "there is no record" not in said
    (folder / "made.traineddata").unlink()


def test_what_is_not_known_is_said_in_a_line(trained, tmp_path, capsys):
    folder, other = trained
    lone = tmp_path / "m_checkpoint"  # moved away from its characters
    lone.write_bytes((folder / "m_checkpoint").read_bytes())
    for name in ("stop_training", "lstmeval"):
        command = commands(tmp_path, other)[name]
        status, said = run(*command, *_VERY_QUIET.get(name, ()), capsys=capsys)
        assert status == 0
        (line,) = [line for line in said.splitlines() if UNKNOWN in line]
        assert line == f"{lone}: {UNKNOWN} could be compared with {other}"


@pytest.mark.reference
def test_a_run_of_the_real_tool_is_taken_up_and_then_known(tmp_path, capsys):
    real = run_real("lstmtraining", *flags(tmp_path / "m", iterations=4)[1:], cwd=EXAMPLES)
    assert real.returncode == 0, real.stderr
    status, said = run(*flags(tmp_path / "m", iterations=8), capsys=capsys)
    assert status == 0
    assert said.count(UNKNOWN) == 1
    status, said = run(*commands(tmp_path, exchanged_rows(tmp_path))["resume"], capsys=capsys)
    assert status == 1
    assert ROW in said


def test_one_more_line_that_reorders_the_characters_is_refused(tmp_path, capsys):
    """The other set has the same size, so only a comparison of the rows finds the difference."""
    sets = []
    for name, text in (("a", "abc dé\n"), ("b", "édc\nabc dé\n")):
        path = tmp_path / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        made = make_starter(StarterRequest((str(path),), name, "eng"), tmp_path / name, _quiet)
        sets.append(made.traineddata)
    tables = [
        unicharset.unpack(traineddata.load(path).components["lstm-unicharset"]) for path in sets
    ]
    texts = [[row.unichar for row in table.rows] for table in tables]
    assert sorted(texts[0]) == sorted(texts[1])
    assert texts[0] != texts[1]
    lines = flags(tmp_path / "m", iterations=2, train_list=_lines(tmp_path))
    place = lines.index("--traineddata") + 1
    lines[place] = sets[0]
    assert run(*lines)[0] == 0
    lines[place] = sets[1]
    status, said = run(*lines, capsys=capsys)
    assert status == 1
    first = next(i for i, pair in enumerate(zip(*texts, strict=True)) if pair[0] != pair[1])
    assert f"row {first} is {texts[0][first]!r} (U+" in said
    assert f"but {texts[1][first]!r} (U+" in said


def _quiet(text):
    del text


def _lines(folder):
    from pipeline.pipeline_samples import write_image

    path = write_image(folder / "line.png", "abc d")
    names = folder / "list"
    names.write_text(f"{path}\n")
    return names


def test_a_damaged_record_is_named(trained, tmp_path):
    folder, _ = trained
    lone = tmp_path / "m_checkpoint"
    lone.write_bytes((folder / "m_checkpoint").read_bytes())
    record = tmp_path / "m.charset"
    record.write_bytes((folder / "m.charset").read_bytes().replace(b'"d"', b'"e"'))
    assert str(record) == charset_path(str(tmp_path / "m"))
    with pytest.raises(LstmjaxError, match=r"m\.charset: damaged: .*; move it away to go on"):
        lstmjax.load(lone, DEMO)
