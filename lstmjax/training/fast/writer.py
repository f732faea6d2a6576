"""Checkpoints written behind the back of the training loop, one after the other.

The file of the best state comes first, so that no checkpoint names a best that is not there. The
native checkpoint is completed before Tesseract's is touched, so that the latter is never newer by
our own doing: if it is, the real `lstmtraining` went on from it in between.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache

from lstmjax.errors import LstmjaxError
from lstmjax.formats import checkpoint
from lstmjax.formats.files import write_atomically
from lstmjax.run_paths import RunPaths
from lstmjax.training.best_file import BestFile
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.history import with_history
from lstmjax.training.identity import Identity
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.save import trainer_record


class CheckpointWriter:
    """Writes both forms of a checkpoint, and best states; failures are kept until asked for."""

    def __init__(
        self, native: NativeStore, paths: RunPaths, identity: Identity, config: TrainConfig
    ):
        self._native, self._path = native, paths.checkpoint
        self._best_file = BestFile(paths)
        self._messages: list[str] = []
        self._identity, self._config = identity, config
        # One thread, so that files are completed in the order in which they were asked for.
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

    def sync_best(self, best_trainer: bytes) -> None:
        """Start to make the file of the best state what a run that goes on knows as its best."""
        self._pending = self._pool.submit(self._sync_best, best_trainer)

    def keep_best(self, snapshot: Snapshot, name: str | None) -> Callable[[], bytes]:
        """Keep a snapshot as the best trainer, and start writing it to a file if it has a name.

        Its arrays must be nobody else's. It is packed once, when it is written or first asked for.
        The file of the best state is written with the next checkpoint.

        Returns: a function that gives its bytes.
        """
        before, self._best = self._best, None
        if before is not None:
            wait([before])  # of all states, only one waits in memory to be written
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

    def messages(self) -> list[str]:
        """What has not been said yet about best states, such as why one could not be written."""
        found, self._messages = self._messages, []
        return found

    def close(self) -> None:
        """Finish writing."""
        self._pool.shutdown()

    def _pack(self, snapshot: Snapshot, best_trainer: bytes | None = None) -> bytes:
        progress = snapshot.progress
        state = with_history(snapshot.state, progress, self._config)
        record = trainer_record(
            self._identity, state, progress, self._config, best_trainer=best_trainer
        )
        return checkpoint.pack(record)

    def _write_best(self, snapshot: Snapshot, name: str) -> bytes:
        packed = self._pack(snapshot)
        try:
            write_atomically(name, packed)
        except LstmjaxError as err:
            self._messages.append(str(err))
        return packed

    def _sync_best(self, best_trainer: bytes) -> None:
        message = self._best_file.sync(best_trainer)
        if message:
            self._messages.append(message)

    def _write(self, snapshot: Snapshot) -> None:
        # In this order for the reasons at the top of the module.
        self._sync_best(snapshot.best_trainer)
        self._native.save(snapshot)
        # Orbax writes in a thread of its own: wait, or Tesseract's file could be complete first.
        self._native.wait()
        write_atomically(self._path, self._pack(snapshot, snapshot.best_trainer))
