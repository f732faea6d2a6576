"""The loop over the pages of an lstmf document, compiled by `lstmjax.simd.compile`."""

import numpy as np

OFFSET, LENGTH, NAME, NAME_SIZE, PAGE_NUMBER, TEXT, TEXT_SIZE, BOXES = range(8)
IMAGE, IMAGE_SIZE, WIDTH, HEIGHT, BIT_DEPTH, COLOR_TYPE = range(8, 14)
FIELDS = 14
"""Columns of what `walk` writes."""

_PNG_HEAD = 26


def _number(data, at):
    """The four bytes at `at`, little-endian; -1 if they are not all there."""
    if at < 0 or at + 4 > len(data):
        return -1
    low = np.int64(data[at]) | np.int64(data[at + 1]) << 8
    return low | np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24


def _after(data, at):
    """Where the byte string that starts at `at` with its size ends; -1 beyond the data."""
    size = _number(data, at)
    if size < 0 or size > len(data) - at - 4:
        return -1
    return at + 4 + size


def _big_endian(data, at):
    high = np.int64(data[at]) << 24 | np.int64(data[at + 1]) << 16
    return high | np.int64(data[at + 2]) << 8 | np.int64(data[at + 3])


def _picture(data, at, size, row):
    """Write what the header of a PNG says; zeros and -1 for other images."""
    row[WIDTH], row[HEIGHT], row[BIT_DEPTH], row[COLOR_TYPE] = 0, 0, 0, -1
    if size < _PNG_HEAD:
        return
    if _big_endian(data, at) != 0x89504E47 or _big_endian(data, at + 4) != 0x0D0A1A0A:
        return
    if _big_endian(data, at + 12) != 0x49484452:  # IHDR
        return
    row[WIDTH], row[HEIGHT] = _big_endian(data, at + 16), _big_endian(data, at + 20)
    row[BIT_DEPTH], row[COLOR_TYPE] = data[at + 24], data[at + 25]


def walk(data, table):
    """Find all pages of a document.

    Args:
      data: [n] uint8, the file, little-endian.
      table: [pages, FIELDS] int64, as many rows as the file says it has pages; filled.
    Returns: whether the file is whole and nothing follows the last page.
    """
    at = 4
    for i in range(len(table)):
        row = table[i]
        row[OFFSET] = at
        if at >= len(data) or data[at] != 1:
            return False
        row[NAME] = at + 5
        number = _after(data, at + 1)
        row[NAME_SIZE] = number - row[NAME]
        page_number = _number(data, number)
        if number < 0 or page_number < 0:
            return False
        row[PAGE_NUMBER] = page_number - (page_number >> 31 << 32)  # it has a sign
        row[IMAGE] = number + 8
        language = _after(data, number + 4)
        if language < 0:
            return False
        row[IMAGE_SIZE] = language - row[IMAGE]
        _picture(data, row[IMAGE], row[IMAGE_SIZE], row)
        text = _after(data, language)
        row[TEXT] = text + 4
        at = -1 if text < 0 else _after(data, text)
        boxes = _number(data, at)
        if boxes < 0 or 8 * boxes > len(data) - at - 4:
            return False
        row[TEXT_SIZE], row[BOXES] = at - row[TEXT], boxes
        at += 4 + 8 * boxes
        texts = _number(data, at)
        if texts < 0 or 4 * texts > len(data) - at - 4:
            return False
        if texts != boxes and not (boxes == 0 and texts == 1):
            return False
        at += 4
        for _ in range(texts):
            at = _after(data, at)
            if at < 0:
                return False
        if at >= len(data) or data[at] > 1:
            return False
        at += 1
        row[LENGTH] = at - row[OFFSET]
    return at == len(data)
