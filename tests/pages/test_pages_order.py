import pytest

from lstmjax.pages.order import hash_name, shuffle

CASES = {  # name: hash, order of A B C; both from Tesseract 5.3.0
    "page.p3.lstmf": (10329529283994329635, "CAB"),
    "page.p6.lstmf": (11089509534853584007, "CBA"),
    "page.p7.lstmf": (5122592310280229044, "CAB"),
    "page.p13.lstmf": (7110467292271746349, "CBA"),
}


@pytest.mark.parametrize("name", CASES)
def test_names_decide_on_the_order(name):
    value, order = CASES[name]
    assert hash_name(name.encode()) == value
    assert "".join(shuffle("ABC", name)) == order


def test_nothing_and_one():
    assert shuffle([], "x.lstmf") == []
    assert shuffle([7], "x.lstmf") == [7]
