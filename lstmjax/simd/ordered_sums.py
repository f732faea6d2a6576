"""Sixteen dot products at once, each with its terms added in the order of an AVX-512 loop.

Term k of a dot product goes to lane k mod 16; lanes 8 apart are added, then 4 apart, 2 apart and
1 apart; the terms after the last full sixteen follow one by one. One element of each vector belongs
to one dot product, so its sixteen lanes are sixteen vectors here, on any processor.

Uses private parts of numba, tried with numba 0.68. There is no fallback: the order of the sums is
what the caller needs.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)


@intrinsic
def _sixteen_sums(_typing_context, weights, at, terms, term_at, count, out, out_at):
    """Write sixteen dot products: of a panel in `weights` with `count` numbers of `terms`.

    All arrays are flat; `at`, `term_at` and `out_at` are offsets into them.
    """

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
        self.zero = ir.Constant(size, 0)
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        fused = f"llvm.fma.v{LANES}f32"
        self.multiply_add = cgutils.get_or_insert_function(builder.module, kind, fused)

    def vector_at(self, pointer):
        return self.builder.bitcast(pointer, _VECTOR.as_pointer())

    def added(self, lane, k):
        """The lane with term k added."""
        builder = self.builder
        row = builder.gep(self.panel, [builder.mul(k, ir.Constant(k.type, LANES))])
        weights = builder.load(self.vector_at(row), align=4)
        number = builder.load(builder.gep(self.numbers, [k]))
        empty = ir.Constant(_VECTOR, ir.Undefined)
        alone = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        spread = builder.shuffle_vector(alone, empty, everywhere)
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
