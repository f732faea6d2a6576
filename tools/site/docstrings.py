"""An extension of griffe: rewrites the docstrings of this project for mkdocstrings."""

import re
from typing import Any

import griffe

_ONE_LINE = re.compile(r"^(Returns|Raises|Source): (?=\S)", re.M)


def as_google(text: str) -> str:
    """Give results, errors and sources paragraphs of their own, and examples their usual title."""
    text = re.sub(r"^Example:$", "Examples:", text, flags=re.M)
    return _ONE_LINE.sub(r"\n**\1:** ", text)


class Docstrings(griffe.Extension):
    """Changes every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = as_google(obj.docstring.value)
