"""The measurement of growth runs through, and its tables and drawings say what was measured."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ET

import jax
import pytest
from helpers import TOOLS, load_tool


def test_the_exponent_of_a_power_law_is_found():
    plot = load_tool("bench/growth_plot")
    curve = plot.Curve("t", "x", "y", [(x, 3 * x**1.5) for x in (1, 10, 200)])
    assert math.isclose(curve.exponent, 1.5)
    assert math.isclose(curve.last_exponent, 1.5)
    assert math.isnan(plot.Curve("t", "x", "y", [(1, 2)]).exponent)


def test_a_table_has_every_point():
    plot = load_tool("bench/growth_plot")
    text = plot.table(plot.Curve("Update", "width", "ms", [(100, 0.5), (2_500_000, 2.0)]))
    assert text.splitlines() == [
        "Update: exponent 0.14, at the end 0.14",
        "",
        "| width | 100 | 2.5M |",
        "|---|---|---|",
        "| ms | 0.5 | 2 |",
    ]


@pytest.mark.parametrize("points", [[(1, 1)], [(1, 5), (1000, 5)], [(1, 2), (10, 3), (100, 9)]])
def test_drawings_are_svg_with_all_points(tmp_path, points):
    plot = load_tool("bench/growth_plot")
    plot.save_svg([plot.Curve("a < b", "x", "y", points)] * 4, tmp_path / "x.svg")
    root = ET.parse(tmp_path / "x.svg").getroot()
    circles = root.findall(".//{*}circle")
    places = [float(circle.attrib[axis]) for circle in circles for axis in ("cx", "cy")]
    assert len(circles) == 4 * len(points)
    assert all(0 <= place <= 250 for place in places)


def test_an_update_is_timed():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # for optax
        taken = load_tool("bench/growth").seconds_per_line(
            "[1,4,0,1 Lfx4 O1c5]", width=16, classes=5, batch=2, seconds=0
        )
    assert 0 < taken < 60


def test_a_quick_run_measures_data(tmp_path):
    plot = tmp_path / "growth.svg"
    done = subprocess.run(
        [
            sys.executable,
            TOOLS / "bench" / "growth.py",
            "--quick",
            "--sweeps",
            "lines",
            "--plot",
            plot,
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| lines of data | 100 | 1k |") == 4
    assert plot.read_text().count("<circle") == 8
