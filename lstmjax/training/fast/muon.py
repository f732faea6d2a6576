"""Adam whose steps for weight matrices are orthogonalised: fewer lines for the same error rate.

Every gate of an LSTM and every dense layer is one matrix. Its step is the nearest orthogonal
matrix to Adam's first moment, so that all directions learn at one pace, not only the few that
dominate the gradient. Biases keep Adam's steps. The state is Adam's own, second moments of
matrices included, so a checkpoint holds the same whether steps are orthogonalised or not. That, and
the sharding of gates over devices, is why optax's own Muon is not used.
Source: K. Jordan, Muon, 2024; the scale after J. Liu et al., Muon is Scalable for LLM Training,
2025; the iteration of N. Amsel et al., The Polar Express, 2025.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lstmjax.array_types import Params
from lstmjax.devices import LINES
from lstmjax.kernels import jax_calls
from lstmjax.training.fast.collectives import in_buckets

_QUINTICS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
)
"""Coefficients of each iteration: the best for singular values from 0.001 of the largest on."""
_SCALE = 0.4  # root mean square of a step, for a rate of 1, that does as well as Adam's
_WEIGHTS = ("w", "wx", "wh", "wv", "wf")

Path = tuple[Any, ...]


def scale_by_orthogonal_adam(
    b1: float, b2: float, eps: float, num_devices: int = 1, *, bfloat16: bool = False
) -> optax.GradientTransformation:
    """Make the transformation; its state is `optax.ScaleByAdamState`.

    Args:
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added to the root of the second moment.
      num_devices: devices along the axis `LINES` of the mesh that share the work, 1 without mesh.
      bfloat16: whether factors of products are rounded, where the CPU's compiled operation can.
    """
    pairs = bfloat16 and jax_calls.has_pairs()
    adam = optax.scale_by_adam(b1=b1, b2=b2, eps=eps)

    def update(updates, state, params=None):
        steps, state = adam.update(updates, state, params)
        assert isinstance(state, optax.ScaleByAdamState)
        # Nesterov's momentum: the first moment as the next update would find it with this gradient.
        ahead = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, updates)
        leaves = dict(_weights(ahead))
        together = _orthogonalised(list(leaves.values()), num_devices, pairs)
        return _replaced(steps, dict(zip(leaves, together, strict=True))), state

    return optax.GradientTransformation(adam.init, update)


class _Weights(NamedTuple):
    """A leaf of weights: one matrix for each gate, beside each other."""

    leaf: jax.Array  # [rows, gates * columns]
    gates: int

    @property
    def shape(self) -> tuple[int, int]:
        rows, width = self.leaf.shape
        return rows, width // self.gates

    def matrices(self) -> jax.Array:
        """The matrices apart: [gates, rows, columns]."""
        rows, columns = self.shape
        return self.leaf.reshape(rows, self.gates, columns).swapaxes(0, 1)

    def beside(self, matrices: jax.Array) -> jax.Array:
        """The matrices beside each other again, as the leaf has them."""
        return matrices.swapaxes(0, 1).reshape(self.leaf.shape)


def _weights(params: Params, path: Path = ()) -> Iterator[tuple[Path, _Weights]]:
    """Every leaf of weights."""
    # An LSTM's leaves hold all gates side by side; `wh` is [S, gates * S], so its rows tell S.
    states = params["wh"].shape[0] if "wh" in params else None
    for name, leaf in params.items():
        if isinstance(leaf, dict):
            yield from _weights(leaf, (*path, name))
        # A single row or column has no directions to even out.
        elif name in _WEIGHTS and min(leaf.shape) > 1:
            gates = 1 if states is None else leaf.shape[1] // states
            yield (*path, name), _Weights(leaf, gates)


def _replaced(steps: Params, new: dict[Path, jax.Array], path: Path = ()) -> Params:
    """Put other steps in the places of leaves."""
    out = {}
    for name, leaf in steps.items():
        at = (*path, name)
        out[name] = _replaced(leaf, new, at) if isinstance(leaf, dict) else new.get(at, leaf)
    return out


def _orthogonalised(weights: list[_Weights], num_devices: int, pairs: bool) -> list[jax.Array]:
    """Steps in the form of the leaves."""
    if jax_calls.usable():
        steps = _orthogonalised_here(weights, num_devices, pairs)
    else:
        steps = _orthogonalised_together([each.matrices() for each in weights], num_devices)
    # An orthogonal matrix has entries of root mean square 1 / sqrt(longer side): scale that away.
    scales = [_SCALE * max(each.shape) ** 0.5 for each in weights]
    every = zip(weights, steps, scales, strict=True)
    return [each.beside(step) * scale for each, step, scale in every]


def _orthogonalised_here(weights: list[_Weights], num_devices: int, pairs: bool) -> list[jax.Array]:
    """Steps by the compiled operation of the CPU: [gates, rows, columns] each.

    Devices compute as many gates of a leaf each, where that is possible, and exchange them.
    """
    shared = [num_devices > 1 and each.gates % num_devices == 0 for each in weights]
    parts = []
    for each, is_shared in zip(weights, shared, strict=True):
        count = each.gates // num_devices if is_shared else each.gates
        first = jax.lax.axis_index(LINES).astype(jnp.int32) * count if is_shared else jnp.int32(0)
        parts.append(orthogonal_by_gate(each.leaf, each.gates, first, count, pairs))
    if not any(shared):
        return parts
    mine = [part for part, is_shared in zip(parts, shared, strict=True) if is_shared]
    # One exchange for all small parts: each collective makes the devices wait for each other.
    gathered = iter(in_buckets(mine, lambda numbers: jax.lax.all_gather(numbers, LINES)))
    return [
        next(gathered).reshape(-1, *part.shape[1:]) if is_shared else part
        for part, is_shared in zip(parts, shared, strict=True)
    ]


def _orthogonalised_together(leaves: list[jax.Array], num_devices: int) -> list[jax.Array]:
    """Steps by products of JAX, all matrices [gates, rows, columns] of one shape together."""
    shapes = sorted({leaf.shape[1:] for leaf in leaves})
    done: dict[int, jax.Array] = {}
    for shape in shapes:
        places = [i for i, leaf in enumerate(leaves) if leaf.shape[1:] == shape]
        steps = _shared(jnp.concatenate([leaves[i] for i in places]), num_devices)
        begin = 0
        for i in places:
            done[i] = steps[begin : begin + len(leaves[i])]
            begin += len(leaves[i])
    return [done[i] for i in range(len(leaves))]


def _shared(stack: jax.Array, num_devices: int) -> jax.Array:
    """`orthogonal` of [N, rows, columns], each device taking an equal part of them."""
    part, rest = divmod(len(stack), num_devices)
    # Matrices that cannot be dealt out evenly are computed by every device.
    if num_devices == 1 or rest:
        return orthogonal(stack)
    mine = jax.lax.dynamic_slice_in_dim(stack, jax.lax.axis_index(LINES) * part, part)
    return jax.lax.all_gather(orthogonal(mine), LINES, tiled=True)


def orthogonal(x: jax.Array) -> jax.Array:
    """Roughly the nearest orthogonal matrices to x [..., rows, columns]; zeros stay zeros.

    Singular values from 0.001 of the norm on end between 0.4 and 1.6, by an iteration of
    odd polynomials of fifth order, which needs products only.
    """
    # Wide rather than tall: x x' then has the shorter side.
    tall = x.shape[-2] > x.shape[-1]
    x = x.swapaxes(-1, -2) if tall else x
    norm = jnp.sqrt((x * x).sum((-1, -2), keepdims=True))
    # The iteration needs all singular values below 1; the bound keeps zeros from becoming NaN.
    x = x / jnp.maximum(jnp.float32(1.01) * norm, jnp.float32(1e-30))
    for a, b, c in _QUINTICS:
        square = x @ x.swapaxes(-1, -2)
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.swapaxes(-1, -2) if tall else x


def orthogonal_by_gate(
    leaf: jax.Array, gates: int, first: jax.Array, count: int, pairs: bool = False
) -> jax.Array:
    """`orthogonal` of some of the matrices of a leaf, by the compiled operation of the CPU.

    Args:
      leaf: [rows, gates * columns].
      gates: matrices in the leaf.
      first: number of the first matrix wanted.
      count: number of matrices wanted.
      pairs: whether factors of products are rounded to bfloat16.
    Returns: [count, rows, columns].
    """
    rows, width = leaf.shape
    coefficients = np.array(_QUINTICS, np.float32)
    shape = (count, rows, width // gates)
    return jax_calls.orthogonal(leaf, coefficients, first.reshape(1), shape, pairs=pairs)
