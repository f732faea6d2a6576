"""Sums of products in the very order of the original, many at a time.

On a processor with AVX-512 Tesseract adds a dot product up in sixteen lanes: term k goes to lane
k mod 16, with one rounding for product and sum; then lanes 8 apart are added, 4 apart, 2 apart and
1 apart; the terms after the last full sixteen follow one by one. Float32 sums in another order
differ in their last digit, and a network in training doubles such differences every few lines.

Here sixteen results are computed at once, one in each element of a vector, and the sixteen lanes
are sixteen vectors. Weights are kept in panels for that: [results / 16, terms, 16].
Source: Tesseract src/arch/dotproductavx512.cpp.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstmjax.simd.compile import float_kernel

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)


@intrinsic
def _sixteen_sums(typingctx, weights, at, terms, term_at, count, out, out_at):
    """Write sixteen dot products: of a panel in `weights` with `count` numbers of `terms`.

    All arrays are flat; `at`, `term_at` and `out_at` are offsets into them.
    """
    del typingctx

    def generate(context, builder, signature, arguments):
        weights, at, terms, term_at, count, out, out_at = arguments
        kinds = signature.args

        def start(array, kind, offset):
            made = context.make_array(kind)(context, builder, array)
            return builder.gep(made.data, [offset])

        panel = start(weights, kinds[0], at)
        numbers = start(terms, kinds[2], term_at)
        target = start(out, kinds[5], out_at)
        emit = _Emitter(builder, panel, numbers, count)
        builder.store(emit.tail(emit.folded(emit.lanes())), emit.vector_at(target), align=4)
        return context.get_dummy_value()

    signature = types.void(weights, types.intp, terms, types.intp, types.intp, out, types.intp)
    return signature, generate


sixteen_sums: Any = _sixteen_sums  # called without the typing context


class _Emitter:
    """Writes the instructions of `_sixteen_sums`."""

    def __init__(self, builder, panel, numbers, count):
        self.builder, self.panel, self.numbers, self.count = builder, panel, numbers, count
        size = count.type
        self.full = builder.and_(count, ir.Constant(size, -LANES))
        self.zero, self.one = ir.Constant(size, 0), ir.Constant(size, 1)
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        self.multiply_add = cgutils.get_or_insert_function(
            builder.module, kind, f"llvm.fma.v{LANES}f32"
        )

    def vector_at(self, pointer):
        return self.builder.bitcast(pointer, _VECTOR.as_pointer())

    def added(self, lane, k):
        """The lane with term k added."""
        builder = self.builder
        row = builder.gep(self.panel, [builder.mul(k, ir.Constant(k.type, LANES))])
        weights = builder.load(self.vector_at(row), align=4)
        number = builder.load(builder.gep(self.numbers, [k]))
        alone = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
        )
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        spread = builder.shuffle_vector(alone, ir.Constant(_VECTOR, ir.Undefined), everywhere)
        return builder.call(self.multiply_add, [weights, spread, lane])

    def _loop(self, start, end, step, values, body):
        """Values after `body(k, values)` for k from start to end."""
        builder = self.builder
        before = builder.block
        head, inside, after = (
            builder.append_basic_block(name) for name in ("sum.head", "sum.body", "sum.end")
        )
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(start.type)
        carried = [builder.phi(_VECTOR) for _ in values]
        builder.cbranch(builder.icmp_signed("<", k, end), inside, after)
        builder.position_at_end(inside)
        new = body(k, carried)
        following = builder.add(k, ir.Constant(k.type, step))
        for phi, first, later in zip(carried, values, new, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, builder.block)
        k.add_incoming(start, before)
        k.add_incoming(following, builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return carried

    def lanes(self):
        """The sixteen lanes after the last full sixteen terms."""
        nothing = ir.Constant(_VECTOR, [0.0] * LANES)

        def body(k, lanes):
            builder = self.builder
            return [
                self.added(lane, builder.add(k, ir.Constant(k.type, i)))
                for i, lane in enumerate(lanes)
            ]

        return self._loop(self.zero, self.full, LANES, [nothing] * LANES, body)

    def folded(self, lanes):
        """Lanes added in the order of the original."""
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [self.builder.fadd(lanes[i], lanes[i + half]) for i in range(half)]
        return lanes[0]

    def tail(self, total):
        """The remaining terms one by one."""

        def body(k, values):
            return [self.added(values[0], k)]

        return self._loop(self.full, self.count, 1, [total], body)[0]


@float_kernel
def panels_of_columns(matrix):
    """[terms, results] -> panels, for results = numbers @ matrix; missing columns are 0."""
    terms, results = matrix.shape
    blocks = (results + LANES - 1) // LANES
    panels = np.zeros((blocks, terms, LANES), np.float32)
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
    """[T, terms] times panels -> [T, results], all contiguous."""
    count, terms = numbers.shape
    out = np.empty((count, results), np.float32)
    flat_numbers, flat_panels = numbers.reshape(-1), panels.reshape(-1)
    sixteen = np.empty(LANES, np.float32)
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
    return products(np.ascontiguousarray(sources.T), panels_of_columns(errors), errors.shape[1])


@float_kernel
def column_sums(errors):
    """[T, N] -> [N], one row after the other."""
    total = np.zeros(errors.shape[1], np.float32)
    for t in range(errors.shape[0]):
        for n in range(errors.shape[1]):
            total[n] += errors[t, n]
    return total
