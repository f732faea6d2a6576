"""The order of lines in a document: shuffled with a seed that is made from the file's name.

Source: Tesseract src/ccstruct/imagedata.cpp, DocumentData::Shuffle; libstdc++ hash_bytes.cc.
"""

from collections.abc import Sequence
from typing import TypeVar

from lstmjax.data.random import MinStd

_MASK = (1 << 64) - 1
_MULTIPLIER = 0xC6A4A7935BD1E995
_SEED = 0xC70F6907

T = TypeVar("T")


def hash_name(name: bytes) -> int:
    """Hash a string as `std::hash` of GNU's C++ library does: 64-bit Murmur, version 2."""
    value = (_SEED ^ len(name) * _MULTIPLIER) & _MASK
    # MurmurHash64A takes eight bytes at a time, little-endian, and the rest as one short word.
    whole = len(name) // 8 * 8
    for start in range(0, whole, 8):
        word = int.from_bytes(name[start : start + 8], "little")
        mixed = _mix(word * _MULTIPLIER & _MASK) * _MULTIPLIER & _MASK
        value = (value ^ mixed) * _MULTIPLIER & _MASK
    if len(name) > whole:
        value = (value ^ int.from_bytes(name[whole:], "little")) * _MULTIPLIER & _MASK
    return _mix(_mix(value) * _MULTIPLIER & _MASK)


def _mix(value: int) -> int:
    return value ^ value >> 47


def shuffle(items: Sequence[T], name: str) -> list[T]:
    """Return items in the order that they get in a document.

    Args:
      items: the items in the order of the page.
      name: path of the document as the user gave it, directory and ending included.
    """
    out = list(items)
    if out:
        numbers = MinStd.seed(hash_name(name.encode("utf-8", "surrogateescape")))
        swaps = numbers.integers(2 * len(out)).reshape(-1, 2) % len(out)
        for source, target in swaps.tolist():
            out[source], out[target] = out[target], out[source]
    return out
