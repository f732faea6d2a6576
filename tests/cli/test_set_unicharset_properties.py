import pytest

from lstmjax.cli import set_unicharset_properties as tool
from lstmjax.errors import FormatError, LstmjaxError
from lstmjax.formats import unicharset

RAW = b"5\nNULL 0 NULL 0\nJoined 7 0,255,0,255,0,0,0,0,0,0 Latin 1 0 1 Joined\n" + (
    b"|Broken|0|1 f 0,255,0,255,0,0,0,0,0,0 Common 2 10 2 |Broken|0|1\na 0 Common 0\n' 0 Common 0\n"
)
LATIN = b"2\nNULL 0 Common 0\na 3 1,2,3,4,5,6,7,8,9,10 Latin 1 0 1 a\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_bytes(RAW)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "Latin.unicharset").write_bytes(LATIN)
    (tmp_path / "scripts" / "Latin.xheights").write_bytes(b"Arial 10\n")
    return tmp_path


def test_file_and_texts(capsys, folder):
    assert tool.main(["-U", "in", "-O", "out", "-X", "x", "--script_dir=scripts"]) == 0
    assert capsys.readouterr().err.split("\n") == [
        "Loaded unicharset of size 5 from file in",
        "Setting unichar properties",
        "Other case A of a is not in unicharset",
        "Setting script properties",
        "Warning: properties incomplete for index 4 = '",
        "Writing unicharset to file out",
        "",
    ]
    lines = (folder / "out").read_text().split("\n")
    assert lines[4] == "a 3 1,2,3,4,5,6,7,8,9,10 Latin 3 0 3 a\t# a [61 ]a"
    assert lines[5] == "' 16 0,255,0,255,0,0,0,0,0,0 Common 4 10 4 '\t# ' [27 ]p"
    assert (folder / "x").read_bytes() == b"Arial 10\n"


def test_hexadecimal_properties():
    tool.main(["-U", "in", "-O", "out", "--script_dir", "scripts", "--hex_properties"])
    assert unicharset.load("out").rows[4].properties == 16


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["-U", "in"], "Specify both input and output unicharsets!\n"),
        (["-U=", "-O", "out"], "Specify both input and output unicharsets!\n"),
        (["-U", "in", "-O", "out"], "Must specify a script_dir!\n"),
    ],
    ids=["no-output", "no-input", "no-scripts"],
)
def test_what_is_needed(capsys, argv, text):
    assert tool.main(argv) == 1
    assert capsys.readouterr().err == text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a unicharset"),
        (b"0\n", "no entries"),
        (b"6\n" + RAW[2:], "line 1 promises 6 unichars, 5 rows follow"),
        (b"1\nNULL 0 " + b"x" * 300 + b"\n", "307 bytes long, the limit is 254"),
        (b"4\n" + RAW[2:].replace(b"\na ", b"\n\xff "), "not valid UTF-8"),
    ],
    ids=["empty", "no-rows", "too-few-rows", "long-line", "bad-bytes"],
)
def test_a_damaged_unicharset_is_refused(folder, data, problem):
    (folder / "in").write_bytes(data)
    with pytest.raises(LstmjaxError, match=problem):
        tool.main(["-U", "in", "-O", "out", "--script_dir", "scripts"])
    assert not (folder / "out").exists()


def test_a_missing_unicharset_is_named():
    with pytest.raises(FormatError, match="absent: cannot be read"):
        tool.main(["-U", "absent", "-O", "out", "--script_dir", "scripts"])


def test_missing_script_files_are_reported(capsys):
    assert tool.main(["-U", "in", "-O", "out", "--script_dir", "nowhere"]) == 0
    err = capsys.readouterr().err
    assert "Failed to load script unicharset from:nowhere/Latin.unicharset\n" in err
    assert "nowhere/Common" not in err
