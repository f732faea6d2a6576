import helpers
import pytest
from absl import flags

from lstmjax.cli.flags import LEGACY, parse


def define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("model", "", "Name of model file", flag_values=values)
    flags.DEFINE_integer("steps", 3, "How many", flag_values=values)
    flags.DEFINE_float("rate", 1e-6, "How fast", flag_values=values)
    flags.DEFINE_boolean("loud", False, "Say more", flag_values=values)
    flags.DEFINE_integer("count", 0, "A number", flag_values=values, lower_bound=0)


DEFAULTS = {"model": "", "steps": 3, "rate": 1e-6, "loud": False, "count": 0}


@pytest.mark.parametrize(
    ("line", "changed", "positional"),
    [
        ("--steps 5", {"steps": 5}, []),
        ("-steps=5", {"steps": 5}, []),
        ("--steps -5", {"steps": -5}, []),
        ("--model=a=b", {"model": "a=b"}, []),
        ("--model= --steps 1", {"model": "", "steps": 1}, []),
        ("--model --loud", {"model": "--loud"}, []),
        ("--rate 1e-3", {"rate": 0.001}, []),
        ("--loud", {"loud": True}, []),
        ("--loud false", {"loud": True}, ["false"]),
        ("--loud=true", {"loud": True}, []),
        ("--loud=1", {"loud": True}, []),
        ("--loud --loud=0", {"loud": False}, []),
        ("--loud --loud=false", {"loud": False}, []),
        ("--steps 1 --steps 2", {"steps": 2}, []),
        ("--steps 1 file --loud", {"steps": 1}, ["file", "--loud"]),
        ("--debug_level 3 --U=x --D dir --steps 1", {"steps": 1}, []),
    ],
)
def test_forms(line, changed, positional):
    values, rest = parse("tool", define, line.split())
    assert values.flag_values_dict() == {**DEFAULTS, **changed}
    assert rest == positional


def test_values_say_whether_they_were_given():
    values, _ = parse("tool", define, ["--steps", "3"])
    assert values["steps"].present
    assert not values["rate"].present


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nope", "ERROR: Non-existent flag --nope\n"),
        ("--nope=3", "ERROR: Non-existent flag --nope=3\n"),
        ("-nope 3", "ERROR: Non-existent flag -nope\n"),
        ("---steps", "ERROR: Non-existent flag ---steps\nDid you mean --steps?\n"),
        ("--noloud", "ERROR: Non-existent flag --noloud\nDid you mean --loud?\n"),
        ("--step 3", "ERROR: Non-existent flag --step\nDid you mean --steps?\n"),
        ("--steps", "ERROR: Could not find value argument for flag steps\n"),
        ("--model", "ERROR: Could not find string value for flag model\n"),
        ("--steps=x", "ERROR: Could not parse int from x in flag --steps=x\n"),
        ("--steps=3x", "ERROR: Could not parse int from 3x in flag --steps=3x\n"),
        ("--steps 1.5", "ERROR: Could not parse int from 1.5 in flag --steps\n"),
        ("--rate=x", "ERROR: Could not parse double from x in flag --rate=x\n"),
        ("--loud=yes", "ERROR: Could not parse bool from flag --loud=yes\n"),
        ("--steps=", "ERROR: Bad argument: --steps=\n"),
        ("-", "ERROR: Bad argument: -\n"),
        ("--", "ERROR: Bad argument: --\n"),
        ("--=3", "ERROR: Bad argument: --=3\n"),
        ("--flagfile", "ERROR: --flagfile with no argument\n"),
    ],
)
def test_errors(line, message, capsys):
    with pytest.raises(SystemExit) as leaving:
        parse("tool", define, line.split())
    assert leaving.value.code == 1
    assert capsys.readouterr().err == message


def test_values_out_of_range_are_refused(capsys):
    with pytest.raises(SystemExit):
        parse("tool", define, ["--count=-1"])
    assert "Could not parse int from -1 in flag --count=-1" in capsys.readouterr().err


def test_flagfile(tmp_path):
    (tmp_path / "flags").write_text("# a comment\n--steps=7\n--loud\n")
    for form in ([f"--flagfile={tmp_path / 'flags'}"], ["--flagfile", str(tmp_path / "flags")]):
        values, rest = parse("tool", define, ["--rate", "2", *form, "--model=x", "more"])
        assert values.flag_values_dict() == {
            **DEFAULTS, "steps": 7, "loud": True, "rate": 2, "model": "x",
        }  # fmt: skip
        assert rest == ["more"]


def test_missing_flagfile_is_named(capsys):
    with pytest.raises(SystemExit):
        parse("tool", define, ["--flagfile=nope"])
    assert "ERROR: Unable to open flagfile" in capsys.readouterr().err


LINES = """\
  --steps  How many  (type:int default:3)
  --count  A number  (type:int default:0)
  --rate  How fast  (type:double default:1e-06)
  --loud  Say more  (type:bool default:false)
  --model  Name of model file  (type:string default:)
"""


@pytest.mark.parametrize(
    ("argv", "head"),
    [
        (["--help"], "Usage:\n  lstmjax tool -v | --version | lstmjax tool [OPTION ...]\n\n"),
        (
            ["--steps=1", "-help"],
            "Usage:\n  lstmjax tool -v | --version | lstmjax tool [OPTION ...]\n\n",
        ),
        ([], "USAGE: lstmjax tool -v | --version | lstmjax tool [OPTION ...]\n"),
    ],
    ids=["help", "later", "none"],
)
def test_help_lists_only_the_flags_of_the_tool(argv, head, capsys):
    with pytest.raises(SystemExit) as leaving:
        parse("tool", define, argv)
    assert leaving.value.code == 0
    assert capsys.readouterr().out == head + LINES


@pytest.mark.parametrize("argv", [["-v"], ["--version"]])
def test_version_begins_with_that_of_tesseract(argv, capsys):
    with pytest.raises(SystemExit) as leaving:
        parse("tool", define, argv)
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("5.3.0\n lstmjax ")


@pytest.mark.reference
def test_help_lines_and_messages_are_those_of_the_real_tool(capsys):
    def define_lstmeval(values: flags.FlagValues) -> None:
        for name, default, text in [
            ("max_image_MB", 2000, "Max memory to use for images."),
            ("verbosity", 1, "Amount of diagnosting information to output (0-2)."),
        ]:
            flags.DEFINE_integer(name, default, text, flag_values=values)
        for name, text in [
            ("model", "Name of model file (training or recognition)"),
            (
                "traineddata",
                "If model is a training checkpoint, then traineddata must be the traineddata "
                "file that was given to the trainer",
            ),
            ("eval_listfile", "File listing sample files in lstmf training format."),
        ]:
            flags.DEFINE_string(name, "", text, flag_values=values)

    def ours(*argv: str) -> tuple[str, str]:
        with pytest.raises(SystemExit):
            parse("lstmeval", define_lstmeval, list(argv))
        captured = capsys.readouterr()
        return captured.out, captured.err

    real = helpers.run_real("lstmeval", "--help").stdout.splitlines()
    wanted = [line for line in real[3:] if line.split()[0].lstrip("-") not in LEGACY]
    assert ours("--help")[0].splitlines()[3:] == wanted
    for argument in ("--nope=3", "--verbosity=x", "--verbosity=", "--model", "-"):
        assert ours(argument)[1] == helpers.run_real("lstmeval", argument).stderr
