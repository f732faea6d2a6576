"""Which lines are of one page or book, as names of files and layout files show.

The name of a line image ends in the line's own part, `hoffmann_0012_010002.bin.png`; what stands
before it is the page, or the book if lines are counted through it, and all lines with the same
beginning in the same folder are one group. A name of one part shows nothing, and then the folder
is the group. A document of several lines is a page. Nothing is known but names, so they are
believed only where most lines share their group with another line.
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
"""Parts of a page in names of lines, such as `region3` or, before a number of its own, `line`."""
_PAGE = re.compile(r"(?:p|pg|page|f|fol|folio|s|seite|img|image|scan|file)?\d\w*", re.IGNORECASE)
_PAGES = re.compile(r"(?:p|pg|page|f|fol|folio|s|seite|img|image|scan|file)", re.IGNORECASE)


def page_of(path: str, *, whole: bool = False) -> str:
    """The page a line is of, or its book if the name shows no page.

    Args:
      path: of the line image, or of the document made of it.
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
    while words and (inside := _inside(words)):
        del words[-inside:]
    return os.path.join(folder, name[: words[-1].end()]) if words else folder


def book_of(page: str) -> str:
    """The book a page is of, given as `page_of` gives it: its name without the page's number.

    A page whose name is a mere number has the book's name in its folder.
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
    """Whether there are several groups, and most lines share theirs.

    Args:
      group_of: name of a line -> its group.
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
