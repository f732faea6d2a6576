"""Embedding levels against python-bidi, whose visual order follows from them."""

import pytest
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.render.bidi import base_direction, embedding_levels

ALPHABET = "ab אבגד بت 12 ٣٤.,()- "


def visual(text: str, base: str) -> str:
    """Reorder by levels (rule L2), without mirroring."""
    levels = embedding_levels(text, base)
    order = list(range(len(text)))
    for level in range(max(levels, default=0), 0, -1):
        i = 0
        while i < len(order):
            end = i
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[i:end] = order[i:end][::-1]
            i = max(end, i + 1)
    return "".join(text[i] for i in order)


def unmirrored(text: str) -> str:
    return text.replace(")", "(")


@pytest.mark.parametrize(
    "text",
    ["שלום עולם (abc 123) סוף", "abc שלום 12.5 def", "مرحبا 123 (قوس) abc", "1-2 אב", "a (ב) c"],
)
@pytest.mark.parametrize("base", ["L", "R"])
def test_order_of_examples(text, base):
    assert unmirrored(visual(text, base)) == unmirrored(str(get_display(text, base_dir=base)))


@given(st.text(ALPHABET, max_size=24), st.sampled_from("LR"))
def test_order_of_any_text(text, base):
    assert unmirrored(visual(text, base)) == unmirrored(str(get_display(text, base_dir=base)))


def test_base_direction():
    assert base_direction("12 abc א") == "L"
    assert base_direction("(א abc") == "R"
    assert base_direction("12 .") is None
