import ctypes
import ctypes.util
import re
import unicodedata

import pytest

from lstmjax.charset import characters


@pytest.mark.parametrize(
    ("char", "script", "direction", "mirror"),
    [
        ("a", "Latin", 0, "a"),
        ("ש", "Hebrew", 1, "ש"),
        ("ع", "Arabic", 13, "ع"),
        ("٣", "Arabic", 5, "٣"),
        ("(", "Common", 10, ")"),
        ("«", "Common", 10, "»"),
        ("∝", "Common", 10, "∝"),
        ("\u0301", "Inherited", 17, "\u0301"),
        ("ᐁ", "Canadian_Aboriginal", 0, "ᐁ"),
        ("\u0378", "Unknown", 0, "\u0378"),
        ("\ufb37", "Unknown", 1, "\ufb37"),
        ("\uffff", "Unknown", 18, "\uffff"),
    ],
)
def test_script_direction_mirror(char, script, direction, mirror):
    assert characters.script(char) == script
    assert characters.direction(char) == direction
    assert characters.mirrored(char) == mirror


@pytest.mark.parametrize(
    ("char", "upper", "lower"),
    [
        ("é", "É", "é"),
        ("ß", "ß", "ß"),
        ("ŉ", "ŉ", "ŉ"),
        ("ﬁ", "ﬁ", "ﬁ"),
        ("ᾳ", "ᾼ", "ᾳ"),
        ("ǆ", "Ǆ", "ǆ"),
        ("Σ", "Σ", "σ"),
        ("ς", "Σ", "ς"),
        ("İ", "İ", "i"),
        ("5", "5", "5"),
    ],
)
def test_case_mapping_keeps_one_character(char, upper, lower):
    assert (characters.simple_upper(char), characters.simple_lower(char)) == (upper, lower)


def test_white_space_is_the_unicode_property():
    assert all(map(characters.is_white_space, " \t\r\n\x85\xa0\u2003\u3000"))
    assert not any(map(characters.is_white_space, "a\x1c\x1f\u200b\ufeff"))


def test_marks_and_links():
    assert characters.is_mark("\u0301")
    assert not characters.is_mark("a")
    assert characters.is_grapheme_link("\u094d")
    assert not characters.is_grapheme_link("\u0301")


def test_describe_names_what_cannot_be_seen():
    assert characters.describe("\u200d") == "U+200D ZERO WIDTH JOINER"
    assert characters.describe("\ue000") == "U+E000 category Co"
    assert characters.describe("\udcff") == "byte 0xff, not valid UTF-8"


class Icu:
    """Functions of the installed ICU, whose names end in its version."""

    def __init__(self):
        name = ctypes.util.find_library("icuuc")
        version = re.search(r"\d+", name or "")
        if name is None or version is None or version[0] != "72":
            pytest.skip("ICU 72 is not installed; it comes with Debian 12's Tesseract")
        self._library = ctypes.CDLL(name)

    def __call__(self, name: str, *args: object, result: type = ctypes.c_int32):
        function = getattr(self._library, f"{name}_72")
        function.restype = result
        return function(*args)


GRAPHEME_LINK = 12
MARKS = (6, 7, 8)


@pytest.mark.reference
def test_every_character_is_as_in_icu():
    icu = Icu()
    error = ctypes.c_int32(0)
    truth = ctypes.c_int8
    ranges = [
        (0, 0x3400),
        (0xA000, 0xAC10),
        (0xD7B0, 0xD800),
        (0xF900, 0x11F00),
        (0x1D000, 0x1FB00),
    ]
    for code in (code for first, last in ranges for code in range(first, last)):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Cs") or not icu("u_charType", code, result=truth):
            continue
        script = icu("uscript_getScript", code, ctypes.byref(error))
        found = (
            icu("uscript_getName", script, result=ctypes.c_char_p).decode(),
            icu("u_charDirection", code),
            chr(icu("u_charMirror", code)),
            chr(icu("u_toupper", code)),
            chr(icu("u_tolower", code)),
            bool(icu("u_isUWhiteSpace", code, result=truth)),
            bool(icu("u_isalpha", code, result=truth)),
            icu("u_charType", code, result=truth) in MARKS,
            bool(icu("u_hasBinaryProperty", code, GRAPHEME_LINK, result=truth)),
        )
        assert found == (
            characters.script(char),
            characters.direction(char),
            characters.mirrored(char),
            characters.simple_upper(char),
            characters.simple_lower(char),
            characters.is_white_space(char),
            characters.is_letter(char),
            characters.is_mark(char),
            characters.is_grapheme_link(char),
        ), hex(code)
