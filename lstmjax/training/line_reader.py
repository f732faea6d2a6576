"""Outputs of the network for a training line -> codes, as reports and debugging texts need them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32

from lstmjax.charset.codec import Codec
from lstmjax.charset.prefixes import BeamTables
from lstmjax.ctc.beam import beam_search


@dataclass(frozen=True)
class LineReader:
    """Probabilities of one line -> codes."""

    codec: Codec
    simple_text: bool

    @cached_property
    def _tables(self) -> BeamTables:
        return self.codec.beam_tables()

    def read(
        self, probs: Float32[np.ndarray, "T K"]
    ) -> tuple[Int32[np.ndarray, " L"], Int32[np.ndarray, " L"]]:
        """The codes that probabilities say, and the time step at which each begins."""
        null_char = self.codec.null_char
        if self.simple_text:
            best = probs.argmax(1).astype(np.int32)
            starts = np.flatnonzero(best != null_char).astype(np.int32)
            return best[starts], starts
        found = beam_search(probs, self._tables, null_char)
        return found.codes, found.starts
