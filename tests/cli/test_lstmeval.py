"""`lstmjax lstmeval`: messages, order, exit statuses, and the output of the real tool, by line."""

import os
import re

import helpers
import pytest
from data.documents import page, png, save
from infer.models import tiny_recognizer, tiny_traineddata

from lstmjax.cli import lstmeval, main
from lstmjax.formats import lstm, lstmf, traineddata

OURS = re.compile(r"CER eval=|Skipped \d+ lines:|  +\d+  [a-z ]+: |.*: page \d+: skipped: ")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traineddata.save(tiny_traineddata(), "m.traineddata")
    lstm.save(tiny_recognizer(), "m.lstm")
    pages = [page(text, png(60, 20, i), boxes=2) for i, text in enumerate(("é,", "xé", ",é", ""))]
    save(tmp_path / "a.lstmf", *pages)
    (tmp_path / "list").write_text("a.lstmf\n")
    return tmp_path


def run(capsys, *argv):
    """Status and stderr, as the main program leaves them."""
    try:
        status = main.run(["lstmeval", *map(str, argv)])
    except SystemExit as leaving:
        status = leaving.code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return status, captured.err


def test_a_run_names_what_it_skips_and_ends_with_a_table(folder, capsys):
    status, err = run(capsys, "--model", "m.traineddata", "--eval_listfile", "list")
    assert status == 0
    lines = err.splitlines()
    assert lines[:2] == [
        "Loaded 4/4 lines (1-4) of document a.lstmf",
        "Warning: LSTMTrainer deserialized an LSTMRecognizer!",
    ]
    at = lines.index("Encoding of string failed! Failure bytes: 78 c3 a9")
    assert lines[at + 1] == "Can't encode transcription: 'xé' in language ''"
    assert lines[at + 2].startswith("a.lstmf: page 1: skipped: 'x' U+0078 LATIN SMALL LETTER X")
    assert "Empty truth string!" in lines
    assert any(line.startswith("a.lstmf: page 3: skipped: empty text. ") for line in lines)
    end = next(i for i, line in enumerate(lines) if line.startswith("BCER eval="))
    assert re.fullmatch(r"BCER eval=\d+\.\d{6}, BWER eval=\d+\.\d{6}", lines[end])
    pattern = r"CER eval=\d+\.\d{6}, WER eval=\d+\.\d{6}, lines=2, skipped=2"
    assert re.fullmatch(pattern, lines[end + 1])
    assert lines[end + 2] == "Skipped 2 lines:"
    assert lines[end + 3].startswith("       1  unencodable: The text has characters outside")
    assert lines[end + 4].startswith("       1  empty text: There is no text")
    assert len(lines) == end + 5


def test_verbosity_decides_what_is_shown(folder, capsys):
    shown = {}
    for verbosity in range(4):
        _, shown[verbosity] = run(
            capsys, "--model=m.traineddata", "--eval_listfile=list", f"--verbosity={verbosity}"
        )
    counts = {v: (text.count("Truth:"), text.count("Line BCER=")) for v, text in shown.items()}
    assert counts == {0: (0, 0), 1: (4, 0), 2: (4, 4), 3: (4, 4)}
    assert "page 1: skipped" not in shown[0]
    assert "Can't encode transcription: 'xé'" in shown[0]
    assert "Skipped 2 lines:" in shown[0]
    results = {re.search(r"BCER eval=.*\nCER eval=.*", text).group() for text in shown.values()}
    assert len(results) == 1


def test_no_delta_is_computed_when_no_line_is_shown(folder, capsys, monkeypatch):
    def forbidden(*args, **named):
        raise AssertionError

    monkeypatch.setattr("lstmjax.infer.evaluate.line_targets", forbidden)
    arguments = ("--model", "m.traineddata", "--eval_listfile", "list", "--verbosity")
    assert run(capsys, *arguments, "0")[0] == 0
    with pytest.raises(AssertionError):
        run(capsys, *arguments, "1")


def test_a_network_alone_says_so_first(folder, capsys):
    status, err = run(
        capsys, "--model", "m.lstm", "--traineddata", "m.traineddata", "--eval_listfile", "list"
    )
    assert status == 0
    assert err.splitlines()[:3] == [
        "m.lstm is not a recognition model, trying training checkpoint...",
        "Loaded 4/4 lines (1-4) of document a.lstmf",
        "Warning: LSTMTrainer deserialized an LSTMRecognizer!",
    ]


def test_images_with_texts_can_be_evaluated(folder, capsys):
    (folder / "x.png").write_bytes(png(60, 20))
    (folder / "x.gt.txt").write_text("é,")
    (folder / "list").write_text("x.png\nabsent.png\n")
    status, err = run(capsys, "--model", "m.traineddata", "--eval_listfile", "list")
    assert status == 0
    assert "lines=1, skipped=0" in err
    assert "absent.png: skipped: cannot be read" in err
    assert "Loaded" not in err


MODEL, LIST = ("--model", "m.traineddata"), ("--eval_listfile", "list")
FAILURES = {
    "no model": (LIST, "Must provide a --model!"),
    "no list": (MODEL, "Must provide a --eval_listfile!"),
    "argument": ((*MODEL, *LIST, "more"), "what is 'more'?"),
    "flag": ((*MODEL, *LIST, "--verbositi", "1"), "Non-existent flag --verbositi"),
    "value": ((*MODEL, *LIST, "--verbosity", "x"), "Could not parse int from x"),
    "missing model": (("--model", "absent", *LIST), "absent: "),
    "model is a list": (("--model", "list", *LIST), "list: neither a traineddata"),
    "no charset": (("--model", "m.lstm", *LIST), "m.lstm: this is a network alone"),
    "missing charset": (("--model", "m.lstm", "--traineddata", "absent", *LIST), "absent: "),
    "missing list": (
        (*MODEL, "--eval_listfile", "absent"),
        "Failed to load eval data from: absent",
    ),
    "list of nothing": ((*MODEL, "--eval_listfile", "empty"), "the list names no files"),
    "list is an lstmf": ((*MODEL, "--eval_listfile", "a.lstmf"), "this is an lstmf file"),
    "absent documents": ((*MODEL, "--eval_listfile", "gone"), "none of 1 documents can be used"),
    "broken document": ((*MODEL, "--eval_listfile", "broken"), "none of 1 documents can be used"),
    "nothing usable": ((*MODEL, "--eval_listfile", "useless"), "none of the 1 lines can be used"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_wrong_is_said_and_ends_with_1(name, folder, capsys):
    argv, problem = FAILURES[name]
    (folder / "empty").write_text("\n")
    (folder / "gone").write_text("absent.lstmf\n")
    (folder / "bad.lstmf").write_bytes(b"\xff" * 100)
    (folder / "broken").write_text("bad.lstmf\n")
    save(folder / "u.lstmf", page("x", png(60, 20)))
    (folder / "useless").write_text("u.lstmf\n")
    status, err = run(capsys, *argv)
    assert status == 1
    assert problem in err


def test_flags_of_old_tools_are_taken_and_explained(folder, capsys):
    argv = ["--configfile", "x", "-D", "y", "--debug_level", "3", "--load_images=1"]
    assert run(capsys, *argv, *MODEL, *LIST)[0] == 0
    with pytest.raises(SystemExit) as leaving:
        lstmeval.main(["--help"])
    assert leaving.value.code == 0
    out = capsys.readouterr().out
    for name in ("model", "traineddata", "eval_listfile", "max_image_MB", "verbosity"):
        assert f"--{name} " in out
    assert out.count("without effect") == 16


@pytest.mark.reference
def test_flags_and_defaults_are_those_of_the_real_tool_and_of_reports(capsys):
    with pytest.raises(SystemExit):
        lstmeval.main(["--help"])
    shape = re.compile(r"--(\w+) .*\(type:(\w+) default:(.*)\)")
    ours = {m.groups() for m in shape.finditer(capsys.readouterr().out)}
    theirs = {m.groups() for m in shape.finditer(helpers.run_real("lstmeval", "--help").stdout)}
    assert theirs <= ours
    assert {name for name, *_ in ours - theirs} == {
        "report", "compare_model", "compare_traineddata", "train_listfile", "train_lines",
        "worst_lines", "true_rates",
    }  # fmt: skip


def english_int8():
    """Debian's int8 model of English, or a skip."""
    helpers.real_tool("tesseract")
    listed = helpers.run_real("tesseract", "--list-langs").stdout
    found = re.search(r'languages in "(.*?)"', listed)
    folder = os.environ.get("TESSDATA_PREFIX") or (found.group(1) if found else "")
    path = os.path.join(folder, "eng.traineddata")
    if not os.path.exists(path):
        pytest.skip(f"no English model in {folder!r} (Debian: tesseract-ocr-eng)")
    return path


MODELS = {
    "float": lambda: helpers.testdata("tessdata_best", "fra.traineddata"),
    "int8": lambda: helpers.testdata("tessdata_fast", "fra.traineddata"),
    "english int8": english_int8,
}
HARD = ("portable... PROCURANT", "SŒURS XIIe", "#t15186693 !", "[1].", "PREMIER d’histoire")


def without_ours(text, *, first_encodings_only=False):
    """The lines that the original prints; it repeats failures at every visit of a line."""
    lines = [line for line in text.splitlines() if not OURS.match(line)]
    if not first_encodings_only:
        return lines
    failure = re.compile("Encoding of string failed|Can't encode")
    return [a for i, a in enumerate(lines) if not failure.match(a) or a not in lines[:i]]


def both(model, list_path, verbosity):
    flags = ("--model", model, "--eval_listfile", list_path, "--verbosity", verbosity)
    real = helpers.run_real("lstmeval", *flags)
    ours = helpers.run_lstmjax("lstmeval", *flags)
    assert (real.returncode, ours.returncode) == (0, 0), ours.stderr
    assert (real.stdout, ours.stdout) == ("", "")
    return real.stderr, ours.stderr


@pytest.mark.reference
@pytest.mark.parametrize("name", MODELS)
def test_texts_are_those_of_the_real_tool(name, tmp_path):
    folder = helpers.testdata("tesseract-test")
    french = lstmf.load(folder / "fra.Arial_Unicode_MS.exp0.lstmf")
    english = lstmf.load(folder / "eng.Arial.exp0.lstmf")
    hard = [each for each in french if each.transcription in HARD]
    lstmf.save((*french[:4], *hard, *english[2:6]), tmp_path / "mixed.lstmf")
    (tmp_path / "list").write_text(f"{tmp_path}/mixed.lstmf\n")
    real, ours = both(MODELS[name](), tmp_path / "list", 3)
    assert real.count("Line BCER=") == 13
    assert without_ours(ours) == without_ours(real, first_encodings_only=True)


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("float", "fra.Arial_Unicode_MS.exp0.lstmf"),
        ("int8", "fra.Arial_Unicode_MS.exp0.lstmf"),
        ("english int8", "eng.Arial.exp0.lstmf"),
        ("english int8", "eng.Arial_Unicode_MS.exp0.lstmf"),
    ],
    ids=["fra float", "fra int8", "eng int8", "eng int8 other font"],
)
def test_whole_files_are_read_as_the_real_tool_reads_them(name, file, tmp_path):
    (tmp_path / "list").write_text(f"{helpers.testdata('tesseract-test', file)}\n")
    real, ours = both(MODELS[name](), tmp_path / "list", 2)
    assert without_ours(ours) == without_ours(real, first_encodings_only=True)


def test_true_rates_can_be_left_out(folder, capsys):
    argv = ["--model", "m.traineddata", "--eval_listfile", "list", "--verbosity", "0"]
    lines = [run(capsys, *argv, *more)[1].splitlines() for more in ((), ("--true_rates=false",))]
    (place,) = [i for i, line in enumerate(lines[0]) if line.startswith("CER eval=")]
    counts = lines[0][place].split(", ", 2)[2]
    assert lines[1] == [*lines[0][:place], counts, *lines[0][place + 1 :]]
    status, err = run(capsys, *argv, "--true_rates=false", "--report", "r.json")
    assert status == 1
    assert "--report shows true error rates; leave out --true_rates=false" in err
