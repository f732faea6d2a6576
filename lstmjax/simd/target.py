"""The processor that numba compiles for, and its vector registers.

That is the processor of this machine, unless `NUMBA_CPU_NAME` or `NUMBA_CPU_FEATURES` names
another. Where its features are not listed, LLVM knows what the name implies, but offers no way to
ask: a few lines are compiled, and the instructions that LLVM chooses are searched.

Tried with numba 0.68; where numba does not tell its target, networks are computed by XLA alone.
"""

import platform
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import binding

from lstmjax.cache.problems import missing

_FUSED = """
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
define <16 x float> @f(<16 x float> %x, <16 x float> %y, <16 x float> %z) {
  %sum = call <16 x float> @llvm.fma.v16f32(<16 x float> %x, <16 x float> %y, <16 x float> %z)
  ret <16 x float> %sum
}"""
_ROUNDED = """
define <16 x bfloat> @f(<16 x float> %x) {
  %rounded = fptrunc <16 x float> %x to <16 x bfloat>
  ret <16 x bfloat> %rounded
}"""
# Products of neighbours, added up: LLVM makes one instruction of them where there is one.
_EVEN, _ODD = (", ".join(f"i32 {place}" for place in range(start, 32, 2)) for start in (0, 1))
_DOTS = f"""
define <16 x i32> @f(<32 x i16> %x, <32 x i16> %y, <16 x i32> %z) {{
  %a = sext <32 x i16> %x to <32 x i32>
  %b = sext <32 x i16> %y to <32 x i32>
  %ab = mul nsw <32 x i32> %a, %b
  %even = shufflevector <32 x i32> %ab, <32 x i32> undef, <16 x i32> <{_EVEN}>
  %odd = shufflevector <32 x i32> %ab, <32 x i32> undef, <16 x i32> <{_ODD}>
  %pair = add <16 x i32> %even, %odd
  %sum = add <16 x i32> %pair, %z
  ret <16 x i32> %sum
}}"""


@dataclass(frozen=True)
class Target:
    """A processor as LLVM names it.

    Attributes:
      name: LLVM's name of the processor.
      features: instruction sets that are added or removed, such as "+avx2,-avx512f".
    """

    name: str
    features: str

    @property
    def lanes(self) -> int:
        """Floats of the widest vector with fused multiply-add; 0 if there is none."""
        # Every ARM of 64 bits has such vectors.
        if platform.machine().lower() in ("arm64", "aarch64"):
            return 4
        if self._has("avx512f", _FUSED, r"vfmadd.*%zmm"):
            return 16
        if self._has("avx2", _FUSED, r"vfmadd.*%ymm") and self._has("fma", _FUSED, r"vfmadd"):
            return 8
        return 0

    @property
    def has_pairs(self) -> bool:
        """Whether there is a product of bfloat16 pairs, sixteen at once."""
        return self.lanes == 16 and self._has("avx512bf16", _ROUNDED, r"vcvtneps2bf16")

    @property
    def has_dots(self) -> bool:
        """Whether there is a dot product of four int8 numbers in each place of a vector."""
        if self.lanes == 16:
            return self._has("avx512vnni", _DOTS, r"vpdpwssd.*%zmm") and self._has(
                "avx512bw", _DOTS, r"vpdpwssd.*%zmm"
            )
        return self.lanes == 8 and self._has("avxvnni", _DOTS, r"vpdpwssd.*%ymm")

    def _has(self, feature: str, code: str, instruction: str) -> bool:
        """Whether a feature is added; if it is not listed, whether LLVM uses the instruction."""
        # Of several entries for one feature LLVM takes the last.
        listed = [each[0] == "+" for each in self.features.split(",") if each[1:] == feature]
        if listed:
            return listed[-1]
        return re.search(instruction, _assembly(self, code)) is not None


@cache
def _assembly(target: Target, code: str) -> str:
    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(
        cpu=target.name, features=target.features
    )
    return machine.emit_assembly(binding.parse_assembly(code))


@cache
def numba_target() -> Target:
    """Return the processor that numba compiles for; without any features if numba does not tell."""
    try:
        from numba.core import registry

        target: Any = registry.cpu_target  # checkers do not know its properties
        _, name, features = target.target_context.codegen().magic_tuple()
        return Target(name, features)
    except (ImportError, AttributeError, ValueError):
        missing("numba does not say what it compiles for", "loops are compiled by XLA")
        return Target("generic", "")
