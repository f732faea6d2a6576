"""Networks that the loops of `infer.host` do not support, read with Tesseract's arithmetic.

`exact` runs every kind of layer, one line at a time: LSTMs over two dimensions or with a softmax
inside, convolutions of convolutions, Reconfig, sums of very many int8 numbers. Nothing is compiled
for a network or a width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from lstmjax.array_types import Params
from lstmjax.data.borders import draw_borders
from lstmjax.data.image import Input as Block
from lstmjax.data.random import MinStd
from lstmjax.exact.forward import forward, pack
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.shape import check_one_row, check_softmax
from lstmjax.netspec.tree import Series
from lstmjax.simd.target import numba_target


@dataclass(frozen=True, eq=False)
class ExactReader:
    """A network ready to run; make it with `make_exact_reader`."""

    lines_at_once = 1

    _root: Series
    _matrices: Params
    _int_mode: bool

    def probs(
        self, blocks: Sequence[Block], streams: Sequence[MinStd]
    ) -> list[Float32[np.ndarray, "T K"]]:
        """Class probabilities of lines; other threads may run meanwhile.

        Args:
          blocks: input of each line, [H, w, D].
          streams: source of the random numbers around each line.
        Raises: SpecError: the outputs have several rows.
        """
        return [self._line(*line) for line in zip(blocks, streams, strict=True)]

    def _line(self, block: Block, stream: MinStd) -> Float32[np.ndarray, "T K"]:
        height, width, _ = block.shape
        # Before the pass, in the order of the convolutions; `stream` is past the noise of padding.
        borders = draw_borders(self._root, height, width, stream, int_mode=self._int_mode)
        outputs, _ = forward(self._root, self._matrices, block, borders)
        check_one_row(len(outputs))
        return outputs[0]


def make_exact_reader(model: LoadedModel) -> ExactReader:
    """Prepare a network for reading.

    Sums are those of Tesseract to the last bit where the processor multiplies and adds at once,
    and in double precision elsewhere.

    Raises: SpecError: the network does not end in a softmax.
    """
    check_softmax(model.root)
    # Without such an instruction each fused step would be a call of a function.
    fused = numba_target().lanes > 0
    return ExactReader(model.root, pack(model.params, double=not fused), model.int_mode)
