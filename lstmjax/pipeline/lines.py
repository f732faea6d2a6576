"""From documents of lines to training and evaluation lists, and to the text of all lines."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstmjax.data.lines import Line, LineIndex, build_index
from lstmjax.errors import DataError, LstmjaxError, UsageError
from lstmjax.formats import lstmf
from lstmjax.formats.files import PathLike, write_atomically
from lstmjax.pipeline.duplicates import find_copies
from lstmjax.pipeline.groups import SPLITS, SplitBy, are_believable, book_of, page_of
from lstmjax.pipeline.split import Split, split, split_groups
from lstmjax.pipeline.state import digest_json


@dataclass(frozen=True)
class Lists:
    """The documents of both parts.

    Attributes:
      train, eval: paths of documents and line images.
      problems: path of each file that cannot be used, and the reason.
      messages: sentences about how the lines were divided and about copies of images.
    """

    train: tuple[str, ...]
    eval: tuple[str, ...]
    problems: tuple[tuple[str, str], ...] = ()
    messages: tuple[str, ...] = ()


def divide(
    paths: Sequence[str],
    ratio: float,
    seed: int,
    folder: PathLike,
    *,
    split_by: SplitBy = "auto",
    whole_pages: Collection[str] = (),
) -> Lists:
    """Divide all lines of some documents into training lines and evaluation lines.

    Evaluation lines with the pixels of a training line are moved to training, unless no evaluation
    line would be left. A document with lines for both parts is copied to `folder` in two parts.
    The documents of a list are in the order of the first of their shuffled lines.

    Args:
      paths: lstmf documents and line images with texts.
      ratio: fraction of the lines that is for training.
      seed: seed of the division.
      folder: folder for copies of documents; made if needed.
      split_by: unit that is never divided: "line", "page" or "book", which `groups` tells from
        names; "auto" for pages if there are enough for the ratio, else lines.
      whole_pages: documents of `paths` known to be one page each.
    Raises: DataError: no line is usable, none is left for training, or names do not show the pages
      or books asked for. UsageError: there is no such `split_by`. LstmjaxError: a copy cannot be
      written.
    """
    index = build_index(paths)
    counts = {document.path: document.count for document in index.documents}
    lines = {_name(line, counts): line for line in index}
    pages = {
        name: page_of(line.path, whole=line.path in whole_pages or counts[line.path] > 1)
        for name, line in lines.items()
    }
    # Parts are divided by names, so that the same files give the same lists anywhere.
    parts, message = _divided(pages, ratio, seed, split_by)
    # A copy of a training line would make the measured error rates too good.
    parts, warnings = _without_copies(parts, lines, index)
    problems = [*index.unusable]
    problems += [(document.path, document.problem) for document in index.documents
                 if document.problem]  # fmt: skip
    return Lists(
        _documents([lines[name] for name in parts.train], counts, Path(folder), "train"),
        _documents([lines[name] for name in parts.eval], counts, Path(folder), "eval"),
        tuple(problems),
        (message, *warnings),
    )


def _divided(
    pages: Mapping[str, str], ratio: float, seed: int, split_by: SplitBy
) -> tuple[Split, str]:
    """Divide the names of lines, given the page of each; both parts, and a sentence about them."""
    if split_by not in SPLITS:
        raise UsageError(f"split_by is {split_by!r}, expected one of {', '.join(SPLITS)}")
    by_line = split(pages, ratio, seed)
    sides = f"{len(by_line.train)} lines for training, {len(by_line.eval)} for evaluation"
    if split_by == "line" or not by_line.eval:
        return by_line, f"Divided by line: {sides}."
    by_book = split_by == "book"
    groups = {name: book_of(page) for name, page in pages.items()} if by_book else pages
    kind, kinds = ("book", "books") if by_book else ("page or book", "pages or books")
    if not are_believable(groups):
        found = f"names and layout files show no {kinds} that lines have in common"
        if split_by != "auto":
            raise DataError(f"--split_by {split_by}: {found}; use --split_by line")
        return by_line, f"Divided by line: {sides}; {found}."
    parts, fits = split_groups(groups, ratio, seed)
    if split_by == "auto" and not fits:
        return by_line, (
            f"Divided by line: {sides}; the {len(set(groups.values()))} pages or books that names "
            "and layout files show are too few or too large to keep whole ones apart."
        )
    train, held_out = (len({groups[name] for name in part}) for part in parts)
    shown = os.path.basename(groups[parts.eval[0]])
    return parts, (
        f"Divided by {kind}, as names and layout files show them (such as {shown}): "
        f"{len(parts.train)} lines ({train} {kind if train == 1 else kinds}) for training, "
        f"{len(parts.eval)} lines ({held_out} other{'s' * (held_out > 1)}) for evaluation."
    )


def _without_copies(
    parts: Split, lines: Mapping[str, Line], index: LineIndex
) -> tuple[Split, list[str]]:
    """Move evaluation lines that copy a training line to training, unless that takes them all.

    Returns: both parts, and a warning if there are copies.
    """
    numbers = [[lines[name].number for name in part] for part in parts]
    copies = find_copies(index, *numbers)
    if not copies:
        return parts, []
    moved = [name for name in parts.eval if lines[name].number in copies]
    left = [name for name in parts.eval if lines[name].number not in copies]
    names = {line.number: name for name, line in lines.items()}
    one, other = next(iter(copies.items()))
    found = (
        f"Warning: {len(moved)} of {len(parts.eval)} lines for evaluation have the very pixels of "
        f"lines for training, such as {names[one]} those of {names[other]}"
    )
    if not left:
        return parts, [f"{found}; they stay, but error rates measured on them are too good."]
    warning = f"{found}; they are moved to training, which leaves {len(left)} for evaluation."
    return Split([*parts.train, *moved], left), [warning]


def write_list(paths: Iterable[PathLike], path: PathLike) -> None:
    """Write a list file, one path per line.

    Raises: LstmjaxError: the file cannot be written, or a path has a line break.
    """
    names = [os.fspath(one) for one in paths]
    for name in names:
        if "\n" in name:
            raise LstmjaxError(f"{name!r}: a list file cannot name it; rename it")
    write_atomically(path, "".join(f"{name}\n" for name in names).encode(errors="surrogateescape"))


def all_texts(index: LineIndex) -> bytes:
    """The texts of all lines in UTF-8, one per line."""
    texts = (line.text for line in index)
    return "".join(f"{text}\n" for text in texts).encode(errors="surrogateescape")


def _name(line: Line, counts: dict[str, int]) -> str:
    """The name that a line is sorted by; the path for a line image, as in tesstrain."""
    # Six digits: names sort as numbers do.
    return line.path if counts[line.path] == 1 else f"{line.path}#{line.page:06d}"


def _documents(
    lines: list[Line], counts: dict[str, int], folder: Path, part: str
) -> tuple[str, ...]:
    """Documents that hold exactly these lines; a document with other lines, too, is copied."""
    pages: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        pages[line.path].append(line.page)
    return tuple(
        path if len(numbers) == counts[path] else _copy(path, sorted(numbers), folder, part)
        for path, numbers in pages.items()
    )


def _copy(path: str, numbers: list[int], folder: Path, part: str) -> str:
    """Write some pages of a document to a new one; the path of that."""
    index = lstmf.scan(path)
    found = [index.pages[number] for number in numbers]
    pages = [lstmf.read_page(path, one.offset, one.length, index.swapped) for one in found]
    folder.mkdir(parents=True, exist_ok=True)
    # Documents of the same name in different folders get different names.
    target = str(folder / f"{Path(path).stem}.{digest_json(path)[:8]}.{part}.lstmf")
    lstmf.save(tuple(pages), target)
    return target
