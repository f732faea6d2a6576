"""The devices a run computes on: on a CPU one per core, each with its share of every batch.

Operations of these networks are too small to be divided among threads; several lines at once, each
on a core of its own, gain nearly the number of cores.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lstmjax.cores import usable_cores
from lstmjax.errors import UsageError

Device = Any
"""A `jax.Device`, whose name checkers do not take for a type."""

LINES = "lines"
"""Name of the mesh axis along which the lines of a batch are sharded."""


def largest_even_share(batch: int, most: int) -> int:
    """Return the largest number of devices, at most `most`, that share a batch evenly."""
    return max(n for n in range(1, max(most, 1) + 1) if batch % n == 0)


def choose_devices(batch: int, wanted: int = 0) -> tuple[Device, ...]:
    """Return the devices for batches of a size.

    Args:
      batch: lines of an update.
      wanted: number of devices; 0: one per core, or all accelerators, as far as they share a batch
        evenly.
    Raises: UsageError: fewer devices than wanted, or a batch that they cannot share evenly.
    """
    found = jax.local_devices()
    if not wanted:
        most = usable_cores() if found[0].platform == "cpu" else len(found)
        return tuple(found[: largest_even_share(batch, min(most, len(found)))])
    if wanted > len(found):
        raise UsageError(f"--devices {wanted}: there are {len(found)} ({found[0].platform})")
    if batch % wanted:
        raise UsageError(f"--devices {wanted} cannot share --batch {batch} evenly")
    return tuple(found[:wanted])


def expose_cores_as_devices(number: int = 0) -> None:
    """Let JAX treat the CPU as several devices, if it has not started yet.

    Args:
      number: devices; 0: one per core.
    """
    if jax.config.values["jax_num_cpu_devices"] in (-1, None):
        try:
            jax.config.update("jax_num_cpu_devices", number or usable_cores())
        except RuntimeError:  # JAX has started: the number of its devices is fixed
            return


def line_mesh(devices: Sequence[Device]) -> Mesh:
    """Return the mesh of devices that share lines, for `jax.shard_map`."""
    return Mesh(np.array(devices), (LINES,))


def replicated(devices: Sequence[Device]) -> NamedSharding:
    """Return the sharding of arrays that every device has a copy of."""
    return NamedSharding(line_mesh(devices), PartitionSpec())


def share(
    function: Callable[..., Any], devices: Sequence[Device], in_axes: Any, out_axes: Any
) -> Callable[..., Any]:
    """Let several devices share the lines that a function of batches computes.

    Inside, each device sees its own lines only; collectives over `LINES` reach the others. With
    fewer than two devices the function is returned as it is.

    Args:
      function: function of arrays, not yet jitted.
      devices: devices that share each batch evenly.
      in_axes: for each argument the axis of its lines, as for `jax.vmap`; None: replicated. One
        entry stands for all arrays of an argument that is a tree.
      out_axes: for each result the axis of its lines; None: the same on every device.
    """
    if len(devices) < 2:
        return function

    def specs(axes: Any) -> Any:
        return jax.tree.map(_line_spec, axes, is_leaf=lambda axis: axis is None)

    return jax.shard_map(
        function,
        mesh=line_mesh(devices),
        in_specs=specs(in_axes),
        out_specs=specs(out_axes),
        check_vma=False,
    )


def _line_spec(axis: int | None) -> PartitionSpec:
    return PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, LINES)
