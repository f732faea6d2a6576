"""Texts of n-grams: shuffled and spread over lines before they are rendered.

Source: Tesseract src/training/text2image.cpp.
"""

from lstmjax.render.characters import words
from lstmjax.render.mersenne import shuffled
from lstmjax.render.settings import SEED

_LARGE = 20


def spread(text: str, *, shuffle: bool, point_size: float) -> str:
    """Spread n-grams over lines of about a hundred bytes, or fifty for large letters.

    Args:
      text: n-grams separated by white space.
      shuffle: whether to put them in random order, with four spaces between.
      point_size: size of the letters in points.
    """
    separator = "    " if shuffle else " "
    per_line = 50 if point_size > _LARGE else 100
    grams = [text[start:end] for start, end in words(text)]
    if shuffle:
        grams = shuffled(grams, SEED)
    parts: list[str] = []
    size, line = 0, 1
    for gram in grams:
        parts.append(gram)
        size += len(gram.encode())
        if size > line * per_line:
            line += 1
            added = " \n" + (separator if line & 1 else "")
        else:
            added = separator
        parts.append(added)
        size += len(added)
    return "".join(parts)
