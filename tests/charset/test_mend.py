import pytest

from lstmjax.charset.mend import Mender
from lstmjax.charset.unicharset import Unicharset
from lstmjax.formats.unicharset import UnicharRow, UnicharsetTable

ROWS = tuple(UnicharRow(text, 0) for text in (" ", *"abcé’—2", "fi"))
MENDER = Mender(Unicharset(UnicharsetTable(ROWS)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301", ("NFC", "é")),
        ("a\u00a0b", ("plain spaces", "a b")),
        ("a\u200b\u00adb", ("no invisible characters", "ab")),
        ("\ufeffa", ("no invisible characters", "a")),
        ("a'b-c", ("other quotes or dashes", "a’b—c")),
        ("‚", ("other quotes or dashes", "’")),
        ("ａ²", ("NFKC", "a2")),
        ("e\u0301\u00a0'", ("NFC + plain spaces + other quotes or dashes", "é ’")),
        ("x", None),
        ("a\u0301", None),
        ("\u00a0", None),
    ],
)  # fmt: skip
def test_the_least_change_that_helps(text, expected):
    assert MENDER.mend(text) == expected
