"""Float weights -> int8 rows with a scale each, bit for bit as Tesseract 5 converts them.

The arithmetic is float32 throughout: doing it in float64 gives the same integers but other
scales. NumPy only, so that `combine_tessdata -c` starts without JAX.
Source: Tesseract src/lstm/weightmatrix.cpp, ConvertToInt; src/arch/intsimdmatrix.cpp.
"""

from dataclasses import replace

import numpy as np

from lstmjax.formats.nodes import TRAINING_OFF, NetworkNode
from lstmjax.formats.weights import INT8, WeightMatrix

MAX_INT8 = np.float32(127)


def to_int(
    network: NetworkNode, *, training: int = TRAINING_OFF, scale_multiple: int = 1
) -> NetworkNode:
    """Convert every float matrix of a network to int8.

    The update history is dropped, as a model in int8 cannot be trained. Matrices that are int8
    already stay as they are.

    Args:
      network: network to convert.
      training: training state of the result: 0 is what `combine_tessdata -c` writes,
        TRAINING_PAUSED what `lstmtraining --convert_to_int` writes. Readers see no difference.
      scale_multiple: pad the scales with zeros to a multiple of this. Tesseract on x86 with AVX2
        writes 8; 1, no padding, can be read everywhere.
    """

    def convert(matrix: WeightMatrix) -> WeightMatrix:
        return matrix if matrix.int_mode else quantize(matrix, scale_multiple=scale_multiple)

    def below(node: NetworkNode) -> NetworkNode:
        return to_int(node, training=training, scale_multiple=scale_multiple)

    return replace(
        network,
        training=training,
        children=tuple(below(child) for child in network.children),
        gates=tuple(convert(gate) for gate in network.gates),
        weights=None if network.weights is None else convert(network.weights),
        softmax=None if network.softmax is None else below(network.softmax),
    )


def quantize(matrix: WeightMatrix, *, scale_multiple: int = 1) -> WeightMatrix:
    """Convert one float matrix to int8.

    Args:
      matrix: float weights, [rows, cols].
      scale_multiple: number that the count of scales is padded to a multiple of; see `to_int`.

    Returns: weights [rows, cols] int8 in -127..127, rounded half away from zero, and float64
      scales; a row of zeros has scale 0.
    """
    weights = matrix.weights.astype(np.float32)
    # The bias, in the last column, counts for the scale of its row.
    scales = np.abs(weights).max(axis=1) / MAX_INT8  # [rows] float32
    divisors = np.where(scales > 0, scales, np.float32(1))
    ratios = weights / divisors[:, None]
    half = np.float32(0.5)
    rounded = np.where(ratios >= 0, np.trunc(ratios + half), -np.trunc(half - ratios))
    # Tesseract keeps scale / 127 in memory (inputs are scaled by 127, too) and multiplies by 127
    # when writing; both steps round.
    stored = (scales / MAX_INT8 * MAX_INT8).astype(np.float64)
    padding = -len(stored) % scale_multiple
    return WeightMatrix(
        matrix.mode | INT8,
        rounded.astype(np.int8),
        scales=np.pad(stored, (0, padding)),
    )
