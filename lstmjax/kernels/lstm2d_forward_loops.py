"""The forward pass of the 2-D LSTM: some lines at a time, cell by cell and row by row."""

from typing import Any, NamedTuple

from numba import int64

from lstmjax.constants import NUM_GATES_2D, NUM_SAVED_2D
from lstmjax.kernels.lstm2d_cells import make_cells
from lstmjax.kernels.lstm_forward_loops import longest_of
from lstmjax.simd.compile import inner
from lstmjax.simd.operations import fill_zero, read_int32
from lstmjax.simd.vectors import FLOAT_BYTES, LANES, ROWS

BLOCK = 2 if LANES == 8 else 4  # lines, or rows of weights, whose sums the registers hold
GATES = NUM_GATES_2D * LANES  # sums of a vector of units


def make_pair(make: Any) -> tuple[Any, Any]:
    """Functions for a block of rows and for one, each compiled once."""
    return make(BLOCK), make(1)


def _make_cells(rows: int) -> Any:
    operation = make_cells(rows)

    def cells(saved, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper):
        operation(saved, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper)

    cells.__qualname__ = f"cells_of_{rows}_rows"
    return inner(cells)


_block_of_cells, _cell = make_pair(_make_cells)


@inner
def place_of_step(k, count, backwards):
    """Return the place of step k in a scan of `count` places."""
    return count - 1 - k if backwards else k


@inner
def _compute_cells(rows, saved, c, h, c_left, c_up, h_left, h_up, x, D, S, w, has_upper):
    """Compute all units of some lines at one place; see `lstm2d_cells.make_cells`."""
    size = FLOAT_BYTES * (2 * S + D + 1) * GATES
    for unit in range(0, S, LANES):
        u = FLOAT_BYTES * unit
        weights = w + unit // LANES * size
        n = int64(0)
        while n < rows:
            line = FLOAT_BYTES * n * S
            own = line + u
            values, source = saved + NUM_SAVED_2D * own, x + FLOAT_BYTES * n * D
            if n + BLOCK <= rows:
                _block_of_cells(
                    values, c + own, h + own, c_left + own, c_up + own, h_left + line, h_up + line,
                    source, D, S, weights, has_upper,
                )  # fmt: skip
                n += BLOCK
            else:
                _cell(
                    values, c + own, h + own, c_left + own, c_up + own, h_left + line, h_up + line,
                    source, D, S, weights, has_upper,
                )  # fmt: skip
                n += 1


class Forward(NamedTuple):
    """A forward pass: addresses of arrays, sizes, and whether rows go from right to left.

    `zeros` are [ROWS, S], for what lies beyond the picture. S counts whole vectors.
    """

    x: int
    w: int
    lengths: int
    h: int
    c: int
    saved: int
    zeros: int
    H: int
    W: int
    N: int
    D: int
    S: int
    reverse: int


def forward_scratch(S: int) -> int:
    """Floats of scratch that `lstm2d_forward` needs: zeros for `ROWS` lines."""
    return ROWS * S


@inner
def forward_row(f, first, rows, y):
    """Compute one row of some lines; beyond a line's width h and c are zero."""
    steps = f.lengths + FLOAT_BYTES * (y * f.N + first)
    # Lines are computed together up to the longest of them.
    longest = longest_of(steps, int64(0), rows, f.W)
    for t in range(longest, f.W):
        here = FLOAT_BYTES * ((y * f.W + t) * f.N + first) * f.S
        fill_zero(f.h + here, rows * f.S)
        fill_zero(f.c + here, rows * f.S)
    for k in range(longest):
        t = place_of_step(k, longest, f.reverse)
        at = (y * f.W + t) * f.N + first
        here = FLOAT_BYTES * at * f.S
        # Beyond the picture there are zeros.
        h_left, c_left, h_up, c_up = f.zeros, f.zeros, f.zeros, f.zeros
        if k > 0:
            before = here + FLOAT_BYTES * (f.N if f.reverse else -f.N) * f.S
            h_left, c_left = f.h + before, f.c + before
        if y > 0:
            above = here - FLOAT_BYTES * f.W * f.N * f.S
            h_up, c_up = f.h + above, f.c + above
        # `y` itself says whether there is an upper row.
        _compute_cells(
            rows, f.saved + NUM_SAVED_2D * here, f.c + here, f.h + here, c_left, c_up, h_left,
            h_up, f.x + FLOAT_BYTES * at * f.D, f.D, f.S, f.w, y,
        )  # fmt: skip
        for n in range(rows):
            # Shorter lines were computed along with the others; what follows them reads zeros.
            if t >= read_int32(steps, n):
                fill_zero(f.h + here + FLOAT_BYTES * n * f.S, f.S)
                fill_zero(f.c + here + FLOAT_BYTES * n * f.S, f.S)
