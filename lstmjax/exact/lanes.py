"""Sums of products in the very order of the original, many at a time.

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

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstmjax.simd.compile import float_kernel

LANES = 16
_PLACES = ir.VectorType(ir.IntType(32), LANES)


@intrinsic
def _sixteen_sums(typingctx, weights, at, terms, term_at, count, out, out_at):
    """Write sixteen dot products: of a panel in `weights` with `count` numbers of `terms`.

    All arrays are flat; `at`, `term_at` and `out_at` are offsets into them. `terms` are float32,
    `weights` and `out` both float32 or both float64.
    """
    del typingctx
    weights_type = weights

    def generate(context, builder, signature, arguments):
        weights, at, terms, term_at, count, out, out_at = arguments
        kinds = signature.args

        def start(array, kind, offset):
            made = context.make_array(kind)(context, builder, array)
            return builder.gep(made.data, [offset])

        panel = start(weights, kinds[0], at)
        numbers = start(terms, kinds[2], term_at)
        target = start(out, kinds[5], out_at)
        kind = _InDouble if weights_type.dtype == types.float64 else _InLanes
        emit = kind(builder, panel, numbers, count)
        builder.store(emit.sums(), emit.vector_at(target), align=emit.align)
        return context.get_dummy_value()

    signature = types.void(weights, types.intp, terms, types.intp, types.intp, out, types.intp)
    return signature, generate


sixteen_sums: Any = _sixteen_sums  # called without the typing context


class _Emitter:
    """Writes the instructions of `_sixteen_sums`.

    Args:
      builder: LLVM's builder of instructions.
      panel: address of the first weight.
      numbers: address of the first term.
      count: number of terms.
    """

    element: ir.Type
    align: int

    def __init__(self, builder, panel, numbers, count):
        self.builder, self.panel, self.numbers, self.count = builder, panel, numbers, count
        self.vector = ir.VectorType(self.element, LANES)
        self.start = ir.Constant(count.type, 0)
        self.nothing = ir.Constant(self.vector, [0.0] * LANES)

    def sums(self):
        """The sixteen dot products as a vector."""
        raise NotImplementedError

    def multiply_add(self, weights, terms, sums):
        """Vector `weights * terms + sums`."""
        raise NotImplementedError

    def vector_at(self, pointer):
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def added(self, sums, k):
        """The sums with term k added."""
        builder = self.builder
        row = builder.gep(self.panel, [builder.mul(k, ir.Constant(k.type, LANES))])
        weights = builder.load(self.vector_at(row), align=self.align)
        number = builder.load(builder.gep(self.numbers, [k]))
        if self.element != number.type:
            number = builder.fpext(number, self.element)
        undefined = ir.Constant(self.vector, ir.Undefined)
        alone = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        first = ir.Constant(_PLACES, [0] * LANES)
        return self.multiply_add(weights, builder.shuffle_vector(alone, undefined, first), sums)

    def loop(self, start, end, step, values, body):
        """Values after `body(k, values)` for k from start to end."""
        builder = self.builder
        before = builder.block
        head, inside, after = (
            builder.append_basic_block(name) for name in ("sum.head", "sum.body", "sum.end")
        )
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(start.type)
        carried = [builder.phi(self.vector) for _ in values]
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

    def one_by_one(self, start, total):
        """A total with the terms from `start` on added in their order."""
        return self.loop(
            start, self.count, 1, [total], lambda k, sums: [self.added(sums[0], k)]
        )[0]  # fmt: skip


class _InLanes(_Emitter):
    """Sums of float32 in the order of the original, each product and sum rounded at once."""

    element = ir.FloatType()
    align = 4

    def multiply_add(self, weights, terms, sums):
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        fused = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.fma.v{LANES}f32")
        return self.builder.call(fused, [weights, terms, sums])

    def sums(self):
        full = self.builder.and_(self.count, ir.Constant(self.count.type, -LANES))
        return self.one_by_one(full, self.folded(self.lanes(full)))

    def lanes(self, full):
        """The sixteen lanes after the last full sixteen terms."""

        def body(k, lanes):
            builder = self.builder
            return [
                self.added(lane, builder.add(k, ir.Constant(k.type, i)))
                for i, lane in enumerate(lanes)
            ]

        return self.loop(self.start, full, LANES, [self.nothing] * LANES, body)

    def folded(self, lanes):
        """The sum of the lanes, added in the order of the original."""
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [self.builder.fadd(lanes[i], lanes[i + half]) for i in range(half)]
        return lanes[0]


class _InDouble(_Emitter):
    """Sums in double precision; those of int8 numbers are exact."""

    element = ir.DoubleType()
    align = 8

    def multiply_add(self, weights, terms, sums):
        return self.builder.fadd(self.builder.fmul(weights, terms), sums)

    def sums(self):
        return self.one_by_one(self.start, self.nothing)


@float_kernel
def panels_of_columns(matrix):
    """[terms, results] -> panels, for results = numbers @ matrix; missing columns are 0."""
    terms, results = matrix.shape
    blocks = (results + LANES - 1) // LANES
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
