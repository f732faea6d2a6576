"""Native checkpoints: everything an exact resume needs, stored by Orbax.

A snapshot is written in the background, appears only when complete, and carries a checksum of its
arrays and of the JSON beside them. One that cannot be read back exactly is passed over for the one
before. Weights and optimiser are stored under the names that `flax.serialization` gives them.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax import serialization, traverse_util

from lstmjax.data.stream import Position
from lstmjax.errors import LstmjaxError, TrainError
from lstmjax.training.progress import Mark, Progress
from lstmjax.training.state import TrainState

LikeOf = Callable[[dict[str, Any]], TrainState[Any]]

FORMAT = 3
"""Version of a checkpoint. Versions 1 and 2 are read for one release more.

3: "state" holds the leaves by name. 2: "leaves" holds them by number. 1: like 2, but the checksum
is of the arrays alone, is called "checksum" and not "sha256", and there is no version number.
"""

_EMPTY = np.zeros(1, np.uint8)  # Orbax stores no arrays of size 0
_DAMAGE = (OSError, ValueError, KeyError, TypeError)  # raised by Orbax for damaged files
_Path = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one moment.

    Attributes:
      state: weights and optimiser, as NumPy arrays.
      progress: counters, rates, position.
      best_trainer: Tesseract's dump of the best state so far; empty before the first.
      fingerprint: settings that a resumed run must share, such as net_spec and batch.
    """

    state: TrainState[Any]
    progress: Progress
    best_trainer: bytes
    fingerprint: dict[str, Any]


class NativeStore:
    """The native checkpoints of one run, below one directory."""

    def __init__(self, directory: str, *, keep: int):
        self.directory = Path(directory).absolute()
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep, enable_async_checkpointing=True, create=True
        )
        try:
            with _quiet():
                self._manager = ocp.CheckpointManager(self.directory, options=options)
        except OSError as err:
            raise TrainError(f"{directory}: cannot be used for checkpoints: {err}") from err

    def save(self, snapshot: Snapshot) -> None:
        """Start writing a snapshot; it counts once it is complete.

        Raises: TrainError: it cannot be written.
        """
        arrays = _arrays_of(snapshot)
        meta = _sealed(_meta_of(snapshot), arrays)
        step = snapshot.progress.training_iteration
        # A step of this number is whole already; Orbax refuses to write it again.
        if step in self._manager.all_steps():
            return
        args = ocp.args.Composite(
            state=ocp.args.StandardSave(arrays),  # type: ignore[call-arg]
            meta=ocp.args.JsonSave(meta),  # type: ignore[call-arg]
        )
        try:
            with _quiet():
                self._manager.save(step, args=args)
        except (OSError, ValueError) as err:
            raise self._not_written(err) from err

    def wait(self) -> None:
        """Block until the last snapshot is complete.

        Raises: TrainError: it could not be written.
        """
        try:
            with _quiet():
                self._manager.wait_until_finished()
        except (OSError, ValueError) as err:  # such as a full disk, which only the writer meets
            raise self._not_written(err) from err

    def _not_written(self, err: Exception) -> TrainError:
        return TrainError(f"{self.directory}: cannot write a checkpoint: {_first_line(err)}")

    def close(self) -> None:
        """Finish writing."""
        with _quiet():
            self._manager.close()

    def restore(self, like: LikeOf) -> tuple[Snapshot | None, list[str]]:
        """Read the newest snapshot that is whole.

        Args:
          like: a function from a stored fingerprint to a state of the same structure.
        Returns: the snapshot, None if there is none; and a sentence for each one passed over.
        """
        problems = []
        # Newest first; one that is damaged costs a few lines of training, not the run.
        for step in sorted(self._manager.all_steps(), reverse=True):
            try:
                arrays, meta = self._load(step)
                with _damage_if_unsealed(meta):
                    return _snapshot_of(arrays, meta, like(meta["identity"])), problems
            except LstmjaxError as err:
                problems.append(f"{self.directory}/{step} cannot be used: {_first_line(err)}")
        return None, problems

    def _load(self, step: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read arrays and JSON as they were written.

        Raises: TrainError: they are damaged or of another version.
        """
        args = ocp.args.Composite(state=ocp.args.StandardRestore(), meta=ocp.args.JsonRestore())
        try:
            with _quiet():
                restored = self._manager.restore(step, args=args)
            arrays, meta = restored["state"], restored["meta"]
            _check_seal(meta, arrays)
        except _DAMAGE as err:
            raise TrainError(_first_line(err)) from err
        return arrays, meta


def _first_line(err: Exception) -> str:
    return str(err).splitlines()[0] if str(err) else type(err).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Orbax's log: what matters to a run is raised, and told with the file's name."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _damage_if_unsealed(meta: dict[str, Any]) -> Iterator[None]:
    """Report wrong content of the JSON of version 1, which has no checksum, as damage."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as err:
        # Sealed JSON is what was written, so this is a mistake of the program, not damage.
        if "sha256" in meta:
            raise
        raise TrainError(f"damaged: {err!r}") from err


# -- weights and optimiser as named arrays -----------------------------------------------------


def _named(state: TrainState[Any]) -> dict[_Path, Any]:
    """The leaves of a state by their paths, such as ("opt_state", "0", "mu", "1", "w").

    flax names what it knows; the nodes of pytrees that only JAX knows are named as in JAX.
    Empty arrays are left out, because Orbax stores none.
    """
    leaves = jax.tree_util.tree_leaves_with_path(serialization.to_state_dict(state))
    return {_path_of(keys): leaf for keys, leaf in leaves if np.size(leaf)}


def _path_of(keys: jax.tree_util.KeyPath) -> _Path:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in keys)


def _state_of(stored: dict[str, Any], like: TrainState[Any]) -> TrainState[Any]:
    """Put stored leaves in the places of those of `like`.

    Raises: TrainError: a leaf is missing, unknown or of another shape.
    """
    found, expected = traverse_util.flatten_dict(stored), _named(like)
    # All names are compared before anything is filled in: nothing may be left over or missing.
    for path in sorted(found.keys() | expected.keys()):
        _check_leaf(path, found.get(path), expected.get(path))
    structure = serialization.to_state_dict(like)
    filled = jax.tree_util.tree_map_with_path(
        lambda keys, leaf: found.get(_path_of(keys), leaf), structure
    )
    state: Any = serialization.from_state_dict(like, filled)  # typed as a dict, too
    return state


def _check_leaf(path: _Path, found: Any, expected: Any) -> None:
    name, why = "/".join(path), "it belongs to another network or optimiser"
    if found is None:
        raise TrainError(f"{name} is missing; {why}")
    if expected is None:
        raise TrainError(f"{name} is not part of the state; {why}")
    if np.shape(found) != np.shape(expected):
        shapes = f"has shape {np.shape(found)}, expected {np.shape(expected)}"
        raise TrainError(f"{name} {shapes}; {why}")


def _state_of_numbered(leaves: dict[str, Any], like: TrainState[Any]) -> TrainState[Any]:
    """The state of versions 1 and 2, whose leaves are numbered in JAX's order."""
    ordered = [leaves[key] for key in sorted(leaves)]
    if [np.shape(leaf) for leaf in ordered] != [np.shape(leaf) for leaf in jax.tree.leaves(like)]:
        raise TrainError("it belongs to another network or optimiser")
    return jax.tree.unflatten(jax.tree.structure(like), ordered)


# -- contents and checksum ---------------------------------------------------------------------


def _arrays_of(snapshot: Snapshot) -> dict[str, Any]:
    best = np.frombuffer(snapshot.best_trainer, np.uint8) if snapshot.best_trainer else _EMPTY
    return {
        "state": traverse_util.unflatten_dict(
            {path: np.asarray(leaf) for path, leaf in _named(snapshot.state).items()}
        ),
        "buffers": np.asarray(snapshot.progress.buffers),
        "best_trainer": best,
    }


def _sealed(meta: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """The JSON with its version and the checksum of everything."""
    meta = meta | {"format": FORMAT}
    return meta | {"sha256": _checksum(arrays, meta)}


def _check_seal(meta: Any, arrays: dict[str, Any]) -> None:
    """Compare what was read with its checksum.

    A checkpoint of version 1 is recognised by "checksum" without the later keys. No damage makes
    a later one look like that, because it would have to spell the right checksum.

    Raises: TrainError: it is not what was written.
    """
    if not isinstance(meta, dict):
        raise TrainError(f"the JSON holds {type(meta).__name__}, expected an object")
    if "checksum" in meta and not {"format", "sha256"} & meta.keys():
        expected, found = meta["checksum"], _checksum(arrays, None)
    elif meta.get("format") in (2, FORMAT):
        expected = meta.get("sha256")
        found = _checksum(arrays, {key: meta[key] for key in meta if key != "sha256"})
    else:
        raise TrainError(f"format {meta.get('format')!r}, expected {FORMAT}")
    if found != expected:
        raise TrainError(f"checksum {found[:12]}, expected {str(expected)[:12]}")


def _checksum(arrays: dict[str, Any], meta: dict[str, Any] | None) -> str:
    """The SHA-256 of arrays and JSON; of the arrays alone, as in version 1, without a JSON."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        leaf = np.ascontiguousarray(leaf)
        # The shape and type count, too: the same bytes in another shape are another array.
        digest.update(f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape}".encode())
        digest.update(leaf.tobytes())
    if meta is not None:
        # Keys in order and no blanks, so that reading and writing again give the same bytes.
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
        "identity": snapshot.fingerprint,
        "has_best": bool(snapshot.best_trainer),
        "best": [progress.best.rate, list(progress.best.rates), progress.best.iteration],
        "worst": [progress.worst.rate, list(progress.worst.rates), progress.worst.iteration],
        "history": [list(entry) for entry in progress.history],
        "position": list(progress.position),
        **{name: getattr(progress, name) for name in _PLAIN},
    }


def _snapshot_of(arrays: dict[str, Any], meta: dict[str, Any], like: TrainState[Any]) -> Snapshot:
    if meta.get("format") == FORMAT:
        state = _state_of(arrays.get("state", {}), like)
    else:
        state = _state_of_numbered(arrays["leaves"], like)

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
