"""Another numba than the known ones makes things slower, not wrong, and one line says so."""

import os
import subprocess
import sys

import pytest

NUMBERS = """
import numpy as np
from lstmjax.ctc.beam import beam_search
from lstmjax.ctc.targets import normalise_probs
from lstmjax.kernels import jax_calls
from lstmjax.simd import trial
print(normalise_probs(np.arange(12, dtype=np.float32).reshape(3, 4)).tolist())
print(jax_calls.usable())
"""
PART = """
import numpy as np
from numba import int64
from lstmjax.simd.compile import inner, vector_kernel
from lstmjax.simd.operations import copy_float
from lstmjax.simd import trial_loops
print(trial_loops.gives_what_it_should())
"""
BEAM = """
import numpy as np
from numba import njit
from lstmjax.simd import borrow
from lstmjax.simd.operations import read_float
from lstmjax.ctc._codes import certainty_of
print(borrow.borrowed is borrow._borrowed, borrow.keep_alive is borrow._keep_alive)
@njit
def first_later(x):
    copy = x + 1
    address = copy.ctypes.data
    other = x + 2  # takes the place of what has been freed
    first = read_float(address, 0)
    borrow.keep_alive(copy, other)
    return first
print(first_later(np.ones(1000, np.float32)))
print([certainty_of(np.float32(p)) for p in (0.0, 0.25, 1.0)])
"""


def run(code, cache_home, before=""):
    """The lines of a program's output, and what it says beside them."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "JAX_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", before + "\n" + code],
        env=environ | {"XDG_CACHE_HOME": str(cache_home)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    "before",
    [
        "import numba, numba.core.compiler_machinery as m; del m.register_pass",
        "import numba, numba.core.codegen as m; del m.JITCodeLibrary",
        # numba's own `finalize` is left
        "from lstmjax.simd import inline; del inline._InlineLibrary.finalize",
        "from lstmjax.simd import inline\n"
        "inline._InlineLibrary._reload_init = property(lambda self: self.gone)",
    ],
    ids=["no pass", "no library", "another way", "no list"],
)
def test_parts_are_compiled_as_numba_does_by_itself(tmp_path, before):
    expected, said = run(PART, tmp_path / "usual")
    assert (expected, said) == (["True"], "")
    found, said = run(PART, tmp_path / "other", before)
    assert found == expected
    assert said == (
        "Warning: numba's compiler is not as it is known; the first start takes longer.\n"
    )


@pytest.mark.parametrize(
    "before",
    [
        "import numba.core.compiler as m; del m.CompileResult._reduce",
        "import numba.core.compiler as m; del m.CompileResult._rebuild",
    ],
)
def test_code_is_not_kept_if_numba_keeps_it_in_another_way(tmp_path, before):
    expected, said = run(NUMBERS, tmp_path / "usual")
    assert said == ""
    assert list((tmp_path / "usual").rglob("_target_kernels.*"))
    found, said = run(NUMBERS, tmp_path / "other", before)
    assert found == expected
    assert said == (
        "Warning: numba's cache is not as it is known; loops are compiled in every process.\n"
    )
    assert not list((tmp_path / "other").rglob("_target_kernels.*"))


def test_arrays_are_counted_if_they_cannot_be_borrowed(tmp_path):
    expected, said = run(BEAM, tmp_path)
    assert said == ""
    before = """
import sys
from numba.core import cgutils
usual = cgutils.get_null_value
def other(kind):
    if sys._getframe(1).f_globals["__name__"] == "lstmjax.simd.borrow":
        raise AttributeError("gone")
    return usual(kind)
cgutils.get_null_value = other
"""
    found, said = run(BEAM, tmp_path / "other", before)
    assert (expected[0], found[0]) == ("True True", "False False")
    assert found[1:] == expected[1:]
    assert said == "Warning: numba's arrays are not as they are known; decoding takes longer.\n"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("from numba.core import cgutils; del cgutils.for_range", "numba is not as it is known"),
        ("import numba.core.codegen as m; del m.CPUCodegen.magic_tuple", "numba does not say"),
        ("import llvmlite.ir as m; del m.VectorType", "numba is not as it is known"),
    ],
)
def test_networks_are_left_to_xla_if_operations_do_not_work(tmp_path, before, said):
    code = "from lstmjax.kernels import jax_calls\nprint(jax_calls.usable())"
    found, warned = run(code, tmp_path, before)
    assert found == ["False"]
    assert warned.startswith(f"Warning: {said}")
    assert warned.count("\n") == 1
