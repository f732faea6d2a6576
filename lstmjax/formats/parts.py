"""A traineddata taken apart: components as files named by their suffix.

Source: Tesseract src/ccutil/tessdatamanager.cpp, CombineDataFiles and OverwriteComponents.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from lstmjax.errors import FormatError
from lstmjax.formats.files import PathLike, read_bytes
from lstmjax.formats.traineddata import COMPONENTS, TESSERACT_VERSION, TrainedData


def suffix_of(path: PathLike) -> str | None:
    """The component a file name stands for, by the text after its last dot."""
    suffix = os.fspath(path).rpartition(".")[2]
    return suffix if suffix in COMPONENTS and "." in os.fspath(path) else None


def part_path(prefix: PathLike, suffix: str) -> str:
    """The file of a component under a prefix, which may or may not end in a dot."""
    start = os.fspath(prefix)
    return f"{start}{'' if start.endswith('.') else '.'}{suffix}"


def gather(prefix: PathLike) -> TrainedData:
    """Read all component files of a prefix; without a version file, name today's version.

    Raises:
      FormatError: one of them is empty or cannot be read.
    """
    paths = {suffix: part_path(prefix, suffix) for suffix in COMPONENTS}
    present = [path for path in paths.values() if Path(path).exists()]
    fresh = TrainedData({"version": TESSERACT_VERSION.encode()})
    return replace_parts(fresh, present)


def replace_parts(trained: TrainedData, paths: Iterable[PathLike]) -> TrainedData:
    """Replace or add components by the content of files.

    Raises:
      FormatError: a file is empty, cannot be read, or its name says no component.
    """
    for path in paths:
        suffix = suffix_of(path)
        if suffix is None:
            raise FormatError("its suffix names no component", file=os.fspath(path))
        data = read_bytes(path)
        if not data:
            raise FormatError("the component file is empty", file=os.fspath(path))
        trained = trained.with_component(suffix, data)
    return trained


def is_complete(trained: TrainedData) -> bool:
    """Whether Tesseract could run with these components: an LSTM model, or a legacy one's base."""
    present = trained.components.keys()
    return "lstm" in present or {"unicharset", "inttemp"} <= present


def describe(trained: TrainedData) -> str:
    """List the components as Tesseract does; its offsets ignore the count, so are 4 too low."""
    lines = [f"Version:{trained.version}"]
    components = {**trained.components, "version": trained.version.encode(errors="surrogateescape")}
    offset = 8 * len(COMPONENTS)
    for i, suffix in enumerate(COMPONENTS):
        size = len(components.get(suffix, b""))
        if size:
            lines.append(f"{i}:{suffix}:size={size}, offset={offset}")
            offset += size
    return "\n".join(lines)
