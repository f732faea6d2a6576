"""Sums of products in the order of the original, many at a time.

On a processor with AVX-512 Tesseract adds a dot product up in sixteen lanes: term k goes to lane
k mod 16, with one rounding for product and sum; then lanes 8 apart are added, 4 apart, 2 apart and
1 apart; the terms after the last full sixteen follow one by one. Float32 sums in another order
differ in their last digit, and a network in training doubles such differences every few lines.

Here sixteen results are computed at once, one in each element of a vector, and the sixteen lanes
are sixteen vectors. Weights are packed in panels for that: [results / 16, terms, 16].

Panels of float64 are for reading where float32 does not do: their products and sums are made in
double precision, one term after the other.
Source: Tesseract src/arch/dotproductavx512.cpp.
"""

import numpy as np

from lstmjax.simd.compile import float_kernel
from lstmjax.simd.ordered_sums import LANES, sixteen_sums


@float_kernel
def panels_of_columns(matrix):
    """[terms, results] -> panels, for results = numbers @ matrix; missing columns are 0."""
    terms, results = matrix.shape
    blocks = (results + LANES - 1) // LANES
    # The lanes beyond the last result are computed, too, from weights of 0; nobody reads them.
    panels = np.zeros((blocks, terms, LANES), matrix.dtype)
    for block in range(blocks):
        first = block * LANES
        width = min(LANES, results - first)
        for k in range(terms):
            for lane in range(width):
                panels[block, k, lane] = matrix[k, first + lane]
    return panels


@float_kernel
def panels_of_rows(matrix):
    """[results, terms] -> panels, for results = matrix @ numbers; missing rows are 0."""
    results, terms = matrix.shape
    blocks = (results + LANES - 1) // LANES
    panels = np.zeros((blocks, terms, LANES), np.float32)
    for block in range(blocks):
        first = block * LANES
        for lane in range(min(LANES, results - first)):
            for k in range(terms):
                panels[block, k, lane] = matrix[first + lane, k]
    return panels


@float_kernel
def products(numbers, panels, results):
    """[T, terms] times panels -> [T, results] of the panels' type, all contiguous."""
    count, terms = numbers.shape
    out = np.empty((count, results), panels.dtype)
    flat_numbers, flat_panels = numbers.reshape(-1), panels.reshape(-1)
    sixteen = np.empty(LANES, panels.dtype)
    for block in range(len(panels)):
        first = block * LANES
        width = min(LANES, results - first)
        for t in range(count):
            sixteen_sums(
                flat_panels, block * terms * LANES, flat_numbers, t * terms, terms, sixteen, 0
            )
            for lane in range(width):
                out[t, first + lane] = sixteen[lane]
    return out


@float_kernel
def gate_panels(weights, gates):
    """Panels [gates, blocks, states, 16] that take the errors of gates to their sources.

    Args:
      weights: [sources, gates * states].
      gates: how many lie side by side.
    """
    sources, num_states = len(weights), weights.shape[1] // gates
    blocks = (sources + LANES - 1) // LANES
    # Panels by gate, because the errors of each gate are summed by themselves, see `gate_sums`.
    panels = np.zeros((gates, blocks, num_states, LANES), np.float32)
    for gate in range(gates):
        for source in range(sources):
            block, lane = source // LANES, source % LANES
            for i in range(num_states):
                panels[gate, block, i, lane] = weights[source, gate * num_states + i]
    return panels


@float_kernel
def outer_sums(sources, errors):
    """The gradient of a matrix: [T, D] sources and [T, N] errors -> [D, N]."""
    # Time is the index that is summed over, so it has to be the contiguous one.
    return products(np.ascontiguousarray(sources.T), panels_of_columns(errors), errors.shape[1])


@float_kernel
def column_sums(errors):
    """[T, N] -> [N], one row after the other."""
    total = np.zeros(errors.shape[1], np.float32)
    for t in range(errors.shape[0]):
        for n in range(errors.shape[1]):
            total[n] += errors[t, n]
    return total
