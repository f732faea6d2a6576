"""Native checkpoints: everything an exact resume needs, kept by Orbax.

A snapshot is written in the background, appears only when complete, and carries a checksum of
its contents, arrays and the JSON beside them; one that cannot be read back exactly is passed over
for the one before.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from lstmjax.data.stream import Position
from lstmjax.errors import TrainError
from lstmjax.training.progress import Mark, Progress
from lstmjax.training.state import TrainState

LikeOf = Callable[[dict[str, Any]], TrainState]

FORMAT = 2
"""Version of the JSON: "sha256" is of arrays and JSON. Before, "checksum" was of the arrays."""

_EMPTY = np.zeros(1, np.uint8)  # Orbax stores no arrays of size 0
logging.getLogger("absl").setLevel(logging.ERROR)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one moment.

    Attributes:
      state: weights and optimiser, as NumPy arrays.
      progress: counters, rates, position.
      best_trainer: Tesseract dump of the best state so far, empty before the first.
      identity: what must be the same in a resumed run, such as net_spec and batch.
    """

    state: TrainState
    progress: Progress
    best_trainer: bytes
    identity: dict[str, Any]


class NativeStore:
    """The native checkpoints of one run, below one directory."""

    def __init__(self, directory: str, *, keep: int):
        self.directory = Path(directory).absolute()
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep, enable_async_checkpointing=True, create=True
        )
        try:
            self._manager = ocp.CheckpointManager(self.directory, options=options)
        except OSError as err:
            raise TrainError(f"{directory}: cannot be used for checkpoints: {err}") from err

    def save(self, snapshot: Snapshot) -> None:
        """Start writing a snapshot; it counts once it is complete."""
        arrays = _arrays_of(snapshot)
        meta = _sealed(_meta_of(snapshot), arrays)
        step = snapshot.progress.training_iteration
        if step in self._manager.all_steps():
            return
        try:
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(arrays),  # type: ignore[call-arg]
                    meta=ocp.args.JsonSave(meta),  # type: ignore[call-arg]
                ),
            )
        except (OSError, ValueError) as err:
            raise TrainError(f"{self.directory}: cannot write a checkpoint: {err}") from err

    def wait(self) -> None:
        """Block until the last snapshot is complete."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Finish writing."""
        self._manager.close()

    def clear(self) -> None:
        """Remove all snapshots; a new run starts here."""
        for step in self._manager.all_steps():
            self._manager.delete(step)

    def restore(self, like: LikeOf) -> tuple[Snapshot | None, list[str]]:
        """The newest snapshot that is whole.

        Args:
          like: from a stored identity to a state of the same structure.
        Returns: the snapshot, None if there is none; and a sentence for each one passed over.
        """
        problems = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            try:
                return self._read(step, like), problems
            except Exception as err:  # whatever damage does to Orbax, the one before may be whole
                reason = str(err).splitlines()[0] if str(err) else type(err).__name__
                problems.append(f"{self.directory}/{step} cannot be used: {reason}")
        return None, problems

    def _read(self, step: int, like: LikeOf) -> Snapshot:
        restored = self._manager.restore(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardRestore(),
                meta=ocp.args.JsonRestore(),
            ),
        )
        arrays, meta = restored["state"], restored["meta"]
        _check_seal(meta, arrays)
        return _snapshot_of(arrays, meta, like(meta["identity"]))


def _leaves(state: TrainState) -> dict[str, np.ndarray]:
    return {f"{i:04}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}


def _arrays_of(snapshot: Snapshot) -> dict[str, Any]:
    best = np.frombuffer(snapshot.best_trainer, np.uint8) if snapshot.best_trainer else _EMPTY
    return {
        "leaves": _leaves(snapshot.state),
        "buffers": np.asarray(snapshot.progress.buffers),
        "best_trainer": best,
    }


def _sealed(meta: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """The JSON with its version and the checksum of all."""
    meta = meta | {"format": FORMAT}
    return meta | {"sha256": _checksum(arrays, meta)}


def _check_seal(meta: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Compare what was read with its checksum.

    A checkpoint of the first version is known by having "checksum" and neither key of today's. No
    damage makes one of today's look like that, because it would have to spell the right checksum.

    Raises: TrainError: it is not what was written.
    """
    if "checksum" in meta and not {"format", "sha256"} & meta.keys():
        expected, found = meta["checksum"], _checksum(arrays, None)
    elif meta.get("format") == FORMAT:
        expected = meta.get("sha256")
        found = _checksum(arrays, {key: meta[key] for key in meta if key != "sha256"})
    else:
        raise TrainError(f"format {meta.get('format')!r}, expected {FORMAT}")
    if found != expected:
        raise TrainError(f"checksum {found[:12]}, expected {str(expected)[:12]}")


def _checksum(arrays: dict[str, Any], meta: dict[str, Any] | None) -> str:
    """The SHA-256 of arrays and JSON, None for the first version's, which left the JSON out."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        leaf = np.ascontiguousarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape}".encode())
        digest.update(leaf.tobytes())
    if meta is not None:
        digest.update(json.dumps(meta, sort_keys=True, separators=(",", ":")).encode())
    return digest.hexdigest()


_PLAIN = (
    "training_iteration", "learning_iteration", "sample_iteration", "last_perfect",
    "improvement_steps", "stage", "stall_iteration", "best_cer", "best_cer_iteration",
    "last_saved", "rate_scale",
)  # fmt: skip


def _meta_of(snapshot: Snapshot) -> dict[str, Any]:
    progress = snapshot.progress
    return {
        "identity": snapshot.identity,
        "has_best": bool(snapshot.best_trainer),
        "best": [progress.best.rate, list(progress.best.rates), progress.best.iteration],
        "worst": [progress.worst.rate, list(progress.worst.rates), progress.worst.iteration],
        "history": [list(entry) for entry in progress.history],
        "position": list(progress.position),
        **{name: getattr(progress, name) for name in _PLAIN},
    }


def _snapshot_of(arrays: dict[str, Any], meta: dict[str, Any], like: TrainState) -> Snapshot:
    leaves = [arrays["leaves"][key] for key in sorted(arrays["leaves"])]
    expected = jax.tree.leaves(like)
    shapes = [np.shape(leaf) for leaf in leaves]
    if shapes != [np.shape(leaf) for leaf in expected]:
        raise TrainError("it belongs to another network or optimiser")
    state = jax.tree.unflatten(jax.tree.structure(like), leaves)

    def mark(stored) -> Mark:
        rate, rates, iteration = stored
        return Mark(rate, tuple(rates), iteration)

    progress = Progress(
        buffers=np.asarray(arrays["buffers"]),
        best=mark(meta["best"]),
        worst=mark(meta["worst"]),
        history=tuple((rate, at) for rate, at in meta["history"]),
        position=Position(*meta["position"]),
        **{name: meta[name] for name in _PLAIN},
    )
    best = arrays["best_trainer"].tobytes() if meta["has_best"] else b""
    return Snapshot(state, progress, best, meta["identity"])
