"""A position in a net_spec: characters, numbers, and errors that point at a column."""

import re
from typing import NoReturn

from lstmjax.errors import SpecError

MAX_SPEC = 10_000  # characters
MAX_SIZE = 65_535  # rows or columns of a weight matrix in a model file

_BLANKS = " \t\n"
# As C's strtol reads it: any white space and a sign may come before the digits.
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")


class Reader:
    """Reads a net_spec from left to right; every expectation that fails is a `SpecError`."""

    def __init__(self, spec: str):
        if len(spec) > MAX_SPEC:
            raise SpecError(f"the net_spec has {len(spec)} characters, more than {MAX_SPEC}")
        self.spec = spec
        self.at = 0

    def fail(self, problem: str, column: int | None = None) -> NoReturn:
        raise SpecError(problem, spec=self.spec, column=self.at if column is None else column)

    def peek(self) -> str:
        """Return the character at the position, '' at the end."""
        return self.spec[self.at : self.at + 1]

    def since(self, start: int) -> str:
        """Return the text between a column and the position."""
        return self.spec[start : self.at]

    def skip_blanks(self) -> None:
        while self.peek() and self.peek() in _BLANKS:
            self.at += 1

    def found(self) -> str:
        return f"found {self.peek()!r}" if self.peek() else "found the end of the spec"

    def one_of(self, choices: dict[str, str], what: str) -> str:
        """Take one character that must be a key; the values explain the choices."""
        char = self.peek()
        if not char or char not in choices:
            listed = ", ".join(f"{key} ({means})" for key, means in choices.items())
            self.fail(f"expected {what}, one of {listed}; {self.found()}")
        self.at += 1
        return char

    def comma(self, before: str) -> None:
        if self.peek() != ",":
            self.fail(f"expected ',' and {before}; {self.found()}")
        self.at += 1

    def at_number(self) -> bool:
        return _INTEGER.match(self.spec, self.at) is not None

    def number(self, what: str, least: int = 1, most: int = MAX_SIZE) -> int:
        match = _INTEGER.match(self.spec, self.at)
        if match is None:
            self.fail(f"expected {what}, a number; {self.found()}")
        digits = match[1]
        # Python refuses to convert thousands of digits; no valid number has more than ten.
        value = int(digits) if len(digits) < 20 else most + 1
        if not least <= value <= most:
            found = digits if len(digits) < 20 else f"{digits[:20]}..."
            column = match.start(1)
            self.fail(f"expected {what} from {least} to {most}, found {found}", column)
        self.at = match.end()
        return value

    def numbers(self, *what: str, least: int = 1) -> list[int]:
        """Take numbers with commas between them."""
        values = [self.number(what[0], least)]
        for each in what[1:]:
            self.comma(each)
            values.append(self.number(each, least))
        return values

    def closes(self, bracket: str, opened: int) -> bool:
        """Say whether the closing bracket comes next, and take it."""
        self.skip_blanks()
        if not self.peek():
            self.fail(
                f"expected {bracket!r} to close the {self.spec[opened]!r} of column {opened + 1}; "
                + self.found()
            )
        if self.peek() != bracket:
            return False
        self.at += 1
        return True
