"""Which steps of a way are done: a small JSON file, so that a second call only does the rest.

A step is done while everything it was made from (contents of files and settings) is the same, and
the files it made are still there as it left them.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstmjax.errors import DataError
from lstmjax.formats.files import PathLike, digest_file, write_atomically

VERSION = 1
_MAX_BYTES = 1 << 28

Inputs = Mapping[str, Any]
"""Name -> a JSON value; files stand there as their digests."""


@dataclass
class State:
    """The steps done below a folder, kept in a file there.

    Attributes:
      folder: paths of outputs are kept relative to it.
      path: of the file.
      steps: name -> what it was made from, what it made, what it reported.
    """

    folder: Path
    path: Path
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: PathLike, name: str = "state.json") -> "State":
        """Read the state of a folder; an empty one if it has none.

        Raises: DataError: the file is none of ours.
        """
        path = Path(folder) / name
        if not path.exists():
            return cls(Path(folder), path)
        return cls(Path(folder), path, _read(path))

    def do(
        self, name: str, inputs: Inputs, run: Callable[[], "Done"], say: Callable[[str], None]
    ) -> Any:
        """Run a step, unless it is done.

        Args:
          name: of the step.
          inputs: everything its result depends on.
          run: does it.
          say: told whether the step is run.
        Returns: the notes of the step, from this run or from the one recorded; a JSON value.
        Raises: what `run` raises; the step then counts as not done.
        """
        fingerprint = digest_json(inputs)
        if self.is_done(name, fingerprint):
            say(f"== {name}: nothing has changed")
            return self.steps[name]["notes"]
        say(f"== {name}")
        self.forget(name)
        done = run()
        self.steps[name] = {
            "inputs": fingerprint,
            "outputs": {self._relative(path): digest_file(path) for path in done.outputs},
            "notes": json.loads(json.dumps(done.notes)),
        }
        self._save()
        return self.steps[name]["notes"]

    def is_done(self, name: str, fingerprint: str) -> bool:
        """Whether a step was made from this and its files are as it left them."""
        step = self.steps.get(name)
        if step is None or step["inputs"] != fingerprint:
            return False
        return all(
            (self.folder / path).is_file() and digest_file(self.folder / path) == digest
            for path, digest in step["outputs"].items()
        )

    def forget(self, name: str) -> None:
        """Make a step count as not done."""
        if self.steps.pop(name, None) is not None:
            self._save()

    def _relative(self, path: PathLike) -> str:
        return os.path.relpath(path, self.folder)

    def _save(self) -> None:
        text = json.dumps({"version": VERSION, "steps": self.steps}, indent=1)
        write_atomically(self.path, text.encode() + b"\n")


@dataclass(frozen=True)
class Done:
    """What a step came to.

    Attributes:
      outputs: the files it made.
      notes: what later steps and the report need to know; a JSON value.
    """

    outputs: tuple[PathLike, ...] = ()
    notes: Any = None


def digest_files(paths: Iterable[PathLike]) -> str:
    """One digest for the names and contents of files, in their order."""
    return digest_json([[os.fspath(path), digest_file(path)] for path in paths])


def digest_json(value: Any) -> str:
    """The digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The steps in a state file.

    Raises: DataError: it is none of ours.
    """
    hint = "move it away to do everything again"
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: too large for a state file; {hint}")
        stored = json.loads(path.read_bytes())
    except OSError as err:
        raise DataError(f"{path}: cannot be read: {err.strerror or err}") from err
    except (ValueError, RecursionError) as err:
        raise DataError(f"{path}: not the JSON that was written ({err}); {hint}") from err
    version = stored.get("version") if isinstance(stored, dict) else None
    if version != VERSION:
        raise DataError(f"{path}: version {version!r}, expected {VERSION}; {hint}")
    steps = stored.get("steps")
    if not isinstance(steps, dict) or not all(map(_is_step, steps.values())):
        raise DataError(f"{path}: the steps are not what was written; {hint}")
    return steps


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and {"inputs", "outputs", "notes"} <= step.keys()
        and isinstance(step["outputs"], dict)
        and all(isinstance(text, str) for pair in step["outputs"].items() for text in pair)
    )
