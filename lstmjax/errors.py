"""The errors that a user can meet. Each says what is wrong, where, and what to do next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
"""Function that prints a line for the user, which is no error but worth knowing."""


class LstmjaxError(Exception):
    """Base of every error this package raises on purpose; its text is meant for users."""


class FormatError(LstmjaxError):
    """A file holds bytes that its format does not allow.

    Codecs raise it with what they know (the byte offset, the field); callers that know the
    component or the file add it with `naming`.
    """

    def __init__(
        self,
        problem: str,
        *,
        offset: int | None = None,
        component: str | None = None,
        file: str | None = None,
    ):
        self.problem = problem
        self.offset = offset
        self.component = component
        self.file = file
        super().__init__(problem)

    def __str__(self) -> str:
        where = [
            self.file,
            self.component,
            None if self.offset is None else f"byte {self.offset:#x}",
        ]
        return ": ".join([part for part in where if part] + [self.problem])


class CharsetError(LstmjaxError):
    """A text or a character set that cannot be encoded or decoded."""


class SpecError(LstmjaxError):
    """A net_spec that cannot be parsed or built; shows the place with a caret."""

    def __init__(self, problem: str, *, spec: str = "", column: int | None = None):
        self.problem = problem
        self.spec = spec
        self.column = column
        super().__init__(problem)

    def __str__(self) -> str:
        if self.column is None:
            return f"{self.problem}\n  {self.spec}" if self.spec else self.problem
        # The caret must survive tabs and newlines inside the spec.
        shown = "".join(" " if c.isspace() else c for c in self.spec)
        return f"{self.problem} (column {self.column + 1})\n  {shown}\n  {' ' * self.column}^"


class DataError(LstmjaxError):
    """Training or evaluation data that cannot be used at all."""


class TrainError(LstmjaxError):
    """A training run that cannot start or go on."""


class UsageError(LstmjaxError):
    """A command line that asks for something wrong, contradictory or not available."""


@contextmanager
def naming(*, file: str | None = None, component: str | None = None) -> Iterator[None]:
    """Add the file or component to any `FormatError` raised inside."""
    try:
        yield
    except FormatError as err:
        err.file = err.file or file
        err.component = err.component or component
        raise
