"""Networks of the usual kinds in compiled loops, a few lines at a time.

Supported are a convolution with its pool, LSTMs along one axis, layers side by side, fully
connected layers, and a softmax. Nothing is compiled for a network or a width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from lstmjax.data.image import Input as Block
from lstmjax.data.random import MinStd
from lstmjax.infer.forward import BATCH
from lstmjax.infer.host.int8_ops import SUPPORTED as INT8_SUPPORTED
from lstmjax.infer.host.layers import HostBuilder, Lines, Step
from lstmjax.infer.host.numbers import FloatLayers, Int8Layers, Probs, UnsupportedLayerError
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.shape import check_one_row


@dataclass(frozen=True, eq=False)
class HostNetwork:
    """A network ready to run; make it with `make_host_network`."""

    lines_at_once = BATCH

    _steps: tuple[Step, ...]
    _softmax: Probs

    def probs(
        self, blocks: Sequence[Block], streams: Sequence[MinStd]
    ) -> list[Float32[np.ndarray, "T K"]]:
        """Class probabilities of lines; other threads may run meanwhile.

        Args:
          blocks: input of each line, [H, w, D], all of one height.
          streams: source of the random numbers around each line.
        """
        height, _, depth = blocks[0].shape
        widths = np.array([block.shape[1] for block in blocks], np.int64)
        lines = Lines(
            np.empty((height, 0, len(blocks), depth), np.float32),
            widths,
            tuple(blocks),
            np.array([stream.state for stream in streams], np.int64),
        )
        for step in self._steps:
            lines = step(lines)
        check_one_row(lines.x.shape[0])
        probs = self._softmax(lines.x[0], lines.widths)
        return np.split(probs, np.cumsum(lines.widths)[:-1])


def make_host_network(model: LoadedModel) -> HostNetwork | None:
    """Prepare a network; None if it has a layer that these loops do not support."""
    kind = Int8Layers() if model.int_mode and INT8_SUPPORTED else FloatLayers(model.int_mode)
    try:
        return HostNetwork(*HostBuilder(kind).network(model.root, model.params))
    except UnsupportedLayerError:
        return None
