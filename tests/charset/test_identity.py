"""Two character sets are one and the same, or the first row that differs is named."""

import pytest
from training.small import EXAMPLES
from training.starts import DEMO, codec_of, exchanged_rows, smaller_charset

from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import (
    NamedRows,
    charset_path,
    check_beside,
    difference,
    find_rows,
    rows_of,
)
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import CharsetError, FormatError
from lstmjax.formats import charset_rows, traineddata, unicharset

ROWS = ((" ", (0,)), ("ë", (1,)), ("nï", (2, 3)), (None, (4,)))


def named(rows, source="b"):
    return NamedRows(tuple(rows), source)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (ROWS, ""),
        (
            (ROWS[0], ROWS[2], ROWS[1], ROWS[3]),
            "row 1 is 'ë' (U+00EB, code 1) in a, but 'nï' (U+006E U+00EF, codes 2 3) in b",
        ),
        (
            (*ROWS[:2], ("nï", (3, 2)), ROWS[3]),
            "row 2 is 'nï' (U+006E U+00EF, codes 2 3) in a, but "
            "'nï' (U+006E U+00EF, codes 3 2) in b",
        ),
        (ROWS[:3], "row 3 is the null (code 4) in a, but missing in b"),
        ((*ROWS, ("x", ())), "row 4 is missing in a, but 'x' (U+0078, codes none) in b"),
        (
            (*ROWS[:2], ("x", (2,)), (None, (3,))),
            "row 2 is 'nï' (U+006E U+00EF, codes 2 3) in a, but 'x' (U+0078, code 2) in b",
        ),
    ],
    ids=["same", "exchanged", "codes", "fewer", "more", "another size"],
)
def test_the_first_difference_is_named(rows, text):
    assert difference(named(ROWS, "a"), named(rows)) == text


def test_another_size_is_not_laid_to_the_null(tmp_path):
    small, large = (codec_of(path) for path in (smaller_charset(tmp_path), DEMO))
    text = difference(named(rows_of(large), "a"), named(rows_of(small)))
    assert text.startswith("row 72 is ")
    assert text.endswith("missing in b")


def test_only_texts_and_codes_count():
    """Properties, sizes and normed forms do not change what an output stands for."""
    trained = traineddata.load(DEMO)
    codec = Codec.from_traineddata(trained)
    rows = [
        unicharset.UnicharRow(row.unichar, 0, normed="?") for row in codec.unicharset.table.rows
    ]
    other = Codec(Unicharset(unicharset.UnicharsetTable(tuple(rows))), codec.recoder)
    assert rows_of(other) == rows_of(codec)


@pytest.mark.parametrize(
    "name",
    ["m_checkpoint", "m_best.checkpoint", "m_5.273000_1200_3000.checkpoint", "m"],
)
def test_every_checkpoint_of_a_run_finds_its_characters(tmp_path, name):
    charset_rows.save(ROWS, charset_path(str(tmp_path / "m")))
    found = find_rows(tmp_path / name)
    assert found == NamedRows(ROWS, str(tmp_path / "m.charset"))


@pytest.mark.parametrize("name", ["n_checkpoint", "m_checkpoint.bak", "m.lstm", "am_checkpoint"])
def test_other_files_do_not(tmp_path, name):
    charset_rows.save(ROWS, charset_path(str(tmp_path / "m")))
    assert find_rows(tmp_path / name) is None


def test_a_name_with_numbers_is_not_taken_apart(tmp_path):
    charset_rows.save(ROWS, charset_path(str(tmp_path / "b_1.5_2")))
    assert find_rows(tmp_path / "b_1.5_2_5.2_3_4.checkpoint") is not None


def test_a_lone_network_may_have_them_beside_it(tmp_path):
    charset_rows.save(ROWS, charset_path(str(tmp_path / "x.lstm")))
    assert find_rows(tmp_path / "x.lstm") == NamedRows(ROWS, str(tmp_path / "x.lstm.charset"))


def test_another_set_is_refused_and_an_unknown_one_said(tmp_path, capsys):
    codec, other = codec_of(DEMO), codec_of(exchanged_rows(tmp_path))
    network = tmp_path / "m_checkpoint"
    check_beside(network, codec, "a.traineddata")
    said = capsys.readouterr().err
    assert said == (
        f"{network}: there is no record of the characters it was trained with; only their number "
        "could be compared with a.traineddata\n"
    )
    charset_rows.save(rows_of(codec), tmp_path / "m.charset")
    check_beside(network, codec, "a.traineddata")
    assert capsys.readouterr().err == ""
    with pytest.raises(CharsetError, match=r"row 10 is ',' \(U\+002C, code 8\) in .*m\.charset"):
        check_beside(network, other, "a.traineddata")
    (tmp_path / "m.charset").write_bytes(b"damaged")
    with pytest.raises(FormatError, match=r"m\.charset: .*move it away"):
        check_beside(network, codec, "a.traineddata")


def test_a_traineddata_that_holds_the_network_has_its_characters(tmp_path, capsys):
    network, whole = tmp_path / "m.lstm", tmp_path / "m.traineddata"
    network.write_bytes(b"network")
    for held, silent in ((b"network", True), (b"netwOrk", False)):
        traineddata.save(traineddata.load(DEMO).with_component("lstm", held), whole)
        check_beside(network, codec_of(DEMO), whole)
        assert (capsys.readouterr().err == "") is silent


def test_the_examples_set_has_its_null_among_the_rows():
    rows = rows_of(codec_of(EXAMPLES / "demo.traineddata"))
    assert rows[:3] == ((" ", (0,)), ("Joined", (75,)), ("|Broken|0|1", (75,)))
