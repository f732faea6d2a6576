"""Write executables with the names of Tesseract's tools, so that existing Makefiles use lstmjax."""

import os
import shlex

from lstmjax.errors import UsageError

USAGE = """\
Usage: lstmjax shims DIR
Writes executables named lstmtraining, lstmeval, tesseract, ... to DIR. With DIR first in PATH,
existing Makefiles and scripts use lstmjax:
  PATH=DIR:$PATH make training"""


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    from lstmjax.pipeline.shims import AS_TESSERACT, folder_is_first, write_shims

    if argv[:1] == [AS_TESSERACT]:
        return _as_tesseract(argv[1:])
    if not argv or argv[0] in ("-h", "-help", "--help"):
        print(USAGE)
        return 0
    if len(argv) > 1 or argv[0].startswith("-"):
        raise UsageError(f"expected one folder, found {shlex.join(argv)}\n{USAGE}")
    folder = argv[0]
    paths = write_shims(folder)
    print(f"{len(paths)} executables in {folder}: {' '.join(path.name for path in paths)}")
    if not folder_is_first(folder, os.environ.get("PATH", os.defpath)):
        print(f"Use them with  PATH={shlex.quote(os.path.abspath(folder))}:$PATH")
    return 0


def _as_tesseract(arguments: list[str]) -> int:
    """Answer a call of the program tesseract: make training data, or run the real one."""
    from lstmjax.pipeline.shims import hand_over, training_call

    call = training_call(arguments)
    if call is None:
        return hand_over(arguments, os.environ)
    from lstmjax.pages import as_tesseract

    return as_tesseract.main(call)
