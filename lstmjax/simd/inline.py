"""Parts of loops, whose code is made only where they are built in.

By itself numba makes machine code of every function that a loop calls, though only the loop needs
it, with all of its parts in it: that takes half of the time. Here a part stays what LLVM reads.

Uses private parts of numba. Tried with numba 0.68, read in 0.63 to 0.68; 0.62 lacks some of them.
Importing this module raises `ImportError` where they have changed, and a trial finds other changes;
`hooks` then compiles as numba does by itself.
"""

from functools import cache
from typing import Any

from llvmlite import binding
from numba import int64, njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import IRLegalization

from lstmjax.cache.problems import missing


class _Part(JITCodeLibrary):
    """Code to build into other code, without code of its own."""

    def finalize(self) -> None:
        """Put what it calls into it; nothing is compiled but the places numba writes to."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._final_module.verify()
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        for value in self._final_module.global_variables:
            if value.linkage is binding.Linkage.common:
                self._codegen._add_module(
                    binding.parse_assembly(f'@"{value.name}" = common global i8* null')
                )
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)
class _MakePart(LoweringPass):
    """Gives the function that is compiled a library of its own kind."""

    _name = "lstmjax_make_part"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> Any:
        """Set the library; numba makes one only where there is none."""
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class _AlwaysParts(CompilerBase):
    """What numba does, with `_Part` as result."""

    def define_pipelines(self) -> list[Any]:
        """The passes of numba, and one more."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_MakePart, IRLegalization)
        passes.finalize()
        return [passes]


class PartCompiler(_AlwaysParts):
    """What numba does, with `_Part` as result if that works; for the option `pipeline_class`."""

    def define_pipelines(self) -> list[Any]:
        """The passes of numba, and one more if a trial has shown that it does what it should."""
        if parts_work():
            return super().define_pipelines()
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


@cache
def parts_work() -> bool:
    """Whether numba is as it is known here: before anything is compiled, something small is."""
    try:
        works = _trial()
    except Exception:  # whatever an unknown numba raises
        works = False
    if not works:
        missing("numba's compiler is not as it is known", "the first start takes longer")
    return works


def _trial() -> bool:
    compile_it: Any = njit  # checkers do not know all options
    part = compile_it(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=_AlwaysParts)(
        _twice
    )

    def caller(x):
        return part(x) + 1

    whole = compile_it(int64(int64), no_cfunc_wrapper=True)(caller)
    (made,) = part.overloads.values()
    has_own_code = bool(made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
    return whole(20) == 41 and not has_own_code


def _twice(x):
    return x + x
