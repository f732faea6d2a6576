"""Outputs of the network for a line -> codes, as the training tools read them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.charset.codec import Codec
from lstmjax.charset.prefixes import BeamTables
from lstmjax.ctc.beam import beam_search


@dataclass(frozen=True)
class LineDecoder:
    """Decoder of class probabilities by beam search, without a dictionary.

    Attributes:
      codec: character set of the network.
      null_char: class of the CTC blank.
      simple_text: whether each code has one step, without CTC.
    """

    codec: Codec
    null_char: int
    simple_text: bool

    @cached_property
    def tables(self) -> BeamTables:
        """The character set in the form that the beam search needs."""
        return self.codec.beam_tables()

    def read(
        self, probs: Float32[np.ndarray, "T K"]
    ) -> tuple[Int32[np.ndarray, " L"], Int32[np.ndarray, " L"]]:
        """Codes without nulls, and the time step at which each begins.

        Args:
          probs: [T, K] normalised probabilities.
        """
        if self.simple_text:
            # Repeats are not merged: without CTC each step has a character of its own.
            best = probs.argmax(1).astype(np.int32)
            starts = np.flatnonzero(best != self.null_char).astype(np.int32)
            return best[starts], starts
        found = beam_search(probs, self.tables, self.null_char)
        return found.codes, found.starts
