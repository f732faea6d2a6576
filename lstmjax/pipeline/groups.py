"""Which lines belong to one page or book, judged by the names of files and layout files.

The name of a line image ends in a part of its own, as in `hoffmann_0012_010002.bin.png`. What
precedes it names the page, or the book if lines are numbered through the book; all lines in one
folder with the same beginning form a group. If a name has no such beginning, the folder is the
group. A document with several lines is a page. Names can mislead, so they are believed only if
most lines share their group with another line.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from lstmjax.pages.sources import strip_ending

SplitBy = Literal["auto", "line", "page", "book"]
SPLITS: tuple[SplitBy, ...] = ("auto", "line", "page", "book")

_WORD = re.compile(r"[^\W_]+")
_INSIDE = re.compile(r"(?:r|tr|region|textregion|block|l|tl|line|textline)(\d*)", re.IGNORECASE)
"""Parts of a page in names of lines, such as `region3`, or `line` followed by a number."""
_PAGE = re.compile(r"(?:p|pg|page|f|fol|folio|s|seite|img|image|scan|file)?\d\w*", re.IGNORECASE)
_PAGES = re.compile(r"(?:p|pg|page|f|fol|folio|s|seite|img|image|scan|file)", re.IGNORECASE)


def page_of(path: str, *, whole: bool = False) -> str:
    """The page a line belongs to, or its book if the name shows no page.

    Args:
      path: path of the line image, or of the document made from it.
      whole: whether the document is a whole page.
    Returns: the beginning of the path that the lines of the page have in common.
    """
    base = strip_ending(path)
    if whole:
        return base
    folder, name = os.path.split(base)
    words = list(_WORD.finditer(name))
    if not words or not any(map(str.isdigit, words.pop()[0])):
        return folder
    # The number of the line is gone; now drop parts of the page, such as `region3`, before it.
    while words and (inside := _inside(words)):
        del words[-inside:]
    return os.path.join(folder, name[: words[-1].end()]) if words else folder


def book_of(page: str) -> str:
    """The book a page belongs to: the result of `page_of` without the number of the page.

    If the name of the page is a mere number, the folder is the book.
    """
    folder, name = os.path.split(page)
    words = list(_WORD.finditer(name))
    if words and _PAGE.fullmatch(words[-1][0]):
        words.pop()
        if words and _PAGES.fullmatch(words[-1][0]):
            words.pop()
    elif not words:
        return page
    return os.path.join(folder, name[: words[-1].end()]) if words else folder


def are_believable(group_of: Mapping[str, str]) -> bool:
    """Whether there are several groups, and most lines share their group with another line.

    Args:
      group_of: name of a line -> name of its group.
    """
    sizes = Counter(group_of.values())
    shared = sum(size for size in sizes.values() if size > 1)
    return len(sizes) > 1 and 2 * shared >= len(group_of)


def _inside(words: list[re.Match[str]]) -> int:
    """How many words at the end name a part of a page: `region3` is one, `region 3` two."""
    last = words[-1][0]
    if _INSIDE.fullmatch(last):
        return 1
    if last.isdigit() and len(words) > 1:
        before = _INSIDE.fullmatch(words[-2][0])
        return 2 if before and not before[1] else 0
    return 0
