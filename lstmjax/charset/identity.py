"""Whether two character sets give the same meaning to the outputs of a network.

They do if every row has the same unichar and codes, in the order of the unicharset. Other columns
(properties, sizes, script, normed form) do not change what an output stands for.

Tesseract's checkpoints do not hold their character set. Training puts it beside them, in
`<model_output>.charset`; without that file only the number of codes can be compared.
"""

import os
import re
import sys
from dataclasses import dataclass
from itertools import zip_longest

from lstmjax.charset.codec import Codec
from lstmjax.errors import CharsetError, FormatError, Say
from lstmjax.formats import charset_rows, traineddata
from lstmjax.formats.charset_rows import Row, Rows
from lstmjax.formats.files import PathLike, read_bytes
from lstmjax.formats.unicharset import BROKEN

_CHECKPOINT = re.compile(
    r"(.+)(?:_checkpoint|_best\.checkpoint|_[0-9.]+_[0-9]+_[0-9]+\.checkpoint)", re.DOTALL
)


@dataclass(frozen=True)
class NamedRows:
    """The rows of a character set, and the file they are from."""

    rows: Rows
    source: str


def rows_of(codec: Codec) -> Rows:
    """The rows of a character set; the last is the null if no unichar stands for it."""
    unichars = [row.unichar for row in codec.unicharset.table.rows]
    return tuple(zip_longest(unichars, codec.recoder.codes))


def charset_path(model_output: str) -> str:
    """The file in which a run, or a network file of this name, keeps its character set."""
    return f"{model_output}.charset"


def find_rows(path: PathLike) -> NamedRows | None:
    """The character set of a checkpoint or `.lstm` file, if it stands beside it.

    Args:
      path: path of the network; `out/a.lstm` has `out/a.lstm.charset`, and all checkpoints of a
        run with --model_output out/a have `out/a.charset`.
    Raises: FormatError: the file beside it is damaged; names it.
    """
    name = os.fspath(path)
    found = _CHECKPOINT.fullmatch(name)
    # A record of the very file comes before that of its run.
    for base in [name, *(found.groups() if found else ())]:
        beside = charset_path(base)
        if os.path.isfile(beside):
            return NamedRows(charset_rows.load(beside), beside)
    return None


def check(network: str, known: NamedRows | None, given: NamedRows, say: Say, *, hint: str) -> None:
    """Refuse a character set that is not the one a network was trained with.

    Args:
      network: source of the network, for messages.
      known: the character set it was trained with; None if there is no record, which is said.
      given: the character set that it is to be used with.
      say: called with a line for the user.
      hint: advice for the error message.
    Raises: CharsetError: the sets differ; names the first row that does.
    """
    if known is None:
        say(unchecked(network, given.source))
        return
    text = difference(known, given)
    if text:
        raise CharsetError(f"{network} was trained with another character set: {text}. {hint}")


def check_beside(
    network: PathLike, codec: Codec, charsets: PathLike, say: Say | None = None
) -> None:
    """Refuse to read with a character set that is not that of a checkpoint or `.lstm` file.

    Args:
      network: path of the checkpoint or `.lstm` file.
      codec: the character set.
      charsets: path of the traineddata that holds the character set.
      say: called with a line if there is no record of the network's own; None for stderr.
    Raises: CharsetError: the sets differ. FormatError: the file beside the network is damaged.
    """
    given = NamedRows(rows_of(codec), os.fspath(charsets))
    hint = "Use the traineddata it was trained with"
    known = known_rows(network, given)
    check(os.fspath(network), known, given, say or say_on_stderr, hint=hint)


def known_rows(network: PathLike, given: NamedRows) -> NamedRows | None:
    """The character set of a checkpoint or `.lstm` file, if there is a record of it.

    Args:
      network: path of the checkpoint or `.lstm` file.
      given: a character set; the network's own if its traineddata holds this very network.
    Raises: FormatError: the file beside the network is damaged.
    """
    known = find_rows(network)
    if known is None and _holds(given.source, network):
        return given
    return known


def _holds(path: str, network: PathLike) -> bool:
    """Whether the network in a traineddata is the content of a file."""
    try:
        return traineddata.load(path).components.get("lstm") == read_bytes(network)
    except FormatError:
        return False


def unchecked(network: str, given: str) -> str:
    """The warning for a network whose character set is not known."""
    return (
        f"{network}: there is no record of the characters it was trained with; only their number "
        f"could be compared with {given}"
    )


def difference(one: NamedRows, other: NamedRows) -> str:
    """The first row in which two character sets differ, in words; "" if there is none.

    Rows of the null come last, since the code of the null changes with the size of the set.
    """
    nulls = {_codes_of_null(one.rows), _codes_of_null(other.rows)}
    pairs = enumerate(zip_longest(one.rows, other.rows))
    differing = [(number, *pair) for number, pair in pairs if pair[0] != pair[1]]
    if not differing:
        return ""

    def is_of_null(found: tuple[int, Row | None, Row | None]) -> bool:
        return all(row is not None and row[1] in nulls for row in found[1:])

    number, mine, others = min(differing, key=is_of_null)
    return (
        f"row {number} is {describe_row(mine)} in {one.source}, "
        f"but {describe_row(others)} in {other.source}"
    )


def _codes_of_null(rows: Rows) -> tuple[int, ...]:
    special = len(rows) > 2 and rows[2][0] == BROKEN
    return rows[2 if special else -1][1] if rows else ()


def describe_row(row: Row | None) -> str:
    """A row in words: its text, code points and codes."""
    if row is None:
        return "missing"
    unichar, codes = row
    spelled = " ".join(map(str, codes)) or "none"
    counted = "code" if len(codes) == 1 else "codes"
    if unichar is None:
        return f"the null ({counted} {spelled})"
    points = " ".join(f"U+{ord(char):04X}" for char in unichar)
    return f"{unichar!r} ({points}, {counted} {spelled})"


def say_on_stderr(text: str) -> None:
    """Print a line for the user."""
    print(text.encode("utf-8", "replace").decode(), file=sys.stderr)
