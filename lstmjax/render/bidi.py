"""Embedding levels of mixed left-to-right and right-to-left text.

Explicit embeddings, overrides and isolates are ignored: training texts hold next to none, and the
letters between them still get their own direction.
Source: Unicode Standard Annex 9, rules P2 to P3 and W1 to I2.
"""

import unicodedata
from functools import lru_cache

_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}
_NEUTRAL = frozenset(["B", "S", "WS", "ON"])
_CONTROLS = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"])
_PAIRS = {"(": ")", "[": "]", "{": "}", "\u2329": "\u232a", "\u3008": "\u3009"}


@lru_cache(maxsize=65536)
def direction(character: str) -> str:
    """The bidirectional class of a character; controls are BN, unassigned characters L."""
    name = unicodedata.bidirectional(character) or "L"
    return "BN" if name in _CONTROLS else name


def base_direction(text: str) -> str | None:
    """Return "L" or "R" by the first strong character, None without one."""
    for character in text:
        name = direction(character)
        if name == "L":
            return "L"
        if name in ("R", "AL"):
            return "R"
    return None


def embedding_levels(text: str, base: str) -> list[int]:
    """The level of each character: even from left to right, odd from right to left.

    Args:
      text: one paragraph, without the characters that end it.
      base: direction of the paragraph, "L" or "R".
    """
    kinds = [direction(c) for c in text]
    # Most texts have no right-to-left letters, and need none of the rules.
    if base == "L" and {"R", "AL", "AN"}.isdisjoint(kinds):
        return [0] * len(text)
    level = 1 if base == "R" else 0
    _resolve_weak(kinds, base)
    _resolve_brackets(text, kinds, base)
    _resolve_neutral(kinds, base)
    levels = [_implied(kind, level) for kind in kinds]
    _reset_ends(text, levels, level)
    return levels


def _implied(kind: str, level: int) -> int:
    """Rules I1 and I2."""
    if level % 2:
        return level + 1 if kind in ("L", "EN", "AN") else level
    return {"R": level + 1, "EN": level + 2, "AN": level + 2}.get(kind, level)


def _resolve_weak(kinds: list[str], base: str) -> None:
    """Rules W1 to W7, in place; controls take the class of the character before them."""
    _resolve_marks_and_digits(kinds, base)
    size = len(kinds)
    for i in range(1, size - 1):  # W4
        if (kinds[i] in ("ES", "CS") and kinds[i - 1] == kinds[i + 1] == "EN") or (
            kinds[i] == "CS" and kinds[i - 1] == kinds[i + 1] == "AN"
        ):
            kinds[i] = kinds[i - 1]
    for i in range(1, size):  # W5
        if kinds[i] == "ET" and kinds[i - 1] == "EN":
            kinds[i] = "EN"
    for i in range(size - 2, -1, -1):
        if kinds[i] == "ET" and kinds[i + 1] == "EN":
            kinds[i] = "EN"
    strong = base
    for i, kind in enumerate(kinds):  # W6 and W7
        if kind in ("ES", "ET", "CS"):
            kinds[i] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"


def _resolve_marks_and_digits(kinds: list[str], base: str) -> None:
    """Rules W1 to W3."""
    last = strong = base
    for i, kind in enumerate(kinds):
        if kind in ("NSM", "BN"):
            kinds[i] = kind = last
        last = kind
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
        if kind == "AL":
            kinds[i] = "R"


def _resolve_brackets(text: str, kinds: list[str], base: str) -> None:
    """Rule N0: a pair of brackets takes the direction of its content or of the text before it."""
    open_brackets: list[int] = []
    pairs = []
    for i, character in enumerate(text):
        if kinds[i] != "ON":
            continue
        if character in _PAIRS:
            open_brackets.append(i)
        else:
            # From the innermost; brackets opened after the partner stay unmatched (BD16).
            for j in reversed(range(len(open_brackets))):
                if _PAIRS[text[open_brackets[j]]] == character:
                    pairs.append((open_brackets[j], i))
                    del open_brackets[j:]
                    break
    # By their opening brackets: a pair may depend on the direction that an outer one got.
    for start, end in sorted(pairs):
        inside = {_STRONG.get(kind) for kind in kinds[start + 1 : end]}
        if base in inside:
            kinds[start] = kinds[end] = base
        elif inside & {"L", "R"}:
            other = "L" if base == "R" else "R"
            before = next((s for k in reversed(kinds[:start]) if (s := _STRONG.get(k))), base)
            kinds[start] = kinds[end] = other if before == other else base


def _resolve_neutral(kinds: list[str], base: str) -> None:
    """Rules N1 and N2: neutral text between two texts of one direction takes that direction."""
    i = 0
    while i < len(kinds):
        if kinds[i] not in _NEUTRAL:
            i += 1
            continue
        end = i
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        left = _STRONG.get(kinds[i - 1], base) if i else base
        right = _STRONG.get(kinds[end], base) if end < len(kinds) else base
        kinds[i:end] = [left if left == right else base] * (end - i)
        i = end


def _reset_ends(text: str, levels: list[int], level: int) -> None:
    """Rule L1: separators, and spaces before them and at the end, get the level of the text."""
    pending = True
    for i in range(len(text) - 1, -1, -1):
        kind = direction(text[i])
        if kind in ("S", "B"):
            pending = True
            levels[i] = level
        elif kind in ("WS", "BN"):
            if pending:
                levels[i] = level
        else:
            pending = False
