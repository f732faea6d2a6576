"""Reading lines with the place of each symbol."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from lstmjax.charset.dictionary import Dictionary, build_dictionary
from lstmjax.ctc.lexicon_beam import Read, lexicon_search
from lstmjax.data.batch import Buckets
from lstmjax.data.image import SizeProblem, scale_line, scaled_size, size_problem
from lstmjax.errors import DataError
from lstmjax.formats.files import PathLike
from lstmjax.infer.choose import make_forward
from lstmjax.infer.forward import Forward, LineToRead
from lstmjax.infer.model import LoadedModel, load_model
from lstmjax.infer.printed import INVERT_BELOW
from lstmjax.netspec.tree import x_scale


@dataclass(frozen=True, eq=False)
class Symbols:
    """A line as read.

    Attributes:
      texts: symbols in the order of the image, words divided by single spaces.
      spans: [n, 2] columns of the image that the time steps of each symbol cover.
    """

    texts: tuple[str, ...] = ()
    spans: Float[np.ndarray, "n 2"] = field(default_factory=lambda: np.zeros((0, 2)))


@dataclass(eq=False)
class SymbolReader:
    """A model that reads lines; make it with `load`.

    Attributes:
      model: network, weights and character set.
      dictionary: words that readings prefer.
      keeps_spaces: whether words are divided only where a space was read.
    """

    model: LoadedModel
    dictionary: Dictionary
    keeps_spaces: bool
    _forward: Forward
    _buckets: Buckets | None = None

    def read(self, images: Sequence[NDArray[np.uint8]]) -> Iterator[Symbols | DataError]:
        """Yield what is read in each image, or why it cannot be read.

        Args:
          images: [h, w] grey or [h, w, 3] colour each.
        """
        scaled = [self._scaled(image) for image in images]
        lines = [
            LineToRead(pixels, self.model.sample_iteration, INVERT_BELOW)
            for pixels in scaled
            if not isinstance(pixels, DataError)
        ]
        if lines and self._buckets is None:  # compile for the same widths in later calls
            self._buckets = self._forward.buckets([line.pixels.shape[1] for line in lines])
        outputs = iter(self._forward.probs(lines, buckets=self._buckets) if lines else [])
        for image, pixels in zip(images, scaled, strict=True):
            if isinstance(pixels, DataError):
                yield pixels
            else:
                # Columns of the image for each time step: the network saw it scaled.
                step = x_scale(self.model.root) * image.shape[1] / pixels.shape[1]
                yield self._symbols(next(outputs), step)

    def _scaled(self, image: NDArray[np.uint8]) -> NDArray[np.uint8] | DataError:
        shape = self.model.input_shape
        height, width = image.shape[:2]
        size = scaled_size(width, height, shape.target_height)
        if size_problem(*size, x_scale(self.model.root)) is SizeProblem.TOO_SMALL:
            return DataError(f"too small to be read: {width} x {height} pixels")
        try:
            return scale_line(image, shape)
        except DataError as err:
            return err

    def _symbols(self, probs: Float[np.ndarray, "T K"], step: float) -> Symbols:
        model = self.model
        read = lexicon_search(probs, model.decoder.tables, model.null_char, self.dictionary)
        texts: list[str] = []
        spans: list[tuple[float, float]] = []
        for start, end in read.words:
            word = [i for i in range(start, end) if self._text(read, i) != " "]
            after_space = start > 0 and read.unichar_ids[start - 1] == 0  # id 0 is the space
            if word and texts and (after_space or not self.keeps_spaces):
                texts.append(" ")
                spans.append((step * read.ends[word[0] - 1], step * read.starts[word[0]]))
            texts += [self._text(read, i) for i in word]
            # Time steps become columns of the image.
            spans += [(step * read.starts[i], step * read.ends[i]) for i in word]
        return Symbols(tuple(texts), np.array(spans, np.float64).reshape(-1, 2))

    def _text(self, read: Read, place: int) -> str:
        return self.model.codec.unicharset.printed(int(read.unichar_ids[place]))


def load(
    path: PathLike,
    traineddata: PathLike | None = None,
    *,
    use_dictionary: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> SymbolReader:
    """Load a model for reading.

    Args:
      path: a traineddata; a checkpoint or `.lstm` file; or the base name of a run for its best
        state.
      traineddata: the character set of a checkpoint: the traineddata it was trained with.
      use_dictionary: False to read as with a model without word lists.
      say: called with a note on the state of a run that was taken.
    Raises: FormatError: damaged files, or files that do not belong together. DataError: the model
      does not use CTC, so that its outputs have no places.
    """
    model = load_model(path, traineddata, say=say)
    if model.simple_text:
        raise DataError(f"{path}: the outputs of this network are text without places (no CTC)")
    words = model.word_reader
    dictionary = words.dictionary if use_dictionary else build_dictionary(
        {}, model.codec.unicharset
    )  # fmt: skip
    return SymbolReader(model, dictionary, words.keeps_spaces, make_forward(model))
