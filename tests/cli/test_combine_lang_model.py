import helpers
import pytest

from lstmjax.cli import combine_lang_model
from lstmjax.cli.main import run
from lstmjax.errors import LstmjaxError, UsageError


def arguments(tmp_path, **flags):
    given = {
        "input_unicharset": helpers.testdata("langdata/eng/eng.unicharset"),
        "script_dir": helpers.testdata("langdata"),
        "output_dir": tmp_path,
        "lang": "x",
        **flags,
    }
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


@pytest.mark.reference
@pytest.mark.parametrize("lists", [False, True], ids=["plain", "with lists"])
def test_texts_are_those_of_the_real_tool(tmp_path, lists, capfdbinary):
    flags = {"version_str": "v1"}
    if lists:
        files = {"puncs": "punc", "numbers": "numbers", "words": "missing"}
        for name, suffix in files.items():
            flags[name] = f"{helpers.testdata('langdata/eng')}/eng.{suffix}"
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    real = helpers.run_real("combine_lang_model", *arguments(tmp_path / "real", **flags))
    assert combine_lang_model.main(arguments(tmp_path / "ours", **flags)) == real.returncode == 0
    captured = capfdbinary.readouterr()
    assert captured.err.decode() == real.stderr
    assert captured.out.decode() == real.stdout == ""
    names = [sorted(p.name for p in (tmp_path / who / "x").iterdir()) for who in ("real", "ours")]
    assert names[0] == names[1]


def test_failures_exit_with_1_and_leave_nothing(tmp_path, capfd):
    text = "5\nNULL 0 NULL 0\n" + "".join(
        f"{pair} 0 0,255,0,255,0,0,0,0,0,0 NULL {i} 0 {i} {pair}\n"
        for i, pair in enumerate(["aא", "bב", "cג", "dד"], 1)
    )
    (tmp_path / "u").write_text(text)
    status = run(["combine_lang_model", *arguments(tmp_path, input_unicharset=tmp_path / "u")])
    said = capfd.readouterr().err
    assert status == 1
    assert (
        "\nNull char=5\nCreation of encoded unicharset failed!!\nError writing recoder!!\n" in said
    )
    assert "Unichar 3=cג (U+0063 U+05D2) brings code 7" in said
    assert [path.name for path in tmp_path.iterdir()] == ["u"]


def test_missing_output_folder(tmp_path, capfd):
    with pytest.raises(LstmjaxError, match="nowhere: no such folder"):
        combine_lang_model.main(arguments(tmp_path / "nowhere"))
    assert capfd.readouterr().err == "Error writing unicharset!!\n"


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"lang": None}, "--lang is missing"),
        ({"output_dir": None}, "--output_dir is missing"),
        ({"input_unicharset": None}, "--input_unicharset is missing"),
        ({"script_dir": None}, "--script_dir is missing"),
        ({"lang": "../x"}, "--lang ../x: expected a plain name"),
        ({"lang": ".."}, "expected a plain name"),
    ],
)
def test_bad_flags(tmp_path, flags, problem):
    with pytest.raises(UsageError, match=problem):
        combine_lang_model.main(arguments(tmp_path, **flags))
    with pytest.raises(UsageError, match="what is 'x'"):
        combine_lang_model.main([*arguments(tmp_path), "x"])


@pytest.mark.reference
def test_the_real_trainer_takes_a_starter(tmp_path):
    data = helpers.testdata("langdata/eng")
    lists = {"puncs": data / "eng.punc", "numbers": data / "eng.numbers"}
    assert run(["combine_lang_model", *arguments(tmp_path, **lists)]) == 0
    lines = helpers.testdata("tesseract-test/eng.Arial.exp0.lstmf")
    (tmp_path / "list").write_text(f"{lines}\n")
    trained = helpers.run_real(
        "lstmtraining", "--traineddata", tmp_path / "x/x.traineddata", "--net_spec",
        "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys16 Lfx16 O1c111]", "--model_output", tmp_path / "m",
        "--train_listfile", tmp_path / "list", "--max_iterations", 3,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    assert "Finished!" in trained.stderr
    assert (tmp_path / "m_checkpoint").exists()
