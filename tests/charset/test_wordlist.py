import numpy as np
import pytest
from charset.charset_samples import charset_of
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset import wordlist
from lstmjax.charset.failures import UnencodableError
from lstmjax.charset.wordlist import MAX_WORD, ReversePolicy, WordEncoder, WordIds
from lstmjax.errors import FormatError

PLAIN = charset_of("a", "b", "c", "ch", "f", "i", "xy", "(", ")")
RTL = charset_of("a", "ש", "ל", "(", ")", ש=1, ל=1)


def texts(words: WordIds, charset=PLAIN) -> list[str]:
    return [
        "".join(map(charset.unichar, words.ids[start:end]))
        for start, end in zip(words.starts, words.ends, strict=True)
    ]


def test_words_of_single_and_of_longer_unichars():
    words = WordEncoder(PLAIN).encode(b"ab\n\nchab\nabxy\nb a\n")
    # What needs splitting comes last in a block; the order makes no difference to a dawg.
    assert texts(words) == ["ab", "b a", "chab", "abxy"]
    assert words.ids.dtype == np.uint16
    assert words.skipped.total == 0


def test_cleanup_carriage_returns_and_a_last_line_without_end():
    words = WordEncoder(PLAIN).encode("ﬁ\r\na\u0640b\r\r\nac".encode())
    assert texts(words) == ["fi", "ab", "ac"]


def test_what_cannot_be_written_is_counted_by_character():
    text = "é\nbéè\naab\nxa\nax\n".encode() + b"a\xff\n" + b"a" * 500 + b"\n"
    words = WordEncoder(PLAIN).encode(text)
    assert texts(words) == ["aab"]
    assert words.skipped.characters == {"é": 2, "x": 2, "\udcff": 1}
    assert words.skipped.too_long == 1
    about = words.skipped.describe("x.txt", len(words))
    assert about.startswith("x.txt: left out 6 of 7 words")
    assert "2 with é (U+00E9)" in about
    assert "byte 0xff (not UTF-8)" in about
    assert "1 longer than 499 characters" in about


def test_many_characters_are_summed_up():
    about = WordEncoder(PLAIN).encode("\n".join("éèêëēĕėę").encode()).skipped.describe("x", 0)
    assert about.endswith("3 with 3 other characters")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(0, ["a(", "aש(", "של)"]), (1, ["a(", ")שa", "(לש"]), (2, [")a", ")שa", "(לש"])],
)
def test_reversal(policy, expected):
    words = WordEncoder(RTL, ReversePolicy(policy)).encode("a(\naש(\nשל)\n".encode())
    assert texts(words, RTL) == expected


@given(st.lists(st.text("abchfixy ()é", max_size=6)))
def test_fast_and_slow_ways_agree(lines):
    expected, bad = [], 0
    for line in lines:
        try:
            ids = PLAIN.encode(line)
        except UnencodableError:
            bad += 1
            continue
        if ids:
            expected.append(tuple(ids))
    words = WordEncoder(PLAIN).encode("\n".join(lines).encode())
    found = [tuple(words.ids[s:e].tolist()) for s, e in zip(words.starts, words.ends, strict=True)]
    assert sorted(found) == sorted(expected)
    assert words.skipped.total == bad


@pytest.mark.parametrize("size", [1, 3, 7, 16])
def test_blocks_make_no_difference(monkeypatch, tmp_path, size):
    text = b"ab\nabc\n" + b"a" * 40 + b"\nchab\nb"
    path = tmp_path / "words"
    path.write_bytes(text)
    whole = WordEncoder(PLAIN).read(path)
    monkeypatch.setattr(wordlist, "_BLOCK", size)
    parts = WordEncoder(PLAIN).read(path)
    kept = [word for word in texts(whole) if len(word) <= size]
    assert set(kept) <= set(texts(parts)) <= set(texts(whole))
    assert len(parts) + parts.skipped.too_long >= len(kept)


def test_a_line_without_end_takes_no_memory(monkeypatch):
    monkeypatch.setattr(wordlist, "_BLOCK", 1 << 12)
    words = WordEncoder(PLAIN).encode(b"ab\n" + b"a" * 100_000 + b"\nba\n" + b"c" * 10_000)
    assert texts(words) == ["ab", "ba"]
    assert words.skipped.too_long == 2
    assert MAX_WORD < 1 << 12


def test_empty_and_missing(tmp_path):
    assert len(WordEncoder(PLAIN).encode(b"")) == 0
    assert len(WordEncoder(PLAIN).encode(b"\n\r\n\n")) == 0
    with pytest.raises(FormatError, match="words: cannot be read: No such file"):
        WordEncoder(PLAIN).read(tmp_path / "words")
    with pytest.raises(FormatError, match="cannot be read: Is a directory"):
        WordEncoder(PLAIN).read(tmp_path)
