"""Executables with the names of Tesseract's training tools that call lstmjax.

With their folder first in PATH, Makefiles and scripts that call `lstmtraining` use lstmjax
unchanged. `tesseract` is special: only calls with `lstm.train` are answered here.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.formats.files import PathLike, write_atomically

NAMES = (
    "lstmtraining", "lstmeval", "combine_lang_model", "combine_tessdata", "unicharset_extractor",
    "set_unicharset_properties", "merge_unicharsets", "wordlist2dawg", "dawg2wordlist",
    "text2image", "tesseract",
)  # fmt: skip
"""The executables, each named after the tool that it replaces."""

AS_TESSERACT = "--as_tesseract"
"""First argument of `lstmjax shims` when it is called instead of the program tesseract."""

CONFIG = "lstm.train"
"""The configuration that makes the program tesseract write training data."""

_MARK = b"# Made by lstmjax shims."
_HEAD_BYTES = 4096
_MODE, _MOST_BYTES = "tessedit_pageseg_mode", 1 << 20


def write_shims(folder: PathLike) -> list[Path]:
    """Write the executables; those of an earlier call are replaced.

    They call the Python that runs now. Nothing is written if another file has one of the names.

    Args:
      folder: folder for the executables; made if missing.
    Returns: the paths written.
    Raises: LstmjaxError: a file of another origin is in the way, the folder cannot be written, or
      this Python finds lstmjax only in the current folder.
    """
    _check_python()
    target = Path(folder)
    paths = [target / name for name in NAMES]
    foreign = [path.name for path in paths if os.path.lexists(path) and not is_shim(path)]
    if foreign:
        raise LstmjaxError(
            f"{target}: files that lstmjax did not make are in the way: {', '.join(foreign)}; "
            "nothing is written. Give an empty or a new folder"
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise LstmjaxError(f"{target}: cannot be made: {err.strerror or err}") from err
    for path in paths:
        write_atomically(path, _script(path.name).encode(errors="surrogateescape"))
        path.chmod(0o755)
    return paths


def is_shim(path: PathLike) -> bool:
    """Whether a file is an executable made by `write_shims`."""
    try:
        with open(path, "rb") as file:
            return file.readline(_HEAD_BYTES) == b"#!/bin/sh\n" and file.readline(
                _HEAD_BYTES
            ).startswith(_MARK)
    except OSError:
        return False


def find_program(name: str, search_path: str) -> str | None:
    """The first executable of this name in a search path, ours left out.

    Args:
      name: name of the program, without folder.
      search_path: folders, separated as in PATH.
    Returns: path of the program; None if there is none.
    """
    for folder in search_path.split(os.pathsep):
        candidate = os.path.join(folder or os.curdir, name)
        found = shutil.which(candidate)
        if found and not is_shim(found):
            return found
    return None


def training_call(arguments: Sequence[str]) -> list[str] | None:
    """Translate a call of the program tesseract to arguments of `pages.as_tesseract`.

    tesstrain.sh appends a configuration file of the language after `lstm.train`, or an empty
    argument if there is none. Only the page segmentation mode of such a file matters here.

    Returns: the arguments; None if the call is not for training data.
    Raises: UsageError: a configuration file cannot be read.
    """
    if CONFIG not in arguments:
        return None
    place = arguments.index(CONFIG)
    chosen, others = [*arguments[:place]], [*arguments[place + 1 :]]
    for path in filter(None, others):
        if path.startswith("-"):
            raise UsageError(f"{path} must stand before {CONFIG}")
        mode = _segmentation_mode(path)
        # The options of the call itself win over the configuration.
        if mode and "--psm" not in chosen:
            chosen += ["--psm", mode]
    return [*chosen, CONFIG]


def _segmentation_mode(path: str) -> str:
    """The value of tessedit_pageseg_mode in a configuration file; "" if it is not set."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_MOST_BYTES).splitlines()
    except OSError as err:
        raise UsageError(
            f"the configuration {path} after {CONFIG} cannot be read: {err.strerror or err}"
        ) from err
    found = [words[1] for line in lines if (words := line.split())[:1] == [_MODE] and words[1:]]
    return found[-1] if found else ""


def hand_over(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Replace this process by the real tesseract.

    Args:
      arguments: arguments of the call.
      environ: environment; its PATH is searched.
    Returns: exit status of the program, on systems where a process cannot be replaced.
    Raises: UsageError: there is no real tesseract.
    """
    program = find_program("tesseract", environ.get("PATH", os.defpath))
    if program is None:
        asked = shlex.join(["tesseract", *arguments])
        raise UsageError(
            f"`{asked}` needs the program tesseract, which is nowhere in PATH (Debian: apt-get "
            "install tesseract-ocr); lstmjax stands in for it only in "
            "`tesseract IMAGE BASE [--psm N] [-l LANG] lstm.train`"
        )
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(program, [program, *arguments], dict(environ))
    return subprocess.run([program, *arguments], check=False).returncode


def _script(name: str) -> str:
    """The text of an executable.

    PYTHONSAFEPATH keeps modules in the current folder of the caller from shadowing ours.
    """
    tool = ["shims", AS_TESSERACT] if name == "tesseract" else [name]
    command = shlex.join([sys.executable, "-m", "lstmjax", *tool])
    return (
        f"#!/bin/sh\n{_MARK.decode()} It stands for Tesseract's {name}.\n"
        f'PYTHONSAFEPATH=1 exec {command} "$@"\n'
    )


def _check_python() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import lstmjax"], capture_output=True, cwd=os.sep
    )
    if done.returncode:
        raise LstmjaxError(
            f"{sys.executable} does not find lstmjax from other folders; install it "
            "(pip install -e . in its checkout) and call `lstmjax shims` of that installation"
        )


def folder_is_first(folder: PathLike, search_path: str) -> bool:
    """Whether a call by name alone runs the executable in this folder."""
    found = shutil.which(NAMES[0], path=search_path)
    return found is not None and os.path.dirname(os.path.realpath(found)) == os.path.realpath(
        folder
    )
