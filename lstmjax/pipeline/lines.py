"""From documents of lines to lists for training and evaluation, and to the text of all lines."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstmjax.data.lines import Line, LineIndex, build_index
from lstmjax.errors import LstmjaxError
from lstmjax.formats import lstmf
from lstmjax.formats.files import PathLike, write_atomically
from lstmjax.pipeline.split import split
from lstmjax.pipeline.state import digest_json


@dataclass(frozen=True)
class Lists:
    """The documents of both parts.

    Attributes:
      train: paths of documents and line images.
      eval: likewise.
      problems: path and reason of what cannot be used.
    """

    train: tuple[str, ...]
    eval: tuple[str, ...]
    problems: tuple[tuple[str, str], ...] = ()


def divide(paths: Sequence[str], ratio: float, seed: int, folder: PathLike) -> Lists:
    """Divide all lines of some documents into lines for training and for evaluation.

    A document with lines for both is copied in two parts into `folder`. Documents stand in a list
    in the order of the first of their shuffled lines.

    Args:
      paths: lstmf documents and line images with texts.
      ratio: the part for training.
      seed: of the division.
      folder: for copies; made if it is needed.
    Raises: DataError: no line is usable, or none is left for training. LstmjaxError: a copy cannot
      be written.
    """
    index = build_index(paths)
    counts = {document.path: document.count for document in index.documents}
    lines = {_name(line, counts): line for line in index}
    parts = split(lines, ratio, seed)
    problems = [*index.unusable]
    problems += [(document.path, document.problem) for document in index.documents
                 if document.problem]  # fmt: skip
    return Lists(
        _documents([lines[name] for name in parts.train], counts, Path(folder), "train"),
        _documents([lines[name] for name in parts.eval], counts, Path(folder), "eval"),
        tuple(problems),
    )


def write_list(paths: Iterable[PathLike], path: PathLike) -> None:
    """Write a list file, one path a line.

    Raises: LstmjaxError: it cannot be written, or a path has a line break.
    """
    names = [os.fspath(one) for one in paths]
    for name in names:
        if "\n" in name:
            raise LstmjaxError(f"{name!r}: a list file cannot name it; rename it")
    write_atomically(path, "".join(f"{name}\n" for name in names).encode(errors="surrogateescape"))


def all_texts(index: LineIndex) -> bytes:
    """The texts of all lines, one a line, in UTF-8."""
    texts = (line.text for line in index)
    return "".join(f"{text}\n" for text in texts).encode(errors="surrogateescape")


def _name(line: Line, counts: dict[str, int]) -> str:
    """What a line is sorted by; for a line image its path, as in tesstrain."""
    return line.path if counts[line.path] == 1 else f"{line.path}#{line.page:06d}"


def _documents(
    lines: list[Line], counts: dict[str, int], folder: Path, part: str
) -> tuple[str, ...]:
    """The documents that hold some lines and no others."""
    pages: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        pages[line.path].append(line.page)
    return tuple(
        path if len(numbers) == counts[path] else _copy(path, sorted(numbers), folder, part)
        for path, numbers in pages.items()
    )


def _copy(path: str, numbers: list[int], folder: Path, part: str) -> str:
    """Write some pages of a document into another one."""
    index = lstmf.scan(path)
    found = [index.pages[number] for number in numbers]
    pages = [lstmf.read_page(path, one.offset, one.length, index.swapped) for one in found]
    folder.mkdir(parents=True, exist_ok=True)
    # Documents of the same name in different folders get different names.
    target = str(folder / f"{Path(path).stem}.{digest_json(path)[:8]}.{part}.lstmf")
    lstmf.save(tuple(pages), target)
    return target
