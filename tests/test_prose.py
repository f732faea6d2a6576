"""Docstrings explain every argument with a noun phrase that can be read by itself."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lstmjax"

FRAGMENT = re.compile(r"(?:of|its|with|what|whose|likewise|as there|the same)\b", re.IGNORECASE)
SECTION = re.compile(r"(?:Args|Attributes):(?P<rest> .*)?")
OTHER_SECTION = re.compile(r"(?:Returns|Yields|Raises|Sources?|Examples?):")
NAMES = r"\*{0,2}\w+(?:, \*{0,2}\w+)*"
ENTRY = re.compile(rf"(?P<name>{NAMES}):\s(?P<text>.*)", re.DOTALL)
BETWEEN_ENTRIES = re.compile(rf"(?:;\s+|\n)(?={NAMES}:\s)")


def arguments(docstring: str) -> Iterator[tuple[str, str]]:
    """Name and text of every argument or attribute that a docstring explains.

    They are the entries of a section, or of a list elsewhere: "name: text; name: text", or one a
    line.
    """
    for lines in paragraphs(inspect.cleandoc(docstring).splitlines()):
        if OTHER_SECTION.match(lines[0]):
            continue
        heading = SECTION.fullmatch(lines[0])
        if heading and len(lines) > 1:
            depth = len(lines[1]) - len(lines[1].lstrip())
            entries = [line[depth:] for line in lines[1:]]  # lines that go on begin with a blank
        else:
            text = "\n".join(line.strip() for line in lines)
            entries = BETWEEN_ENTRIES.split((heading["rest"] or "").strip() if heading else text)
        for entry in map(ENTRY.match, entries):
            if entry:
                yield entry["name"], entry["text"]


def heads_section(line: str) -> bool:
    return bool(SECTION.match(line) or OTHER_SECTION.match(line))


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """The lines of a docstring in groups: a section each, or a paragraph."""
    group: list[str] = []
    for line in lines:
        begins = heads_section(line) or not line
        ends = group and heads_section(group[0]) and line[:1].strip()
        if group and (begins or ends):
            yield group
            group = []
        if line:
            group.append(line)
    if group:
        yield group


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string that stands by itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield node.lineno, text


def fragments(source: str) -> list[str]:
    """The docstrings and argument texts of a module that mean nothing by themselves."""
    found = []
    for line, docstring in docstrings(ast.parse(source)):
        if docstring.lower().startswith("likewise"):
            found.append(f"line {line}: {docstring}")
        for name, text in arguments(docstring):
            if FRAGMENT.match(text):
                found.append(f"line {line}: {name}: {text}")
    return found


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", modules())
def test_arguments_are_explained(module):
    assert fragments((PACKAGE / module).read_text()) == []


@pytest.mark.parametrize(
    "docstring",
    [
        "Likewise.",
        "Likewise for rows.",
        "x: of the line.",
        "Do it.\n\n    x: a number; y: its square.",
        "Do it.\n\n    Args:\n      x: a number.\n      y, z: As there.",
        "Do it.\n\n    Attributes:\n      x: rows\n        of it.\n      y: the same for columns.",
        "Do it.\n\n    x: a number; and\n    more; y:\n    of it.",
        "Do it.\n\n    x: a number.\n    y: of it.",
        "Do it.\n\n    Args: x: what is read.\n    Returns: nothing.",
    ],
)
def test_fragments_are_found(docstring):
    assert len(fragments(f'def f():\n    """{docstring}"""\n')) == 1


@pytest.mark.parametrize(
    "docstring",
    [
        "Of all lines, find the best one.",
        "Do it.\n\n    Args:\n      x: offset of a line,\n        of which there are many.",
        "Do it.\n\n    Args:\n      x: office.\n    Returns: with luck, a number.",
        "Do it.\n\n    Raises:\n      ValueError: with luck, none.",
        "Find the rows: of each, the first column.",
    ],
)
def test_sentences_are_no_fragments(docstring):
    assert fragments(f'def f():\n    """{docstring}"""\n') == []
