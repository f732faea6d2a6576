"""The devices a run computes on: on a CPU one a core, each with its share of every batch.

Operations of these networks are too small for several threads to share one; several lines at
once on cores of their own gain nearly the number of cores.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lstmjax.cores import usable_cores
from lstmjax.errors import UsageError

Device = Any
"""A `jax.Device`, whose name checkers do not take for a type."""

LINES = "lines"
"""Name of the mesh axis along which the lines of a batch are dealt out."""


def largest_even_share(batch: int, most: int) -> int:
    """The largest number of devices, at most `most`, that share a batch evenly."""
    return max(n for n in range(1, max(most, 1) + 1) if batch % n == 0)


def choose_devices(batch: int, wanted: int = 0) -> tuple[Device, ...]:
    """The devices for batches of so many lines.

    Args:
      batch: lines of an update.
      wanted: how many devices; 0: one a core, or all accelerators, as far as they share a batch.
    Raises: UsageError: there are not so many, or they do not share a batch evenly.
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
    """Let JAX treat the CPU as so many devices, by default one a core, if it has not started."""
    if jax.config.values["jax_num_cpu_devices"] in (-1, None):
        try:
            jax.config.update("jax_num_cpu_devices", number or usable_cores())
        except RuntimeError:  # too late: it has as many as it has
            return


def line_mesh(devices: Sequence[Device]) -> Mesh:
    """The devices in a row, for `jax.shard_map`."""
    return Mesh(np.array(devices), (LINES,))


def replicated(devices: Sequence[Device]) -> NamedSharding:
    """How to place what every device has a copy of."""
    return NamedSharding(line_mesh(devices), PartitionSpec())
