"""Vectors are those of the processor that numba compiles for, not of the machine."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import run_lstmjax

from lstmjax.simd.target import Target, numba_target

EXAMPLES = Path(__file__).parents[2] / "examples"
X86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="names of x86 processors"
)
LANES = """
from lstmjax.simd import vectors as v
from lstmjax.infer.host import int8_ops
print(v.LANES, v.SUPPORTED, v.PAIRS_SUPPORTED, int8_ops.SUPPORTED)
"""


@X86
@pytest.mark.parametrize(
    ("name", "lanes", "has_pairs", "has_dots"),
    [
        ("generic", 0, False, False),
        ("x86-64-v2", 0, False, False),
        ("haswell", 8, False, False),
        ("znver3", 8, False, False),
        ("alderlake", 8, False, True),
        ("skylake-avx512", 16, False, False),
        ("cascadelake", 16, False, True),
        ("sapphirerapids", 16, True, True),
    ],
)
def test_a_name_implies_features(name, lanes, has_pairs, has_dots):
    target = Target(name, "")
    assert (target.lanes, target.has_pairs, target.has_dots) == (lanes, has_pairs, has_dots)


@X86
def test_listed_features_count_more_than_the_name():
    assert Target("skylake-avx512", "+avx2,+fma,-avx512f").lanes == 8
    assert Target("generic", "+avx2,+fma").lanes == 8
    assert Target("generic", "+avx2,-fma").lanes == 0
    assert Target("haswell", "-fma").lanes == 0
    assert Target("cascadelake", "-avx512vnni").has_dots is False
    assert Target("sapphirerapids", "-avx512bf16").has_pairs is False


@X86
@pytest.mark.parametrize(
    ("name", "features", "expected"),
    [
        ("haswell", "", "8 True False False"),
        ("generic", None, "4 False False False"),
        ("skylake-avx512", "", "16 True False False"),
        ("generic", "+avx2,+fma", "8 True False False"),
    ],
)
def test_numbas_target_is_what_counts(name, features, expected):
    environ = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    environ["NUMBA_CPU_NAME"] = name
    if features is not None:
        environ["NUMBA_CPU_FEATURES"] = features
    done = subprocess.run(
        [sys.executable, "-c", LANES], env=environ, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")


def test_the_target_is_known():
    assert numba_target().name


@X86
@pytest.mark.slow
@pytest.mark.parametrize("features", ["+avx2,+fma", ""], ids=["vectors", "none"])
def test_a_network_trains_whatever_the_target(tmp_path, features):
    if numba_target().lanes < 8:
        pytest.skip("this processor has no such vectors")
    done = run_lstmjax(
        "lstmtraining", "--traineddata", EXAMPLES / "demo.traineddata",
        "--train_listfile", EXAMPLES / "train.list", "--model_output", tmp_path / "m",
        "--net_spec", "[1,36,0,1 Ct3,3,4 Mp3,3 Lfys4 O1c1]", "--max_iterations", 16,
        env={"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features,
             "LSTMJAX_NO_REEXEC": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "At iteration 16/16/16" in done.stderr + done.stdout
    assert (tmp_path / "m_checkpoint").exists()
