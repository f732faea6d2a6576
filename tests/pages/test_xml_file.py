"""Reading numbers, coordinates and texts of XML files; files that must not be read."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.errors import DataError
from lstmjax.pages import alto_xml, page_xml, xml_file

COORDINATES = st.lists(st.tuples(st.integers(-999, 9999), st.integers(-999, 9999)), max_size=6)


@given(COORDINATES, st.sampled_from(["{},{}", "{} {}", "{}, {}"]))
def test_points_in_all_forms(pairs, form):
    text = " ".join(form.format(x, y) for x, y in pairs)
    assert xml_file.points(text) == tuple((float(x), float(y)) for x, y in pairs)


@pytest.mark.parametrize("text", ["1", "1,2 3", "a,b", "1,nan", "inf,1"])
def test_other_points_are_refused(text):
    with pytest.raises(ValueError, match=r"pairs of numbers|could not convert"):
        xml_file.points(text)


@pytest.mark.parametrize(
    ("text", "value"), [("12.5", 12.5), (" 3 ", 3.0), ("", 0), (None, 0), ("x", 0), ("inf", 0)]
)
def test_numbers(text, value):
    assert xml_file.number(text) == value


@given(st.text(max_size=20))
def test_clean_texts_stay_clean(text):
    cleaned = xml_file.clean(text)
    assert xml_file.clean(cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert xml_file.clean(" e\u0301\n\t x ") == "\xe9 x"


def test_elements_are_found_in_any_namespace():
    root = fromstring('<a xmlns:n="u"><n:b i="1"/><c><b i="2"/></c><!-- b --></a>')
    assert [one.get("i") for one in xml_file.below(root, "b")] == ["1", "2"]
    assert [one.get("i") for one in xml_file.children(root, "b")] == ["1"]
    assert xml_file.child(root, "d") is None


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("<PcGts>", True),
        ('<?xml version="1.0"?>\n<alto xmlns="x">', True),
        ("<n:PcGts ", True),
        ("<html>", False),
        ("<altogether>", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_layout_files_are_known_by_their_beginning(tmp_path, content, layout, encoding):
    path = tmp_path / "x.xml"
    path.write_text(content, encoding)
    assert xml_file.is_layout_file(str(path)) == layout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines entities of its own"),
        ("<a>", "not well-formed"),
        ("", "not well-formed"),
    ],
)
def test_files_that_are_not_safe_or_not_xml(tmp_path, content, message):
    path = tmp_path / "x.xml"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        xml_file.parse(str(path))


def test_files_that_are_missing_or_too_large(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="cannot be read"):
        xml_file.parse(str(tmp_path / "none.xml"))
    path = tmp_path / "x.xml"
    path.write_text("<a></a>")
    monkeypatch.setattr(xml_file, "_MAX_BYTES", 5)
    with pytest.raises(DataError, match="7 bytes, expected at most 5"):
        xml_file.parse(str(path))


def alto(lines, unit="<MeasurementUnit>pixel</MeasurementUnit>"):
    root = fromstring(f"<alto>{unit}<Page WIDTH='9' HEIGHT='8'>{lines}</Page></alto>")
    return alto_xml.read(root, "x.xml")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<String CONTENT="a"/><String CONTENT="b"/>', "a b"),
        ('<String CONTENT="a"/><SP/><String CONTENT="b"/><String CONTENT="c"/>', "a bc"),
        ('<String CONTENT="a"/><HYP/>', "a-"),
        ('<String CONTENT="a"/><HYP CONTENT="="/>', "a="),
        ("", ""),
    ],
)
def test_words_of_alto_lines(content, text):
    place = 'HPOS="1" VPOS="2" WIDTH="3" HEIGHT="4"'
    (line,) = alto(f"<TextLine {place}>{content}</TextLine>").pages[0].lines
    assert (line.name, line.text, line.problem) == ("line 1", text, "")
    assert line.outline == ((1, 2), (3, 2), (3, 5), (1, 5))


def test_alto_lines_without_a_place_have_a_problem():
    bad = '<TextLine HPOS="a" VPOS="1" WIDTH="1" HEIGHT="1"/>'
    first, second = alto(f'<TextLine ID="x" HPOS="1"/>{bad}').pages[0].lines
    assert (first.name, first.outline) == ("x", ())
    assert "neither a polygon" in first.problem
    assert "could not convert" in second.problem


@pytest.mark.parametrize(("unit", "value"), [("mm10", 254.0), ("inch1200", 1200.0), ("", 0.0)])
def test_units_of_alto(unit, value):
    found = alto("", f"<MeasurementUnit>{unit}</MeasurementUnit>")
    assert found.units_per_inch == value
    with pytest.raises(DataError, match="unit 'furlong', expected pixel"):
        alto("", "<MeasurementUnit>furlong</MeasurementUnit>")


def page(line):
    root = fromstring(f"<PcGts><Page><TextLine>{line}</TextLine></Page></PcGts>")
    return page_xml.read(root, "x.xml").pages[0].lines[0]


def equivalent(text, index=""):
    return f"<TextEquiv{index}><Unicode>{text}</Unicode></TextEquiv>"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (equivalent("a"), "a"),
        (equivalent("b", " index='1'") + equivalent("a", " index='0'"), "a"),
        (equivalent("") + equivalent("b"), "b"),
        (f"<Word>{equivalent('a')}</Word><Word>{equivalent('b')}</Word>", "a b"),
        (f"<Word>{equivalent('a')}</Word>{equivalent('c d')}", "c d"),
        ("", ""),
    ],
)
def test_texts_of_page_lines(content, text):
    assert page(f"<Coords points='1,2 3,4'/>{content}").text == text


def test_page_lines_without_coordinates_have_a_problem():
    assert "no Coords element" in page("").problem
    assert "pairs of numbers" in page("<Coords points='1'/>").problem
    old = page("<Coords><Point x='1' y='2'/><Point x='3' y='4'/></Coords>")
    assert old.outline == ((1, 2), (3, 4))


def test_files_without_a_page():
    with pytest.raises(DataError, match="without a Page element"):
        page_xml.read(fromstring("<PcGts/>"), "x.xml")
    with pytest.raises(DataError, match="without a Page element"):
        alto_xml.read(fromstring("<alto/>"), "x.xml")
