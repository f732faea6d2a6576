"""Lines with images and transcriptions, to be looked at from Python."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from PIL import Image

from lstmjax.data.decode import decode
from lstmjax.data.lines import LineIndex, build_index
from lstmjax.data.listing import read_list
from lstmjax.data.pairs import is_image_name
from lstmjax.formats.files import PathLike

Source = PathLike | Sequence[PathLike]
"""Documents: a list file, a single document, or the paths of several."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A line to look at.

    Attributes:
      image: grey or colour image, as in the file.
      text: the transcription.
      path: path of the document.
      page: page of the document, from 0.
    """

    image: Image.Image
    text: str
    path: str
    page: int


class Samples(Sequence[Sample]):
    """All lines of some documents; an image is read and decoded when it is asked for."""

    def __init__(self, index: LineIndex):
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, number: int) -> Sample: ...

    @overload
    def __getitem__(self, number: slice) -> list[Sample]: ...

    def __getitem__(self, number: int | slice) -> Sample | list[Sample]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        line = self._index[number + len(self) if number < 0 else number]
        pixels = decode(self._index.image(line.number), f"{line.path}: page {line.page}")
        if pixels.dtype == np.bool_:
            pixels = pixels.astype(np.uint8) * np.uint8(255)
        return Sample(Image.fromarray(pixels), line.text, line.path, line.page)

    @property
    def texts(self) -> list[str]:
        """The transcriptions, without decoding any image."""
        return [self._index.text(number) for number in range(len(self))]


def documents(source: Source) -> str | tuple[str, ...]:
    """Tell a list file from documents.

    Args:
      source: one path, which is a document if it ends like one (`.lstmf` or an image) and a list
        file otherwise; or several paths, which are documents.
    Returns: the path of a list file, or the paths of documents.
    """
    if not isinstance(source, str | os.PathLike):
        return tuple(os.fspath(path) for path in source)
    path = os.fspath(source)
    if path.lower().endswith(".lstmf") or is_image_name(path):
        return (path,)
    return path


def index_of(source: Source) -> LineIndex:
    """Index the lines of documents.

    Raises: DataError: a list file cannot be read, or not a single line can be used.
    """
    named = documents(source)
    return build_index(read_list(named) if isinstance(named, str) else named)


def read_lines(source: Source) -> Samples:
    """Open line images with their texts, to look at them or render the texts again.

    Args:
      source: a list file as for training, a document (`.lstmf`, or an image with its `.gt.txt`), or
        the paths of several documents.
    Returns: a sequence of `Sample`; images are decoded when they are asked for.
    Raises: DataError: a list file cannot be read, or not a single line can be used.

    Example:
      >>> lines = lstmjax.read_lines("examples/train.list")
      >>> lines[0].text
      'was thin, but there was'
    """
    return Samples(index_of(source))
