"""Checkpoints written behind the back of the training loop, one after the other.

The native one is completed before Tesseract's is touched, so that the latter is never newer by our
own doing: if it is, the real `lstmtraining` went on from it in between.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from lstmjax.errors import LstmjaxError
from lstmjax.formats import checkpoint
from lstmjax.formats.files import write_atomically
from lstmjax.train.config import TrainConfig
from lstmjax.train.native import NativeStore, Snapshot
from lstmjax.train.save import Identity, trainer_record


class CheckpointWriter:
    """Writes both forms of a checkpoint; a failure is kept until somebody asks."""

    def __init__(self, native: NativeStore, path: str, identity: Identity, config: TrainConfig):
        self._native, self._path = native, path
        self._identity, self._config = identity, config
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._pending: Future[None] | None = None
        self._best: Future[bytes] | None = None

    def save(self, snapshot: Snapshot) -> str | None:
        """Start writing a snapshot whose arrays nobody changes any more.

        Returns: why the checkpoint before this one could not be written, if so.
        """
        problem = self.wait()
        self._pending = self._pool.submit(self._write, snapshot)
        return problem

    def keep_best(self, snapshot: Snapshot, name: str | None) -> Callable[[], bytes]:
        """Keep a snapshot as the best trainer, and start writing it to a file if it has a name.

        Its arrays must be nobody else's. It is packed once, when it is written or first asked for.

        Returns: a function that gives its bytes.
        Raises: LstmjaxError: the best trainer before this one could not be written.
        """
        before, self._best = self._best, None
        if before is not None:
            before.result()
        if not name:
            return cache(lambda: self._pack(snapshot))
        self._best = self._pool.submit(self._write_best, snapshot, name)
        return self._best.result

    def wait(self) -> str | None:
        """Block until the last checkpoint is complete, or say why it could not be written."""
        pending, self._pending = self._pending, None
        if pending is None:
            return None
        try:
            pending.result()
        except (LstmjaxError, OSError) as err:
            return str(err)
        return None

    def close(self) -> None:
        """Finish writing."""
        self._pool.shutdown()

    def _pack(self, snapshot: Snapshot) -> bytes:
        record = trainer_record(
            self._identity, snapshot.state, snapshot.progress, self._config, best_trainer=None
        )
        return checkpoint.pack(record)

    def _write_best(self, snapshot: Snapshot, name: str) -> bytes:
        packed = self._pack(snapshot)
        write_atomically(name, packed)
        return packed

    def _write(self, snapshot: Snapshot) -> None:
        self._native.save(snapshot)
        self._native.wait()
        record = trainer_record(
            self._identity,
            snapshot.state,
            snapshot.progress,
            self._config,
            best_trainer=snapshot.best_trainer,
        )
        write_atomically(self._path, checkpoint.pack(record))
