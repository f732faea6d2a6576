"""What the comparison with kraken gives to kraken is the same network on the same lines."""

import subprocess
import sys
from pathlib import Path

import helpers
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def tool():
    return helpers.load_tool("bench/kraken")


@pytest.mark.parametrize("output", ["O1c1", "O1c111", "O1s5"])
def test_kraken_adds_the_output_layer_itself(tool, output):
    assert tool.kraken_spec(f"[1,36,0,1 Lfys48 Lfx96 {output}]") == "[1,36,0,1 Lfys48 Lfx96]"


def test_networks_without_output_layer_are_refused(tool):
    with pytest.raises(SystemExit, match="does not end in an output layer"):
        tool.kraken_spec("[1,36,0,1 Lfx96]")


def test_lines_are_written_for_both_programs(tool, tmp_path):
    images = tool.write_lines(EXAMPLES / "eval.list", 5, tmp_path)
    assert len(images) == 5
    assert (tmp_path / "train.list").read_text().split() == [str(image) for image in images]
    assert len((tmp_path / "eval.list").read_text().split()) == 2
    assert all(image.with_suffix(".gt.txt").read_text().strip() for image in images)


def test_the_environment_of_kraken_must_be_given():
    done = subprocess.run(
        [sys.executable, helpers.TOOLS / "bench" / "kraken.py"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "--kraken" in done.stderr
