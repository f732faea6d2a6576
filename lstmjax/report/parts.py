"""Building blocks of the page: escaped text, marked differences, numbers, bars and tables."""

import html
import math
import unicodedata
from collections.abc import Sequence

from lstmjax.data.skips import named, printable
from lstmjax.report.align import segments
from lstmjax.report.statistics import Difference, Rate

_COLOURS = ("--bar", "--bar2", "--bar3", "--bar4")


def text(value: str) -> str:
    """Text escaped for HTML elements and attributes; control characters become visible escapes."""
    return html.escape(printable(value))


def percent(rate: float) -> str:
    """A fraction in percent, with two decimals."""
    return f"{100 * rate:.2f} %" if math.isfinite(rate) else "∞"


def interval(rate: Rate | Difference) -> str:
    """The bounds of an interval in percent; with signs for a difference."""
    signed = "+" if isinstance(rate, Difference) else ""
    low, high = (
        f"{100 * bound:{signed}.2f}" if math.isfinite(bound) else "∞"
        for bound in (rate.low, rate.high)
    )
    return f"{low} to {high}"


def points(value: float) -> str:
    """A difference of rates in percentage points, with its sign."""
    return f"{100 * value:+.2f}"


def p_value(value: float) -> str:
    """A p-value with three decimals."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def marked(truth: str, read: str) -> tuple[str, str]:
    """Truth and reading as HTML, with differences marked; a missing reading shows as a caret."""
    left, right = [], []
    for piece in segments(truth, read):
        if piece.same:
            left.append(text(piece.truth))
            right.append(text(piece.read))
        else:
            left.append(f"<del>{visible(piece.truth)}</del>" if piece.truth else "")
            right.append(f"<ins>{visible(piece.read) if piece.read else '‸'}</ins>")
    return _span(left), _span(right)


def _span(pieces: Sequence[str]) -> str:
    return f'<span class="t">{"".join(pieces)}</span>'


def visible(piece: str) -> str:
    """A short text as HTML in which spaces and lone combining marks are visible."""
    shown = piece.replace(" ", "␣")
    if shown and is_mark(shown[0]):
        # A mark needs a character to stand on: a dotted circle.
        shown = "◌" + shown
    return text(shown)


def is_mark(char: str) -> bool:
    """Whether a character combines with the one before it."""
    return unicodedata.category(char).startswith("M")


def character(piece: str) -> str:
    """A piece of text for a table of confusions; its tooltip has the names of its characters."""
    if not piece:
        return '<span class="soft">nothing</span>'
    names = ", ".join(named(char) for char in piece)
    return f'<span class="t" title="{text(names)}">{visible(piece)}</span>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], kinds: str) -> str:
    """A table.

    Args:
      head: texts of the header row, not yet escaped.
      rows: cells of the other rows, as HTML.
      kinds: a letter for each column: n number, t text, w wide text, b bar, l long bar.
    """
    classes = {
        "n": ' class="n"',
        "t": ' class="name"',
        "w": ' class="name broad"',
        "b": ' class="track"',
        "l": ' class="track long"',
    }
    above = "".join(
        f"<th{classes[k] if k == 'n' else ''}>{text(cell)}</th>"
        for k, cell in zip(kinds, head, strict=True)
    )
    below = "".join(
        "<tr>"
        + "".join(f"<td{classes[k]}>{cell}</td>" for k, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{above}</tr></thead>'
        f"<tbody>{below}</tbody></table></div>"
    )


def colour(place: int) -> str:
    """The colour of a model, by its place in the report."""
    return f"var({_COLOURS[place % len(_COLOURS)]})"


def dot(place: int) -> str:
    """A dot in the colour of a model."""
    return f'<span class="dot" style="background:{colour(place)}"></span>'


def bar(share: float, place: int) -> str:
    """A bar whose length is a fraction of its cell, in the colour of a model."""
    return f'<div class="bar" style="width:{100 * share:.2f}%;background:{colour(place)}"></div>'


def whiskers(rates: Sequence[Rate], most: float, first: int = 0) -> str:
    """Rates as dots on their intervals, one below the other.

    Args:
      rates: a rate for each model.
      most: the value at the right edge, a fraction.
      first: place of the first of these models in the report, which decides on the colours.
    """
    step = 14
    height = step * len(rates)
    drawn = []
    # A model's bound may be infinite or beyond the edge: it is drawn up to there.
    for i, rate in enumerate(rates):
        low, middle, high = (
            100 * min(value, most) / most if most else 0
            for value in (rate.low, rate.value, rate.high)
        )
        y, ink = step * i + step / 2, colour(first + i)
        drawn.append(
            f'<line x1="{low:.2f}%" x2="{high:.2f}%" y1="{y}" y2="{y}" '
            f'stroke="{ink}" stroke-width="3" stroke-opacity="0.45"/>'
            f'<circle cx="{middle:.2f}%" cy="{y}" r="4" fill="{ink}"/>'
        )
    return f'<svg style="height:{height}px" aria-hidden="true">{"".join(drawn)}</svg>'
