import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.segment import NormMode, Segmenter, is_plain, virama_script

GRAPHEMES, GLYPHS, CHARACTERS = NormMode


def codes(text: str) -> str:
    """Text from hexadecimal code points: `930+93e 92e` are two units."""
    return "".join(chr(int(code, 16)) for code in text.replace("+", " ").split())


def show(units) -> str:
    return " ".join("+".join(f"{ord(char):x}" for char in unit) for unit in units if unit)


def units(text: str, mode: NormMode) -> str:
    segmented = Segmenter(mode).segment(text)
    assert segmented.valid, segmented.messages
    return show(unit for unit in segmented.units if unit != " ")


CASES = {
    "latin": ("cafe\u0301 x\u0323\u0307", "63 61 66 e9 1e8b+323", "63 61 66 e9 1e8b 323"),
    "hebrew": ("שָׁל", "5e9+5b8+5c1 5dc", "5e9 5b8 5c1 5dc"),
    "thai": ("น้ำ", "e19+e49 e33", "e19 e49 e33"),
    "explicit-virama": (
        "राम् क्",
        "930+93e 92e+94d+200c 915+94d+200c",
        "930 93e 92e 94d+200c 915 94d+200c",
    ),
    "half-forms": (
        "क्‍ष र्‍य",
        "915+94d+200d+937 930+94d+200d+92f",
        "915+94d+200d 937 930+94d+200d 92f",
    ),
    "vedic": ("का॑", "915+93e 951", "915 93e 951"),
    "tamil": ("ஃக் க்ஷ", "b83 b95+bcd+200c b95+bcd+bb7", "b83 b95 bcd+200c b95 bcd bb7"),
    "telugu-subscript": ("క్ష", "c15+c4d+c37", "c15 c4d+c37"),
    "sinhala-rakar": ("ක්‍ර", "d9a+dca+200d+dbb", "d9a dca+200d+dbb"),
    "malayalam": (
        "ന്‍ ൻ ക്ക",
        "d28+d4d+200d+20 d7b d15+d4d+d15",
        "d28+d4d+200d d7b d15 d4d d15",
    ),
    "bengali": ("ক্ষি", "995+9cd+9b7+9bf", "995 9cd 9b7 9bf"),
    "kannada": ("ಕನ್ನಡ", "c95 ca8+ccd+ca8 ca1", "c95 ca8 ccd+ca8 ca1"),
    "khmer": ("ខ្មែរ កុំ", "1781+17d2+1798+17c2 179a 1780+17bb+17c6",
              "1781 17d2+1798 17c2 179a 1780 17bb 17c6"),
    "myanmar": ("မြန်မာ က္က", "1019+103c 1014+103a+1019+102c 1000+1039+1000",
                "1019 103c 1014 103a 1019 102c 1000 1039+1000"),
    "javanese": ("ꦱ꧀ꦮꦺꦴ", "a9b1+a9c0+a9ae a9ba+a9b4", "a9b1 a9c0+a9ae a9ba a9b4"),
    "javanese-pangkon-at-the-end": ("ꦱꦤ꧀", "a9b1 a9a4+a9c0", "a9b1 a9a4 a9c0"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "graphemes", "glyphs"), CASES.values(), ids=CASES)
def test_graphemes_and_glyphs(text, graphemes, glyphs):
    assert units(text, GRAPHEMES) == graphemes
    assert units(text, GLYPHS) == glyphs
    assert units(text, CHARACTERS) == glyphs.replace("+", " ")


@pytest.mark.parametrize(
    ("hexes", "message"),
    [
        ("93e", "Invalid start of grapheme sequence:M=0x93e"),
        ("915 94d 94d", "Two grapheme links in a row:0x94d 0x94d"),
        ("905 93e", "Badly formed Indic vowel sequence:0x905 0x93e"),
        ("e40 e40", "Badly formed Thai:0xe40 0xe40"),
        ("e01 e32 e48", "Badly formed Thai:0xe32 0xe48"),
        ("915 93e 94d 200d", "ZWJ after a post-matra virama!!"),
        ("915 915 915 94d 200d 200c", "Virama ZWJ ZWNJ in non-Sinhala: base=0x900!"),
        ("915 200d 94d", "Invalid pre-virama joiner with no 2nd consonant!!"),
        ("915 200d 94d 200d 915", "JHJ!!: 0x200d 0x94d 0x200d"),
        ("17b6", "Invalid start of Khmer syllable:0x17b6"),
        ("1780 1780 200d", "Unterminated joiner: 0x200d"),
        ("1780 1780 200d 17c7", "Joiner with non-dependent vowel after it!:0x200d 0x17c7"),
        ("1004 103a 1039 1002", "Two grapheme links in a row:0x103a 0x1039"),
        ("102c 1000", "Invalid start of Myanmar syllable:0x102c"),
        ("a9b6", "Invalid start of grapheme sequence:M=0xa9b6"),
    ],
)  # fmt: skip
def test_broken_rules_are_named(hexes, message):
    segmented = Segmenter(GRAPHEMES).segment(codes(hexes))
    assert not segmented.valid
    assert message in segmented.messages


@pytest.mark.parametrize(
    ("hexes", "message", "left"),
    [
        ("915 20 200d 915", "Dropping isolated joiner: 0x200d", "915 20 915"),
        ("915 200d 93e", "Skipping unnecessary joiner: 0x915 0x200d 0x93e", "915+93e"),
        ("915 20 915 200d", "Skipping ending joiner: 0x915 0x200d", "915 20 915"),
    ],
)
def test_needless_joiners_are_dropped(hexes, message, left):
    segmented = Segmenter(GRAPHEMES).segment(codes(hexes))
    assert segmented.valid
    assert segmented.messages == (message,)
    assert show(segmented.units) == left


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("abc", 0),
        ("हिन्दी abc", 0x900),
        ("हिन ไทยไทย", 0),
        ("한국어", 0),
        ("မြန်မာ", 0x1000),
        ("ꦲꦤ", 0xA980),
        ("क漢", 0),
        ("漢क", 0x900),
        ("क\u200d\u200d\u200d", 0),
        ("\u0f80\u0f81कख", 0x900),
        ("", 0),
    ],
    ids=["latin", "hindi", "mostly-thai", "hangul", "myanmar", "javanese", "tie-last-wins",
         "tie-last-is-indic", "joiners-count", "tie-same-bucket", "empty"],
)  # fmt: skip
def test_script_of_most_characters(text, script):
    assert virama_script(text) == script


PLAIN = st.characters(codec="utf-8").filter(is_plain)


@given(st.text(PLAIN), st.sampled_from(NormMode))
def test_plain_characters_are_units_of_their_own(text, mode):
    segmented = Segmenter(mode).segment(text)
    assert segmented == Segmenter(mode).segment(text)
    assert (segmented.units, segmented.valid) == (tuple(text), True)


ALPHABETS = {
    "devanagari": "कखरय\u093c\u093e\u093f\u0902\u0951\u094d",
    "sinhala": "\u0d9a\u0dba\u0dbb\u0dca\u0dcf\u0d82",
    "malayalam": "\u0d15\u0d28\u0d05\u0d02\u0d4d\u0d3e",
    "kannada": "\u0c95\u0ca8\u0cbc\u0ccd\u0cbe",
    "khmer": "\u1780\u1798\u17d2\u17b6\u17c6\u17cc\u17c9",
    "myanmar": "\u1000\u1004\u1039\u103a\u103b\u102c\u1038\u1040",
    "javanese": "\ua9b1\ua9c0\ua9ba\ua9b4\ua9b6\ua9be\ua9bf",
    "thai": "\u0e01\u0e48\u0e31\u0e32\u0e40",
}


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
@given(st.data())
def test_modes_refine_each_other(alphabet, data):
    text = data.draw(st.text(alphabet + " \u200c\u200d", max_size=12))
    graphemes, glyphs, characters = (Segmenter(mode).segment(text) for mode in NormMode)
    assert characters.units == tuple(char for unit in characters.units for char in unit)
    if not all(one.valid for one in (graphemes, glyphs, characters)):
        return
    assert "".join(graphemes.units) == "".join(characters.units)
    # What a joiner at the end is skipped after gets lost when glyphs are asked for.
    if not any("ending joiner" in message for message in glyphs.messages):
        assert "".join(glyphs.units) == "".join(characters.units)
        assert len(glyphs.units) <= len(characters.units)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
@given(st.data())
def test_remembered_words_change_nothing(alphabet, data):
    texts = data.draw(st.lists(st.text(alphabet + "  a\u0301\u200c\u200d", max_size=9), max_size=5))
    together = Segmenter(GLYPHS)
    assert [together.segment(text) for text in texts * 2] == [
        Segmenter(GLYPHS).segment(text) for text in texts * 2
    ]
