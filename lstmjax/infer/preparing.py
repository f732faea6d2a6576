"""Lines of an evaluation prepared for reading: checked, encoded, their images loaded and scaled."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.order import sequential
from lstmjax.data.skips import Geometry, Skip, SkipReason, classify
from lstmjax.data.store import ImageStore, ScaledLine
from lstmjax.errors import DataError
from lstmjax.infer import forward, printed
from lstmjax.infer.helping import Helper
from lstmjax.infer.model import LoadedModel

TRAINING_INVERT_BELOW = 0.5  # of the training tools, for a line without boxes
_CODES, _AS_TRAINED, _IN_GREY = "codes", "as_trained", "in_grey"
_PIXELS, _LEVELS = "_pixels", "_levels"


class Usable(NamedTuple):
    """A line ready to be read.

    codes: [L] codes of the text, without nulls.
    to_measure: image as the training tools read it.
    to_print: image as the tesseract program reads it; None if that is not wanted.
    """

    codes: Int32[np.ndarray, " L"]
    to_measure: forward.LineToRead
    to_print: forward.LineToRead | None


class _Images(NamedTuple):
    """The codes of a line, and its image scaled in two ways, which may be the same."""

    codes: Int32[np.ndarray, " L"]
    as_trained: ScaledLine
    in_grey: ScaledLine


@dataclass(frozen=True, eq=False)
class Chunk:
    """Lines in order, each ready to be read, or why it is skipped."""

    lines: list[tuple[Line, Usable | Skip]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Preparer:
    """Prepares lines by serial number; make it with `make_preparer`.

    Attributes:
      index: lines to prepare.
      codec: character set of the model.
      geometry: sizes of images on their way through the network.
      store: images as the training tools scale them.
      grey: images of two values as the tesseract program scales them; None if nothing is printed.
      printed_sample: seed of the random numbers of every line that is printed.
      skipped: unusable lines by number, as far as they are known; others may add to them.
    """

    index: LineIndex
    codec: Codec
    geometry: Geometry
    store: ImageStore
    grey: ImageStore | None
    printed_sample: int
    skipped: dict[int, Skip]

    def prepare(self, serials: range, helper: Helper | None = None) -> Chunk:
        """The lines with these places in the run; a helper may have loaded what can be used."""
        numbers = [self._number(serial) for serial in serials]
        found = self._helped(numbers, helper)
        # Tesseract's counter of samples starts at 1.
        return self._chunk(numbers, [serial + 1 for serial in serials], found)

    def prepare_numbers(self, numbers: Sequence[int]) -> Chunk:
        """Lines by their numbers in the index."""
        return self._chunk(numbers, [number + 1 for number in numbers], [None] * len(numbers))

    def load_all(self, numbers: Sequence[int]) -> list[dict[str, np.ndarray] | None]:
        """What a helper gives for lines: their parts as arrays, None for those to be skipped."""
        found = [self._load(self.index[number]) for number in numbers]
        return [None if isinstance(each, Skip) else _as_arrays(each) for each in found]

    def _chunk(
        self, numbers: Sequence[int], samples: Sequence[int], loaded: Sequence[_Images | None]
    ) -> Chunk:
        chunk = Chunk()
        for number, sample, given in zip(numbers, samples, loaded, strict=True):
            line = self.index[number]
            # A helper gives None for skipped lines, without the reason: loading here finds it.
            found = given or self.skipped.get(number) or self._load(line)
            if isinstance(found, _Images):
                chunk.lines.append((line, self._usable(line, sample, found)))
            else:
                chunk.lines.append((line, found))
        return chunk

    def _usable(self, line: Line, sample: int, images: _Images) -> Usable:
        codes, image, grey = images
        # The training tools look for white on black only in lines without boxes.
        invert_below = 0.0 if line.has_boxes else TRAINING_INVERT_BELOW
        to_measure = forward.LineToRead(image.pixels, sample, invert_below, image.levels)
        if self.grey is None:
            return Usable(codes, to_measure, None)
        return Usable(codes, to_measure, line_to_print(grey, self.printed_sample))

    def _number(self, serial: int) -> int:
        document, page = sequential(serial, self.index.pages)
        return int(self.index.number(document, page))

    def _helped(self, numbers: list[int], helper: Helper | None) -> Sequence[_Images | None]:
        loaded = helper.ask(numbers) if helper else None
        if loaded is None:
            return [None] * len(numbers)
        return [None if each is None else _from_arrays(each) for each in loaded]

    def _load(self, line: Line) -> _Images | Skip:
        """The codes and the images of a line; or why it is skipped."""
        codes = classify(line, self.codec, self.geometry)
        if isinstance(codes, Skip):
            return codes
        try:
            image = self.store.scaled(line.number)
            # Grey values are scaled alike in both ways; only images of two values differ.
            grey = image
            if self.grey is not None and line.two_valued:
                grey = self.grey.scaled(line.number)
        except DataError as err:
            return Skip(SkipReason.UNDECODABLE, str(err))
        return _Images(codes, image, grey)


def make_preparer(
    index: LineIndex,
    model: LoadedModel,
    geometry: Geometry,
    skipped: dict[int, Skip],
    *,
    max_bytes: int,
    to_print: bool,
) -> Preparer:
    """Make a preparer of lines for a model.

    Args:
      index: lines to prepare.
      model: model that will read them.
      geometry: sizes of images on their way through the network.
      skipped: unusable lines by number, as far as they are known.
      max_bytes: bound on the memory for scaled images.
      to_print: whether lines are also prepared as the tesseract program does.
    """
    shape = geometry.shape
    two_valued = to_print and bool(index.columns.two_valued.any())
    # Each store gets a half; without images of two values, `grey` is never asked.
    share = max_bytes // 2 if two_valued else max_bytes
    grey = ImageStore(index, shape, max_bytes - share, in_grey=True) if to_print else None
    store = ImageStore(index, shape, share)
    return Preparer(index, model.codec, geometry, store, grey, model.sample_iteration, skipped)


def line_to_print(image: ScaledLine, sample: int) -> forward.LineToRead:
    """A line as the tesseract program reads it.

    Args:
      image: image scaled in grey.
      sample: number of lines visited in training, which seeds the random numbers of every line.
    """
    return forward.LineToRead(image.pixels, sample, printed.INVERT_BELOW, image.levels)


def _as_arrays(images: _Images) -> dict[str, np.ndarray]:
    """Arrays by name; an image that is the same in both ways stands once."""
    arrays = {_CODES: images.codes, **_image_arrays(_AS_TRAINED, images.as_trained)}
    # The identity says whether there are two images; `_from_arrays` restores it.
    if images.in_grey is not images.as_trained:
        arrays |= _image_arrays(_IN_GREY, images.in_grey)
    return arrays


def _image_arrays(name: str, image: ScaledLine) -> dict[str, np.ndarray]:
    levels = np.array(image.levels or (), np.float32)
    return {name + _PIXELS: image.pixels, name + _LEVELS: levels}


def _from_arrays(arrays: dict[str, np.ndarray]) -> _Images:
    as_trained = _image(arrays, _AS_TRAINED)
    in_grey = _image(arrays, _IN_GREY) if _IN_GREY + _PIXELS in arrays else as_trained
    return _Images(arrays[_CODES], as_trained, in_grey)


def _image(arrays: dict[str, np.ndarray], name: str) -> ScaledLine:
    levels = arrays[name + _LEVELS]
    pixels = arrays[name + _PIXELS]
    return ScaledLine(pixels, (levels[0], levels[1]) if len(levels) else None)


class Ahead:
    """Prepares chunks while others are read: in a thread, or with a helper beside it."""

    def __init__(self, preparer: Preparer, *, with_helper: bool):
        """Start; `with_helper` asks for another process, if this one can have any."""
        self._preparer = preparer
        self._helper = Helper.start(preparer.load_all) if with_helper else None
        # Two threads: the first chunk is loaded here while the second is asked of the helper.
        self._pool = ThreadPoolExecutor(2 if self._helper else 1)
        self._first = True

    def submit(self, serials: range) -> Future[Chunk]:
        """Begin to prepare lines: the first ones here, since a helper takes a while to start."""
        helper = None if self._first else self._helper
        self._first = False
        return self._pool.submit(self._preparer.prepare, serials, helper)

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, without beginning what nobody will read."""
        self._pool.shutdown(cancel_futures=True)
        if self._helper:
            self._helper.stop()
