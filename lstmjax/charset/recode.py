"""Build the recoder of a unicharset: which codes a network is to emit for each unichar.

Hangul syllables become three jamo, Han characters the numbers of their shape, everything else
(conjuncts, ligatures, letters with marks) its code points. Thousands of unichars then need a few
hundred codes. A pass-through recoder leaves every unichar its own code.

Source: tesseract src/ccutil/unicharcompress.cpp, ComputeEncoding, SetupPassThrough.
"""

import unicodedata
from collections import Counter

from lstmjax.charset.radicals import Radicals
from lstmjax.charset.unicharset import SPACE, Unicharset
from lstmjax.errors import CharsetError
from lstmjax.formats.recoder import MAX_LENGTH, Recoder
from lstmjax.formats.stream import to_bytes

NUL = "<nul>"
"""Name of the null in the list of codes."""

_NUM_SPECIAL = 3  # space, Joined, Broken
_NULL_CODE = 1  # until codes are renumbered
_LEADING, _VOWEL, _TRAILING = 19, 21, 28  # numbers of jamo
_JAMO = _LEADING + _VOWEL + _TRAILING
_FIRST_HANGUL, _NUM_HANGUL = 0xAC00, _LEADING * _VOWEL * _TRAILING
_RADIX = 29


def null_id(unicharset: Unicharset) -> int:
    """The unichar_id that stands for the null; one more than there are if none is special."""
    return 2 if unicharset.has_special_codes else len(unicharset)


def build_recoder(unicharset: Unicharset, radicals: Radicals) -> Recoder:
    """Choose a small set of codes, in the way and order of Tesseract.

    The space is code 0, the null the last one. A unichar that the cleanup of texts deletes (a
    tatweel by itself) gets no codes; no cleaned text can contain it.

    Raises: CharsetError: a unichar needs too many codes, or all together need more codes than
      there are unichars; names the unichar and the way out. Or no unichar can be read.
    """
    drafts = _draft(unicharset, radicals)
    if not any(set(codes) - {SPACE, _NULL_CODE} for codes in drafts):
        raise CharsetError(
            f"none of the {len(unicharset)} unichars is a character to read; build the unicharset "
            "with unicharset_extractor from the texts to be read"
        )
    # The null is left out when positions are moved, as in the original, so it keeps its code.
    _separate_positions(drafts[: len(unicharset)], len(unicharset) + _JAMO)
    return Recoder(tuple(map(tuple, _close_gaps(drafts))))


def _draft(unicharset: Unicharset, radicals: Radicals) -> list[list[int]]:
    """Codes with gaps: direct ones, then jamo from N on, then shapes, the same at every place."""
    size, special = len(unicharset), unicharset.has_special_codes
    han_offset = size + _JAMO
    direct = {" ": SPACE, NUL: _NULL_CODE}
    shapes: Counter[int] = Counter()
    drafts = []
    for unichar_id in range(size if special else size + 1):
        text = unicharset.cleanup(unicharset.unichar(unichar_id)) if unichar_id < size else ""
        point = ord(text) if len(text) == 1 else -1
        if point in radicals:
            codes = _shape_codes(radicals[point], shapes, han_offset)
        elif _FIRST_HANGUL <= point < _FIRST_HANGUL + _NUM_HANGUL:
            codes = [size + jamo for jamo in _jamo(point - _FIRST_HANGUL)]
        elif unichar_id == SPACE:
            codes = [SPACE]
        elif unichar_id == null_id(unicharset) or (special and unichar_id < _NUM_SPECIAL):
            codes = [_NULL_CODE]
        else:
            codes = _direct_codes(unicharset, unichar_id, text, direct)
        drafts.append(codes)
    return drafts


def _shape_codes(numbers: tuple[int, ...], shapes: Counter[int], offset: int) -> list[int]:
    """The codes of a shape; the second and later characters of it get a serial number, too."""
    key = 0
    for number in numbers:
        key = (key * _RADIX + number) % 2**32  # Tesseract's hash, which is unsigned
    codes = [offset + number for number in numbers]
    if shapes[key]:
        codes.append(offset + _RADIX + shapes[key])
    shapes[key] += 1
    return codes


def _jamo(syllable: int) -> tuple[int, int, int]:
    leading, rest = divmod(syllable, _VOWEL * _TRAILING)
    vowel, trailing = divmod(rest, _TRAILING)
    return leading, _LEADING + vowel, _LEADING + _VOWEL + trailing


def _direct_codes(
    unicharset: Unicharset, unichar_id: int, text: str, direct: dict[str, int]
) -> list[int]:
    """One code for each code point; new ones are added to `direct`."""
    size = len(unicharset)
    limit = size if unicharset.has_special_codes else size + 1
    if len(text) > MAX_LENGTH:
        raise CharsetError(
            f"Unichar {unichar_id}={text} is too long to encode!! {_points(text)} are {len(text)} "
            f"code points, a unichar may have {MAX_LENGTH}; build the unicharset with "
            "--norm_mode 2 or 3, or use --pass_through_recoder"
        )
    if any("\udc80" <= char <= "\udcff" for char in text):
        raise CharsetError(
            f"unichar {unichar_id} is {to_bytes(text)!r}, which is not UTF-8, so it cannot be "
            "encoded; remove it from the unicharset"
        )
    for char in text:
        direct.setdefault(char, len(direct))
        if len(direct) > limit:
            raise CharsetError(
                "Code space expanded from original unicharset!! Unichar "
                f"{unichar_id}={text} ({_points(text)}) brings code {len(direct)}, "
                f"{_point(char)}, but there are only {size} unichars; build the unicharset with "
                "--norm_mode 2 or 3, or use --pass_through_recoder"
            )
    return [direct[char] for char in text]


def _point(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}"


def _points(text: str) -> str:
    return " ".join(f"U+{ord(char):04X}" for char in text[: 2 * MAX_LENGTH])


def _separate_positions(drafts: list[list[int]], han_offset: int) -> None:
    """Give every place within a shape codes of its own.

    As soon as there are Han characters, codes from the second place on are moved in all scripts.
    """
    offset = 0
    for place in range(MAX_LENGTH):
        here = [codes for codes in drafts if len(codes) > place]
        highest = max([0, *(codes[place] - han_offset for codes in here)])
        # Codes of Hangul and of letters move, too, as in the original.
        for codes in here:
            codes[place] += offset
        # No Han character has a code at this place: the original stops here, too.
        if highest == 0:
            break
        offset += highest + 1


def _close_gaps(drafts: list[list[int]]) -> list[list[int]]:
    """Renumber the codes in use from 0, the null last."""
    used = sorted({code for codes in drafts for code in codes} - {_NULL_CODE})
    final = {code: i for i, code in enumerate([*used, _NULL_CODE])}
    return [[final[code] for code in codes] for codes in drafts]


def codes_as_text(unicharset: Unicharset, recoder: Recoder) -> bytes:
    r"""List the codes of all unichars, a line `code,code...\tunichar` each.

    Specials that repeat the line before are left out. A unichar without codes is listed with 0.
    """
    lines = []
    for unichar_id, codes in enumerate(recoder.codes):
        may_repeat = 0 < unichar_id < _NUM_SPECIAL
        if may_repeat and codes == recoder.codes[unichar_id - 1]:
            continue
        is_null = unichar_id >= len(unicharset) or (may_repeat and unicharset.has_special_codes)
        text = NUL if is_null else unicharset.unichar(unichar_id)
        lines.append(f"{','.join(map(str, codes or (0,)))}\t{text}\n")
    return to_bytes("".join(lines))
