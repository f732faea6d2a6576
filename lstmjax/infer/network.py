"""A network and what its outputs mean: all that is known of a model without its weights."""

from dataclasses import dataclass
from functools import cached_property

from lstmjax.charset.codec import Codec
from lstmjax.data.image import InputShape
from lstmjax.infer.decode import LineDecoder
from lstmjax.infer.words import WordReader, without_words
from lstmjax.netspec.shape import input_of, output_loss
from lstmjax.netspec.tree import Series


@dataclass(frozen=True, eq=False)
class Network:
    """A network with its character set.

    Attributes:
      root: the network.
      codec: text <-> network outputs.
      null_char: output that is the CTC blank.
      words: word lists that readings prefer, from the traineddata; None if there are none.
    """

    root: Series
    codec: Codec
    null_char: int
    words: WordReader | None = None

    @cached_property
    def word_reader(self) -> WordReader:
        """Decoder of outputs into words, with or without word lists."""
        return self.words or without_words(self.codec)

    @cached_property
    def input_shape(self) -> InputShape:
        """Size and depth of the images that the network takes."""
        first = input_of(self.root)
        return InputShape(first.height, first.width, first.depth)

    @cached_property
    def decoder(self) -> LineDecoder:
        """Decoder of outputs into codes, as the training tools read them."""
        return LineDecoder(self.codec, self.null_char, self.simple_text)

    @property
    def simple_text(self) -> bool:
        """Whether outputs are the text itself, one step for each code, without CTC."""
        return output_loss(self.root) != "ctc"
