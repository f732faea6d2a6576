"""The compiled operations as functions of JAX arrays; inside `jax.jit` only.

numba and the compiled code, which is cached, are loaded when an operation is first traced.
"""

from functools import cache
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmjax.constants import NUM_GATES, NUM_SAVED_2D
from lstmjax.kernels.ahead import PACKAGE, claimed
from lstmjax.simd.trial import works

_ONE, _PAIR_OF_ONES = 0x3F800000, 0x3F803F80  # bits of 1 as a float, and of a bfloat16 pair of 1


def usable() -> bool:
    """Whether this process computes on a CPU, and the operations work on it."""
    return jax.default_backend() == "cpu" and works()


def has_pairs() -> bool:
    """Whether they can also multiply bfloat16 pairs, adding in float32."""
    return usable() and import_module("lstmjax.simd.vectors").PAIRS_SUPPORTED


@cache
def _loops(module: str, *handlers: str) -> Any:
    """Import a module of loops, once, and register its handlers with XLA."""
    # Another process may be compiling it: wait, and find it in the cache.
    with claimed(module):
        loops = import_module(f"{PACKAGE}.{module}")
    for name in handlers:
        import_module("lstmjax.simd.xla").register(f"lstmjax_{name}", getattr(loops, name))
    return loops


def _lstm_loops() -> Any:
    return _loops("lstm_loops", "lstm_forward", "lstm_backward")


def _lstm2d_loops() -> Any:
    return _loops("lstm2d_loops", "lstm2d_forward", "lstm2d_backward")


def padded(units: int) -> int:
    """Return a number of units, rounded up to whole vectors."""
    return import_module("lstmjax.simd.vectors").padded(units)


def lanes() -> int:
    """Return the units in a vector."""
    return import_module("lstmjax.simd.vectors").LANES


def _call(name: str, shapes: list[Any], *arguments: Any, **options: Any) -> Any:
    """Call an operation; shapes of results are float32, or a `jax.ShapeDtypeStruct`."""
    results = tuple(
        jax.ShapeDtypeStruct(shape, jnp.float32) if isinstance(shape, tuple) else shape
        for shape in shapes
    )
    # Under `vmap` one call follows the other; the layers take whole batches themselves.
    call = jax.ffi.ffi_call(f"lstmjax_{name}", results, vmap_method="sequential", **options)
    return call(*arguments)


def lstm_forward(
    x: jax.Array,
    wx: jax.Array,
    wh: jax.Array,
    b: jax.Array,
    lengths: jax.Array,
    *,
    reverse: bool,
    pairs: bool = False,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return gates [T, N, 4S], outputs and states [T, N, S] of sequences x [T, N, D].

    Args:
      x: [T, N, D] input.
      wx: [D, 4S] weights of the input, gates in file order; S must be `padded`.
      wh: [S, 4S] weights of the output of the step before.
      b: [4S] biases.
      lengths: [N] int32 steps of each sequence; beyond, all results are zero.
      reverse: run from each sequence's last step to its first.
      pairs: round factors of products to bfloat16; see `has_pairs`.
    """
    T, N, D = x.shape
    S = wh.shape[0]
    shapes = [(T, N, NUM_GATES * S), (T, N, S), (T, N, S)]
    # Scratch is one more result, so that XLA allocates it; nobody reads it.
    scratch = (_lstm_loops().forward_scratch(D, S),)
    options = np.array([reverse, pairs], np.int32)
    arguments = (x, wx, wh, b, lengths, options)
    gates, h, c, _ = _call("lstm_forward", [*shapes, scratch], *arguments)
    return gates, h, c


def lstm_backward(
    d: jax.Array, x: jax.Array, wx: jax.Array, wh: jax.Array, lengths: jax.Array,
    residuals: tuple[jax.Array, jax.Array, jax.Array], *, reverse: bool,
    last: bool, pairs: bool = False,
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:  # fmt: skip
    """Return the gradients of x, wx, wh and b.

    Args:
      d: gradient of the outputs [T, N, S], or with `last` of the scan's last step [N, S].
      x: [T, N, D] input.
      wx: [D, 4S] weights of the input.
      wh: [S, 4S] weights of the output of the step before.
      lengths: [N] int32 steps of each sequence.
      residuals: results of `lstm_forward`.
      reverse: direction of `lstm_forward`.
      last: only the scan's last step was used; not reversed, all lengths must be T.
      pairs: round factors of products to bfloat16.
    """
    gates, h, c = residuals
    D, S = wx.shape[0], wh.shape[0]
    scratch = (_lstm_loops().backward_scratch(D, S),)
    shapes = [gates.shape, x.shape, wx.shape, wh.shape, (NUM_GATES * S,), scratch]
    options = np.array([reverse, last, pairs], np.int32)
    # Whether pairs are used is known to the loop only, so both kinds of 1 are there.
    ones = np.array([_ONE, _PAIR_OF_ONES], np.uint32).view(np.float32)
    arguments = (gates, d, x, wx, wh, lengths, h, c, options, ones)
    # In place: gates are the largest array, and become their own gradients.
    _, dx, dwx, dwh, db, _ = _call("lstm_backward", shapes, *arguments, input_output_aliases={0: 0})
    return dx, dwx, dwh, db


def lstm2d_forward(
    x: jax.Array, w: jax.Array, lengths: jax.Array, *, reverse: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return outputs and states [H, W, N, S] of pictures x [H, W, N, D], and the gates' values.

    Args:
      x: [H, W, N, D] input.
      w: [S / L, 2S + D + 1, 5, L] weights by vectors of L units: for the output to the left, that
        above, the input, and the bias; gates in file order.
      lengths: [H, N] int32 columns of each row of each line, never more than in the row above;
        beyond, outputs and states are zero.
      reverse: run from each row's last column to its first.
    """
    H, W, N, _ = x.shape
    S = w.shape[0] * w.shape[-1]
    shapes = [(H, W, N, S), (H, W, N, S), (H, W, N, NUM_SAVED_2D * S)]
    scratch = (_lstm2d_loops().forward_scratch(S),)
    options = np.array([reverse], np.int32)
    h, c, saved, _ = _call("lstm2d_forward", [*shapes, scratch], x, w, lengths, options)
    return h, c, saved


def lstm2d_backward(
    d: jax.Array, x: jax.Array, w: jax.Array, lengths: jax.Array,
    residuals: tuple[jax.Array, jax.Array, jax.Array], *, reverse: bool,
) -> tuple[jax.Array, jax.Array]:  # fmt: skip
    """Return the gradients of x and w.

    Args:
      d: [H, W, N, S] gradient of the outputs.
      x: [H, W, N, D] input.
      w: [S / L, 2S + D + 1, 5, L] weights.
      lengths: [H, N] int32 columns of each row of each line.
      residuals: results of `lstm2d_forward`.
      reverse: direction of `lstm2d_forward`.
    """
    _, W, _, D = x.shape
    S = w.shape[0] * w.shape[-1]
    shapes = [x.shape, w.shape, (_lstm2d_loops().backward_scratch(W, D, S),)]
    options = np.array([reverse], np.int32)
    arguments = (d, x, w, lengths, *residuals, options, np.ones(1, np.float32))
    dx, dw, _ = _call("lstm2d_backward", shapes, *arguments)
    return dx, dw


def orthogonal(
    leaf: jax.Array,
    coefficients: np.ndarray,
    first: jax.Array,
    shape: tuple[int, int, int],
    *,
    pairs: bool = False,
) -> jax.Array:
    """Return roughly the nearest orthogonal matrices to some in a leaf; see `training.fast.muon`.

    Args:
      leaf: [rows, matrices * columns] matrices side by side.
      coefficients: [iterations, 3] float32 coefficients of polynomials of fifth order.
      first: [1] int32, number of the first matrix wanted.
      shape: count of matrices wanted, rows, columns.
      pairs: round factors of products to bfloat16; see `has_pairs`.
    Returns: array of that shape.
    """
    scratch = (_loops("orthogonal_loops", "orthogonal").scratch_size(*shape[1:]),)
    options = np.array([pairs], np.int32)
    return _call("orthogonal", [shape, scratch], leaf, coefficients, first, options)[0]


def ctc(
    logits: jax.Array, steps: jax.Array, labels: jax.Array, num_labels: jax.Array, null_char: int
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Return losses [B], rms and wrong classes of the log [B], and minus the gradient [T, B, K].

    Args:
      logits: [T, B, K] float32, before softmax.
      steps: [B] int32 time steps of each line.
      labels: [B, L] int32 labels of each line.
      num_labels: [B] int32 number of labels of each line.
      null_char: the class of the blank.
    """
    T, B, K = logits.shape
    L = labels.shape[1]
    scratch = (_loops("ctc_loops", "ctc").scratch_size(T, K, L),)
    integers = [jnp.asarray(each, jnp.int32) for each in (steps, labels, num_labels)]
    options = np.array([null_char], np.int32)
    return tuple(_call("ctc", [(B,), (B,), (B,), (T, B, K), scratch], logits, *integers, options))[
        :4
    ]


def conv_pool_forward(
    x: jax.Array, w: jax.Array, lengths: jax.Array, taps: tuple[int, int], pool: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
    """Return the largest sum of each cell [h, w, B, N], and the position in the cell that has it.

    Args:
      x: [H, W, B, D], with the border that the windows need.
      w: [taps_y * taps_x * D, N] weights; N must be `padded`.
      lengths: [B] int32 cells along x of each line; beyond, all results are zero.
      taps: pixels of a window along x and y.
      pool: positions of a cell along x and y; a position's number counts along y first.
    """
    H, W, B, D = x.shape
    N = w.shape[1]
    rows, columns = (H - taps[1] + 1) // pool[1], (W - taps[0] + 1) // pool[0]
    loops = _loops("conv_pool_loops", "conv_pool_forward", "conv_pool_backward")
    scratch = (loops.scratch_size(*taps, D),)
    cells = (rows, columns, B, N)
    options = np.array([*taps, *pool], np.int32)
    shapes = [cells, jax.ShapeDtypeStruct(cells, jnp.int32), scratch]
    best, index, _ = _call("conv_pool_forward", shapes, x, w, lengths, options)
    return best, index


def conv_pool_backward(
    d: jax.Array, x: jax.Array, index: jax.Array, lengths: jax.Array, taps: tuple[int, int],
    pool: tuple[int, int],
) -> jax.Array:  # fmt: skip
    """Return the gradient of the weights of `conv_pool_forward`, from that of its first result."""
    D, N = x.shape[3], d.shape[3]
    loops = _loops("conv_pool_loops", "conv_pool_forward", "conv_pool_backward")
    scratch = (loops.scratch_size(*taps, D),)
    options = np.array([*taps, *pool], np.int32)
    shapes = [(taps[0] * taps[1] * D, N), scratch]
    return _call("conv_pool_backward", shapes, d, x, index, lengths, options)[0]
