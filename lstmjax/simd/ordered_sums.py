"""Sixteen dot products at once, each with its terms added in the order of an AVX-512 loop.

Term k of a dot product goes to lane k mod 16; lanes 8 apart are added, then 4 apart, 2 apart and
1 apart; the terms after the last full sixteen follow one by one. One element of each vector belongs
to one dot product, so its sixteen lanes are sixteen vectors here, on any processor.

Where the order does not matter, weights of float64 give sums in double precision: for processors
that do not multiply and add at once, where each such step in float32 is a call of a function, and
for sums of whole numbers that float32 would round.

Uses private parts of numba, tried with numba 0.68. There is no fallback: the order of the sums is
what the caller needs.
"""

from abc import ABC, abstractmethod
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


@intrinsic
def _sixteen_sums(_typing_context, weights, at, terms, term_at, count, out, out_at):
    """Write sixteen dot products: of a panel in `weights` with `count` numbers of `terms`.

    All arrays are flat; `at`, `term_at` and `out_at` are offsets into them. `terms` are float32,
    `weights` and `out` both float32 or both float64.
    """
    kind = _InDouble if weights.dtype == types.float64 else _InLanes

    def generate(context, builder, signature, arguments):
        weights, at, terms, term_at, count, out, out_at = arguments
        kinds = signature.args

        def start(array, kind, offset):
            made = context.make_array(kind)(context, builder, array)
            return builder.gep(made.data, [offset])

        panel = start(weights, kinds[0], at)
        numbers = start(terms, kinds[2], term_at)
        target = start(out, kinds[5], out_at)
        emit = kind(builder, panel, numbers, count)
        builder.store(emit.sums(), emit.vector_at(target), align=emit.align)
        return context.get_dummy_value()

    signature = types.void(weights, types.intp, terms, types.intp, types.intp, out, types.intp)
    return signature, generate


sixteen_sums: Any = _sixteen_sums  # called without the typing context


class _Emitter(ABC):
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

    @abstractmethod
    def sums(self):
        """The sixteen dot products as a vector."""

    @abstractmethod
    def multiply_add(self, weights, terms, sums):
        """Vector `weights * terms + sums`."""

    def vector_at(self, pointer):
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def added(self, sums, k):
        """The sums with term k added."""
        builder = self.builder
        row = builder.gep(self.panel, [builder.mul(k, ir.Constant(k.type, LANES))])
        weights = builder.load(self.vector_at(row), align=self.align)
        number = builder.load(builder.gep(self.numbers, [k]))
        if self.element != number.type:
            # A product of two float32 numbers is exact in double precision.
            number = builder.fpext(number, self.element)
        undefined = ir.Constant(self.vector, ir.Undefined)
        alone = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        return self.multiply_add(weights, builder.shuffle_vector(alone, undefined, _FIRST), sums)

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
        # The full sixteens: -16 has all bits but the lowest four.
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
        # Not fused: without such an instruction that would be a call of a function.
        return self.builder.fadd(self.builder.fmul(weights, terms), sums)

    def sums(self):
        return self.one_by_one(self.start, self.nothing)
