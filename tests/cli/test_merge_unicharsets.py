import pytest

from lstmjax.cli import merge_unicharsets
from lstmjax.formats import unicharset

ROW = b"0,255,0,255,0,0,0,0,0,0 Latin"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").write_bytes(b"2\na 3 " + ROW + b" 0 0 0 a\n! 10 " + ROW + b" 1 10 1 !\n")
    (tmp_path / "two").write_bytes(b"2\nb 3 " + ROW + b" 0 0 0 b\na 3 " + ROW + b" 1 0 1 a\n")
    (tmp_path / "bad").write_bytes(b"9\na 3\n")
    return tmp_path


def test_file_and_texts(capsys, folder):
    assert merge_unicharsets.main(["one", "two", "out"]) == 0
    assert capsys.readouterr().out.split("\n") == [
        "Loaded unicharset of size 2 from file one",
        "Loaded unicharset of size 2 from file two",
        "Wrote unicharset file out.",
        "",
    ]
    assert (folder / "out").read_text() == (
        "6\nNULL 0 NULL 0\n"
        "Joined 0 0,255,0,255,0,0,0,0,0,0 NULL 0 0 0 \t# Joined [4a 6f 69 6e 65 64 ]\n"
        "|Broken|0|1 0 0,255,0,255,0,0,0,0,0,0 NULL 0 0 0 \t# Broken\n"
        "a 3 0,255,0,255,0,0,0,0,0,0 Latin 3 0 3 a\t# a [61 ]a\n"
        "! 16 0,255,0,255,0,0,0,0,0,0 Latin 4 10 4 !\t# ! [21 ]p\n"
        "b 3 0,255,0,255,0,0,0,0,0,0 Latin 5 0 5 b\t# b [62 ]a\n"
    )


def test_hexadecimal_properties():
    merge_unicharsets.main(["--hex_properties", "one", "two", "out"])
    assert unicharset.load("out").rows[4].properties == 16


@pytest.mark.parametrize("argv", [[], ["one"], ["one", "out"], ["--hex_properties", "one", "out"]])
def test_usage(capsys, argv):
    assert merge_unicharsets.main(argv) == 1
    assert "unicharset-in-1 ... unicharset-in-n unicharset-out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "reason"), [("absent", "cannot be read"), ("bad", "promises 9 unichars")]
)
def test_an_input_that_cannot_be_loaded(capsys, folder, name, reason):
    assert merge_unicharsets.main(["one", name, "out"]) == 1
    captured = capsys.readouterr()
    assert captured.out.endswith(f"Failed to load unicharset from file {name}!!\n")
    assert reason in captured.err
    assert not (folder / "out").exists()


def test_an_output_that_cannot_be_written(capsys):
    assert merge_unicharsets.main(["one", "two", "no/out"]) == 1
    assert capsys.readouterr().out.endswith("Cannot save unicharset file no/out.\n")
