"""Lines of an evaluation made ready to be read: judged, encoded, their images loaded and scaled."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np
from jaxtyping import Int32

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import Line, LineIndex
from lstmjax.data.order import sequential
from lstmjax.data.skips import Geometry, Skip, SkipReason, classify
from lstmjax.data.store import ImageStore, ScaledLine
from lstmjax.errors import DataError
from lstmjax.infer import forward
from lstmjax.infer.helping import Helper

INVERT_BELOW = 0.5  # of a line without boxes
_NAMES = ("codes", "pixels", "levels")

Usable = tuple[Int32[np.ndarray, " L"], ScaledLine]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Lines in order, each with its codes or why it is skipped; and the images of the former."""

    lines: list[tuple[Line, Int32[np.ndarray, " L"] | Skip]] = field(default_factory=list)
    scaled: list[forward.ScaledLine] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Preparer:
    """Prepares lines by serial number.

    Attributes:
      index: the lines.
      codec: of the model.
      geometry: of its network.
      store: keeps their images.
      skipped: unusable lines by number, as far as they are known; others may add to them.
    """

    index: LineIndex
    codec: Codec
    geometry: Geometry
    store: ImageStore
    skipped: dict[int, Skip]

    def prepare(self, serials: range, helper: Helper | None = None) -> Chunk:
        """The lines with these places in the run; a helper may have loaded what can be used."""
        numbers = [self._number(serial) for serial in serials]
        usable = self._helped(numbers, helper)
        chunk = Chunk()
        for serial, number, given in zip(serials, numbers, usable, strict=True):
            line = self.index[number]
            found = given or self.skipped.get(number) or self._load(line)
            if isinstance(found, Skip):
                chunk.lines.append((line, found))
                continue
            codes, image = found
            invert_below = 0.0 if line.has_boxes else INVERT_BELOW
            chunk.lines.append((line, codes))
            chunk.scaled.append(
                forward.ScaledLine(image.pixels, serial + 1, invert_below, image.levels)
            )
        return chunk

    def load_all(self, numbers: Sequence[int]) -> list[dict[str, np.ndarray] | None]:
        """What a helper gives for lines: their parts as arrays, None for those to be skipped."""
        found = [self._load(self.index[number]) for number in numbers]
        return [None if isinstance(each, Skip) else _as_arrays(*each) for each in found]

    def _number(self, serial: int) -> int:
        document, page = sequential(serial, self.index.pages)
        return int(self.index.number(document, page))

    def _helped(self, numbers: list[int], helper: Helper | None) -> Sequence[Usable | None]:
        loaded = helper.ask(numbers) if helper else None
        if loaded is None:
            return [None] * len(numbers)
        return [None if each is None else _from_arrays(**each) for each in loaded]

    def _load(self, line: Line) -> Usable | Skip:
        """The codes and the image of a line; or why it is skipped."""
        codes = classify(line, self.codec, self.geometry)
        if isinstance(codes, Skip):
            return codes
        try:
            return codes, self.store.scaled(line.number)
        except DataError as err:
            return Skip(SkipReason.UNDECODABLE, str(err))


def _as_arrays(codes: Int32[np.ndarray, " L"], image: ScaledLine) -> dict[str, np.ndarray]:
    levels = np.array(image.levels or (), np.float32)
    return dict(zip(_NAMES, (codes, image.pixels, levels), strict=True))


def _from_arrays(codes: np.ndarray, pixels: np.ndarray, levels: np.ndarray) -> Usable:
    return codes, ScaledLine(pixels, (levels[0], levels[1]) if len(levels) else None)


class Ahead:
    """Prepares chunks while others are read: in a thread, or with a helper beside it."""

    def __init__(self, preparer: Preparer, *, with_helper: bool):
        """Start; `with_helper` asks for another process, if this one can have any."""
        self._preparer = preparer
        self._helper = Helper.start(preparer.load_all) if with_helper else None
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
