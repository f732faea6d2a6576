from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.merge import merge
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable


def table(*rows: UnicharRow) -> UnicharsetTable:
    special = (UnicharRow(text, 7, normed=text, script="Latin") for text in (" ", "Joined", BROKEN))
    return UnicharsetTable((*special, *rows))


def letter(text: str, **changes) -> UnicharRow:
    return UnicharRow(text, 3, normed=text, script="Latin", **changes)


def test_entries_in_order_of_first_appearance():
    merged = merge([table(letter("b"), letter("a")), table(letter("c"), letter("a"), letter("d"))])
    assert [row.unichar for row in merged.rows[3:]] == ["b", "a", "c", "d"]


def test_special_entries_come_out_blank():
    merged = merge([table()])
    assert [(row.properties, row.script, row.normed) for row in merged.rows] == [
        (0, "NULL", "")
    ] * 3


def test_ids_are_translated():
    first = table(
        letter("x"), letter("(", mirror=5), letter(")", mirror=4), letter("a", other_case=1)
    )
    merged = merge([table(letter("y")), first])
    rows = {row.unichar: row for row in merged.rows}
    assert (rows["("].mirror, rows[")"].mirror, rows["a"].other_case) == (6, 5, 1)


def test_bounds_widen_and_the_larger_deviation_wins():
    one = letter("a", bounds=(10, 20, 100, 110), metrics=(1, 5, 2, 5, 3, 5))
    two = letter("a", bounds=(5, 15, 105, 120), metrics=(7, 6, 8, 4, 9, 5))
    row = merge([table(one), table(two)]).rows[3]
    assert row.bounds == (5, 20, 100, 120)
    assert row.metrics == (7, 6, 2, 5, 3, 5)


def test_old_style_entries_stay_as_they_are():
    merged = merge([table(letter("f"), letter("i")), table(letter("ﬁ"), letter("fi"))])
    assert [row.unichar for row in merged.rows[3:]] == ["f", "i", "ﬁ", "fi"]


@given(st.lists(st.text("abcdeé", max_size=6).map(dict.fromkeys), max_size=4))
def test_every_entry_is_there_once(sets):
    merged = merge([table(*map(letter, letters)) for letters in sets])
    found = [row.unichar for row in merged.rows[3:]]
    assert found == list(dict.fromkeys(char for letters in sets for char in letters))
    assert merge([merged]).rows[3:] == merged.rows[3:]
