"""The loop over the pages of an lstmf document, compiled by `lstmjax.simd.compile`."""

import numpy as np

OFFSET, LENGTH, NAME, NAME_SIZE, PAGE_NUMBER, TEXT, TEXT_SIZE, BOXES = range(8)
IMAGE, IMAGE_SIZE, WIDTH, HEIGHT, BIT_DEPTH, COLOR_TYPE = range(8, 14)
FIELDS = 14
"""Columns of the table that `walk` fills; places are byte offsets in the file, sizes are bytes."""

_PNG_HEAD = 26


def _number(data, at):
    """The unsigned 32-bit integer at `at`, little-endian; -1 if the data ends before it does.

    A negative `at` gives -1 too, so that a chain of reads needs only one check at its end.
    """
    if at < 0 or at + 4 > len(data):
        return -1
    low = np.int64(data[at]) | np.int64(data[at + 1]) << 8
    return low | np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24


def _after(data, at):
    """The end of the byte string at `at`, which begins with its size; -1 beyond the data."""
    size = _number(data, at)
    if size < 0 or size > len(data) - at - 4:
        return -1
    return at + 4 + size


def _big_endian(data, at):
    high = np.int64(data[at]) << 24 | np.int64(data[at + 1]) << 16
    return high | np.int64(data[at + 2]) << 8 | np.int64(data[at + 3])


def _picture(data, at, size, row):
    """Fill the image columns from the header of a PNG; zeros and -1 for other images."""
    row[WIDTH], row[HEIGHT], row[BIT_DEPTH], row[COLOR_TYPE] = 0, 0, 0, -1
    if size < _PNG_HEAD:
        return
    # The signature of PNG, then its first chunk, which must be IHDR.
    if _big_endian(data, at) != 0x89504E47 or _big_endian(data, at + 4) != 0x0D0A1A0A:
        return
    if _big_endian(data, at + 12) != 0x49484452:
        return
    row[WIDTH], row[HEIGHT] = _big_endian(data, at + 16), _big_endian(data, at + 20)
    row[BIT_DEPTH], row[COLOR_TYPE] = data[at + 24], data[at + 25]


def walk(data, table):
    """Find all pages of a document.

    Args:
      data: [n] uint8, the content of a little-endian file.
      table: [pages, FIELDS] int64, a row for each page that the file says it has; filled here.
    Returns: whether the file is whole and nothing follows the last page.
    """
    at = 4  # the pages follow their count
    for i in range(len(table)):
        row = table[i]
        row[OFFSET] = at
        # A flag, which is 1 for every page there is; then the name of the image.
        if at >= len(data) or data[at] != 1:
            return False
        row[NAME] = at + 5
        number = _after(data, at + 1)
        row[NAME_SIZE] = number - row[NAME]
        page_number = _number(data, number)
        if number < 0 or page_number < 0:
            return False
        row[PAGE_NUMBER] = page_number - (page_number >> 31 << 32)  # the stored one is signed
        row[IMAGE] = number + 8  # behind the page number and the size of the image
        language = _after(data, number + 4)
        if language < 0:
            return False
        row[IMAGE_SIZE] = language - row[IMAGE]
        _picture(data, row[IMAGE], row[IMAGE_SIZE], row)
        text = _after(data, language)
        row[TEXT] = text + 4
        at = -1 if text < 0 else _after(data, text)
        # From here on a failed read left -1 in `at`, which makes the number of boxes -1 as well.
        # Counts are compared with the bytes that remain, so that none can lead beyond the data.
        boxes = _number(data, at)
        if boxes < 0 or 8 * boxes > len(data) - at - 4:
            return False
        row[TEXT_SIZE], row[BOXES] = at - row[TEXT], boxes
        at += 4 + 8 * boxes  # a box is four 16-bit numbers
        texts = _number(data, at)
        if texts < 0 or 4 * texts > len(data) - at - 4:
            return False
        # Lines without boxes have one text, that of the whole line.
        if texts != boxes and not (boxes == 0 and texts == 1):
            return False
        at += 4
        for _ in range(texts):
            at = _after(data, at)
            if at < 0:
                return False
        # The last byte says whether the text is vertical.
        if at >= len(data) or data[at] > 1:
            return False
        at += 1
        row[LENGTH] = at - row[OFFSET]
    return at == len(data)
