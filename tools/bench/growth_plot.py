"""Curves of growth: the exponent of a power law, a markdown table and an SVG of log-log panels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

_PANEL_W, _PANEL_H, _LEFT, _TOP, _GAP = 250, 190, 52, 34, 24
_BLUE = "#2a6fb0"


@dataclass(frozen=True)
class Curve:
    """How a figure grows.

    Attributes:
      title: heading of the panel.
      x_name: quantity that is varied.
      y_name: quantity that is measured, with its unit.
      points: x and y, both above 0.
    """

    title: str
    x_name: str
    y_name: str
    points: Sequence[tuple[float, float]]

    @property
    def exponent(self) -> float:
        """p of y = c x^p, fitted to the logarithms by least squares; nan for a single point."""
        x, y = np.log(np.asarray(self.points, np.float64).T)
        return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else math.nan

    @property
    def last_exponent(self) -> float:
        """The exponent between the last two points, where fixed costs weigh least."""
        return Curve("", "", "", self.points[-2:]).exponent


def short(value: float) -> str:
    """A number in few characters: 1k, 2.5M, 0.031."""
    for factor, unit in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def table(curve: Curve) -> str:
    """A markdown table of one curve, with its exponents."""
    xs, ys = zip(*curve.points, strict=True)
    rows = [
        f"| {curve.x_name} | " + " | ".join(map(short, xs)) + " |",
        "|---" * (len(xs) + 1) + "|",
        f"| {curve.y_name} | " + " | ".join(map(short, ys)) + " |",
    ]
    ends = f"exponent {curve.exponent:.2f}, at the end {curve.last_exponent:.2f}"
    return "\n".join([f"{curve.title}: {ends}", "", *rows])


def save_svg(curves: Sequence[Curve], path: Path, columns: int = 3) -> None:
    """Draw one panel a curve."""
    width = columns * (_PANEL_W + _LEFT + _GAP)
    height = -(-len(curves) // columns) * (_PANEL_H + _TOP + 2 * _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for i, curve in enumerate(curves):
        x = i % columns * (_PANEL_W + _LEFT + _GAP) + _LEFT
        y = i // columns * (_PANEL_H + _TOP + 2 * _GAP) + _TOP
        parts += [f'<g transform="translate({x},{y})">', *_panel(curve), "</g>"]
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.08 * (high - low), 0.15)
    return low - room, high + room


def _panel(curve: Curve) -> list[str]:
    xs, ys = zip(*curve.points, strict=True)
    (x0, x1), (y0, y1) = _range(xs), _range(ys)

    def at(x: float, y: float) -> tuple[float, float]:
        across, up = (math.log10(x) - x0) / (x1 - x0), (math.log10(y) - y0) / (y1 - y0)
        return round(across * _PANEL_W, 1), round((1 - up) * _PANEL_H, 1)

    exponent = f"exponent {curve.exponent:.2f}"
    parts = [
        f'<rect width="{_PANEL_W}" height="{_PANEL_H}" fill="none" stroke="#999"/>',
        f'<text x="0" y="-16" font-weight="bold">{escape(curve.title)}</text>',
        f'<text x="0" y="-4" fill="#555">{escape(curve.y_name)}; {exponent}</text>',
    ]
    for x in xs:
        place = at(x, ys[0])[0]
        parts.append(f'<path d="M{place} {_PANEL_H}v-4" stroke="#999"/>')
        label = f'<text x="{place}" y="{_PANEL_H + 14}" text-anchor="middle">{short(x)}</text>'
        parts.append(label)
    for y in sorted({min(ys), max(ys)}):
        place = at(xs[0], y)[1]
        parts.append(f'<text x="-6" y="{place + 4}" text-anchor="end">{short(y)}</text>')
    points = [at(x, y) for x, y in curve.points]
    line = "L".join(f"{x} {y}" for x, y in points)
    parts.append(f'<path d="M{line}" fill="none" stroke="{_BLUE}" stroke-width="1.5"/>')
    parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{_BLUE}"/>' for x, y in points]
    name = f'<text x="{_PANEL_W / 2}" y="{_PANEL_H + 28}" text-anchor="middle" fill="#555">'
    return [*parts, f"{name}{escape(curve.x_name)}</text>"]
