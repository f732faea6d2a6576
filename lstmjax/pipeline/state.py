"""Which steps of a pipeline are done, in a small JSON file, so that a second call does the rest.

A step counts as done as long as all its inputs (contents of files, settings) are the same, and its
outputs are still there, unchanged.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstmjax.errors import DataError, Say
from lstmjax.formats.files import PathLike, digest_file, write_atomically

VERSION = 1
_MAX_BYTES = 1 << 28

Inputs = Mapping[str, Any]
"""Name -> JSON value; files are represented by their digests."""


@dataclass
class State:
    """The steps done in a folder, recorded in a file there.

    Attributes:
      folder: folder that the paths of outputs are relative to.
      path: file of the record.
      steps: name of a step -> digest of its inputs, digests of its outputs, notes.
    """

    folder: Path
    path: Path
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: PathLike, name: str = "state.json") -> "State":
        """Read the state of a folder; an empty state if there is no record.

        Raises: DataError: the file is not such a record.
        """
        path = Path(folder) / name
        if not path.exists():
            return cls(Path(folder), path)
        return cls(Path(folder), path, _read(path))

    def do(self, name: str, inputs: Inputs, run: Callable[[], "Done"], say: Say) -> Any:
        """Run a step, unless it is done.

        Args:
          name: name of the step.
          inputs: everything the result depends on.
          run: function that does the step.
          say: printer of a line that says whether the step is run.
        Returns: the notes of the step, from this run or from the recorded one; a JSON value.
        Raises: any error of `run`; the step then counts as not done.
        """
        fingerprint = digest_json(inputs)
        if self.is_done(name, fingerprint):
            say(f"== {name}: nothing has changed")
            return self.steps[name]["notes"]
        say(f"== {name}")
        # Forgotten before it runs: an interrupted step must not count as done.
        self.forget(name)
        done = run()
        self.steps[name] = {
            "inputs": fingerprint,
            "outputs": {self._relative(path): digest_file(path) for path in done.outputs},
            # As it will be read again: tuples become lists in either case.
            "notes": json.loads(json.dumps(done.notes)),
        }
        self._save()
        return self.steps[name]["notes"]

    def is_done(self, name: str, fingerprint: str) -> bool:
        """Whether a step was done with these inputs and its outputs are unchanged."""
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
    """The result of a step.

    Attributes:
      outputs: files made by the step.
      notes: results that later steps and the report need; a JSON value.
    """

    outputs: tuple[PathLike, ...] = ()
    notes: Any = None


def digest_files(paths: Iterable[PathLike]) -> str:
    """One digest of the names and contents of files, in this order."""
    return digest_json([[os.fspath(path), digest_file(path)] for path in paths])


def digest_json(value: Any) -> str:
    """The digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The steps in a state file.

    Raises: DataError: the file is not a state file.
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
