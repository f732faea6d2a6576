import hashlib

import helpers
import pytest
from charset.unicharset_texts import LINE_SHA256, LINES, VECTOR_UNICHARSETS, VECTORS

from lstmjax.cli import set_unicharset_properties, unicharset_extractor
from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.formats import unicharset


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_bytes(VECTORS)
    (tmp_path / "empty").write_bytes(b"")
    return tmp_path


def run(capsys, *argv: object) -> tuple[int, str]:
    status = unicharset_extractor.main([str(arg) for arg in argv])
    return status, capsys.readouterr().err


def digest(path: str, size: int = 64) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:size]


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_file_and_texts(capsys, mode):
    status, err = run(capsys, "--norm_mode", mode, "--output_unicharset=out", "text")
    assert status == 0
    assert digest("out") == VECTOR_UNICHARSETS[mode]
    assert err.startswith("Bad box coordinates in boxfile string! The “fox” — it’s a ﬁne day\n"
                          "Extracting unicharset from plain text file text\n")  # fmt: skip
    assert err.endswith("\nWrote unicharset file out\n")


@pytest.mark.parametrize("number", range(len(LINE_SHA256)), ids=LINE_SHA256)
def test_lines_extracted_and_completed(capsys, folder, number):
    raw, complete = list(LINE_SHA256.values())[number]
    (folder / "line").write_text(LINES[number] + "\n")
    assert run(capsys, "line")[0] == 0
    assert digest("unicharset", 16) == raw
    args = ["-U", "unicharset", "-O", "out", "--script_dir", str(helpers.testdata("langdata"))]
    assert set_unicharset_properties.main(args) == 0
    assert digest("out", 16) == complete


def test_hexadecimal_properties_can_be_read_back(capsys):
    run(capsys, "--hex_properties", "text")
    assert unicharset.load("unicharset").rows[2].properties == 15
    run(capsys, "text")
    assert unicharset.load("unicharset").rows[2].properties == 0x15


@pytest.mark.parametrize("argv", [[], ["--norm_mode", "2"]], ids=["nothing", "no-file"])
def test_usage(capsys, argv):
    status, err = run(capsys, *argv)
    assert status == 1
    assert "1=combine graphemes" in err


def test_files_that_give_nothing_are_passed_over(capsys):
    status, err = run(capsys, "absent", "empty", "text")
    assert status == 0
    assert "Failed to read data from: absent\nabsent: cannot be read: No such file" in err
    assert "Failed to read data from: empty\nempty: the file is empty\n" in err


def test_an_empty_file_alone_gives_the_special_entries(capsys):
    assert run(capsys, "empty")[0] == 0
    assert len(unicharset.load("unicharset").rows) == 3


def test_nothing_is_written_without_any_file(folder):
    with pytest.raises(LstmjaxError, match="no file could be read"):
        unicharset_extractor.main(["absent"])
    assert not (folder / "unicharset").exists()


@pytest.mark.parametrize("mode", [0, 4, -1])
def test_modes_are_checked(mode):
    with pytest.raises(UsageError, match="expected 1, 2 or 3"):
        unicharset_extractor.main([f"--norm_mode={mode}", "text"])


def test_an_output_that_cannot_be_written(capsys):
    status, err = run(capsys, "--output_unicharset", "no/such/folder", "text")
    assert status == 1
    assert "Cannot save unicharset file no/such/folder\n" in err
