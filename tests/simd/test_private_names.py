"""All contact with the private parts of numba and LLVM is in `simd`, which says what it knows."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lstmjax"
SIMD = PACKAGE / "simd"
PRIVATE = re.compile(
    r"\bllvmlite\b|\bnumba\.(core|extending)\b|from numba import .*\btypes\b|_reload_init"
)
# A fingerprint of the compiler, without loading numba: public functions of llvmlite alone.
FINGERPRINT = PACKAGE / "cache" / "code.py"
TRIED = re.compile(r"[Tt]ried with numba 0\.\d+")


def private_lines(path: Path) -> list[str]:
    """The lines of a module that name something private."""
    return [line for line in path.read_text().splitlines() if PRIVATE.search(line)]


def test_nothing_outside_touches_the_private_parts_of_numba():
    outside = {path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(SIMD)}
    found = {path.relative_to(PACKAGE): private_lines(path) for path in outside - {FINGERPRINT}}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize("path", sorted(SIMD.glob("*.py")), ids=lambda path: path.stem)
def test_modules_that_touch_them_say_which_numba_they_were_tried_with(path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    if private_lines(path):
        assert TRIED.search(docstring)


def test_the_tests_above_find_something():
    assert private_lines(FINGERPRINT)
    assert sum(bool(private_lines(path)) for path in SIMD.glob("*.py")) >= 6
