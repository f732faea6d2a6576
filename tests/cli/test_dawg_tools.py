import hashlib

import helpers
import pytest

from lstmjax.cli import dawg2wordlist, wordlist2dawg
from lstmjax.cli.main import run
from lstmjax.errors import CharsetError, FormatError, LstmjaxError, UsageError
from lstmjax.formats import dawg, unicharset
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable

WORDS = ["cat", "cats", "car", "cars", "bat", "bats", "rat", "THE", "The", "the", "at", "a"]
LISTED = ["cat", "cats", "car", "cars", "a", "at", "the", "bat", "bats", "rat", "THE", "The"]


@pytest.fixture
def files(tmp_path):
    """A unicharset and word list like those of the text `cat bat rats the THE The`."""
    texts = [" ", "Joined", BROKEN, *"catbrsheTHE"]
    texts = list(dict.fromkeys(texts))
    rows = tuple(UnicharRow(text, 0, other_case=i, mirror=i) for i, text in enumerate(texts))
    unicharset.save(UnicharsetTable(rows), tmp_path / "u")
    (tmp_path / "w").write_text("\n".join(WORDS) + "\n")
    return tmp_path


def build(files, *options, output="d"):
    paths = [str(files / name) for name in ("w", output, "u")]
    return wordlist2dawg.main([*options, *paths])


def words_of(files, name="d"):
    assert dawg2wordlist.main([str(files / "u"), str(files / name), str(files / "out")]) == 0
    return (files / "out").read_text().split()


def test_round_trip_and_texts(files, capsys):
    assert build(files) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"Loading unicharset from '{files / 'u'}'",
        f"Reading word list from '{files / 'w'}'",
        "Reducing Trie to SquishedDawg",
        f"Writing squished DAWG to '{files / 'd'}'",
    ]
    assert sorted(words_of(files)) == sorted(WORDS)
    assert capsys.readouterr().err.splitlines() == [
        f"Loading word list from {files / 'd'}",
        "Reading squished dawg",
        "Word list loaded.",
    ]
    assert len(dawg.load(files / "d").edges) <= 19


def test_reversed(files, capsys):
    assert build(files, "-r", "2") == 0
    assert capsys.readouterr().err.startswith("Set reverse_policy to RRP_FORCE_REVERSE\n")
    assert sorted(words_of(files)) == sorted(word[::-1] for word in WORDS)
    assert len(dawg.load(files / "d").edges) <= 22


def test_check(files, capsys):
    build(files)
    assert build(files, "-t") == 0
    (files / "w").write_text("cat\nca\n\nxyz\ncars\n")
    capsys.readouterr()
    assert build(files, "-t") == 1
    assert capsys.readouterr().err.splitlines()[-4:] == [
        f"Checking word list from '{files / 'w'}'",
        "Missing word: ca",
        "Failed to create a valid word from ",
        "Failed to create a valid word from xyz",
    ]


def test_words_left_out_are_reported(files, capsys):
    (files / "w").write_bytes(b"cat\r\ncaf\xc3\xa9\nx\xff\n")
    assert build(files) == 0
    assert "left out 2 of 3 words" in capsys.readouterr().err
    assert words_of(files) == ["cat"]


def test_empty_dawg_fails_and_leaves_no_file(files, capsys):
    (files / "w").write_text("xyz\n")
    with pytest.raises(LstmjaxError, match="no word can be written"):
        build(files)
    assert "Dawg is empty, skip producing the output file\n" in capsys.readouterr().err
    assert not (files / "d").exists()


@pytest.mark.parametrize(
    ("broken", "error", "said"),
    [
        ("w", FormatError, "Failed to add word list from "),
        ("u", FormatError, "Failed to load unicharset from "),
    ],
)
def test_missing_files(files, capsys, broken, error, said):
    (files / broken).unlink()
    with pytest.raises(error, match="No such file"):
        build(files)
    assert capsys.readouterr().err.splitlines()[-1] == f"{said}'{files / broken}'"
    assert not (files / "d").exists()


def test_unicharset_with_a_wrong_count(files):
    (files / "u").write_text("9\nNULL 0 NULL 0\n")
    with pytest.raises(FormatError, match=r"/u: line 1 promises 9 unichars, 1 rows follow"):
        build(files)


def test_dawg_errors(files, capsys):
    arguments = [str(files / name) for name in ("u", "d", "out")]
    with pytest.raises(FormatError, match="No such file"):
        dawg2wordlist.main(arguments)
    assert capsys.readouterr().err.splitlines() == [
        f"Could not open {files / 'd'} for reading.",
        f"Error loading dictionary from {files / 'd'}.",
    ]
    (files / "d").write_bytes(b"nothing like it")
    with pytest.raises(FormatError, match="/d: byte 0x0: not a dawg"):
        dawg2wordlist.main(arguments)
    assert capsys.readouterr().err.splitlines()[-2] == f"Could not read {files / 'd'}"
    build(files)
    (files / "u").write_text("1\nNULL 0 NULL 0\n")
    with pytest.raises(FormatError, match="made with a unicharset of"):
        dawg2wordlist.main(arguments)
    (files / "u").write_text("0\n")
    with pytest.raises(CharsetError, match="empty"):
        dawg2wordlist.main(arguments)
    assert not (files / "out").exists()


def test_unwritable_output(files, capsys):
    build(files)
    with pytest.raises(LstmjaxError, match="cannot be written"):
        dawg2wordlist.main([*(str(files / name) for name in ("u", "d")), str(files / "no/out")])
    assert f"Could not open {files / 'no/out'} for writing." in capsys.readouterr().err


def test_usage(capsys):
    assert run(["wordlist2dawg"]) == run(["wordlist2dawg", "a", "b"]) == 1
    assert run(["dawg2wordlist", "a"]) == 1
    assert "[-t | -r [reverse policy] ]" in capsys.readouterr().out
    for tool in ("wordlist2dawg", "dawg2wordlist"):
        assert run([tool, "--version"]) == run([tool, "--help"]) == 0
        assert capsys.readouterr().out.startswith("5.3.0\n lstmjax ")
    with pytest.raises(UsageError, match="-r 3: the reverse policies are 0, 1 and 2"):
        wordlist2dawg.main(["-r", "3", "a", "b", "c"])


@pytest.mark.reference
def test_small_list_of_the_real_tools(tmp_path):
    """The word list, the dawgs and the order of words in the output of the real tools."""
    (tmp_path / "t.txt").write_text("cat bat rats the THE The\n")
    helpers.run_real(
        "unicharset_extractor", "--output_unicharset", tmp_path / "u", tmp_path / "t.txt"
    )
    assert len(unicharset.load(tmp_path / "u").rows) == 14
    (tmp_path / "w").write_text("\n".join(WORDS) + "\n")
    helpers.run_real("wordlist2dawg", tmp_path / "w", tmp_path / "real", tmp_path / "u")
    data = (tmp_path / "real").read_bytes()
    assert hashlib.sha256(data).hexdigest().startswith("d50887e119d12c7354d79b15a1a26625")
    assert words_of(tmp_path, "real") == LISTED
    for policy in "012":
        assert build(tmp_path, "-r", policy) == 0
        helpers.run_real("dawg2wordlist", tmp_path / "u", tmp_path / "d", tmp_path / "real.txt")
        expected = [w[::-1] for w in WORDS] if policy == "2" else WORDS
        assert sorted((tmp_path / "real.txt").read_text().split()) == sorted(expected)
    build(tmp_path)
    check = helpers.run_real("wordlist2dawg", "-t", tmp_path / "w", tmp_path / "d", tmp_path / "u")
    assert "Missing" not in check.stderr


@pytest.mark.reference
@pytest.mark.parametrize("component", ["lstm-punc-dawg", "lstm-word-dawg", "lstm-number-dawg"])
def test_lists_are_those_of_the_real_tool(component, tmp_path, capsys):
    helpers.run_lstmjax(
        "combine_tessdata", "-u", helpers.testdata("tessdata_fast/fra.traineddata"), tmp_path / "f"
    )
    charset, graph = tmp_path / "f.lstm-unicharset", tmp_path / f"f.{component}"
    real = helpers.run_real("dawg2wordlist", charset, graph, tmp_path / "real")
    assert dawg2wordlist.main([str(charset), str(graph), str(tmp_path / "ours")]) == 0
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "real").read_bytes()
    assert capsys.readouterr().err == real.stderr
