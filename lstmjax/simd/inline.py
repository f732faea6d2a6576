"""Helpers of loops that are never compiled alone, only inlined into the loops that use them.

By itself numba also makes machine code of every function that a loop calls, each with all that it
calls in turn, which nobody ever runs: half of the time of compiling. Here a helper stays LLVM IR.

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


class _InlineLibrary(JITCodeLibrary):
    """A library of LLVM IR for other libraries, without machine code of its own."""

    def finalize(self) -> None:
        """Link in what it calls; only variables that numba writes to get an address."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._final_module.verify()
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        # Variables that numba fills in at run time exist once in a process, however often inlined.
        for value in self._final_module.global_variables:
            if value.linkage is binding.Linkage.common:
                self._codegen._add_module(
                    binding.parse_assembly(f'@"{value.name}" = common global i8* null')
                )
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)
class _UseInlineLibrary(LoweringPass):
    """Makes the function that is being compiled use an `_InlineLibrary`."""

    _name = "lstmjax_make_part"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> Any:
        """Set the library; numba then makes none."""
        state.library = _InlineLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class _UncheckedInlineCompiler(CompilerBase):
    """numba's compiler, with `_InlineLibrary` as its result."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes of numba, and one more."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_UseInlineLibrary, IRLegalization)
        passes.finalize()
        return [passes]


class InlineCompiler(_UncheckedInlineCompiler):
    """Compiler for the option `pipeline_class`: numba's own if ours does not work."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes of numba, and one more if a trial has shown that it works."""
        if inlining_works():
            return super().define_pipelines()
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


@cache
def inlining_works() -> bool:
    """Return whether helpers stay LLVM IR: compiles a small one to find out."""
    try:
        works = _trial()
    except Exception:  # whatever an unknown numba raises
        works = False
    if not works:
        missing("numba's compiler is not as it is known", "the first start takes longer")
    return works


def _trial() -> bool:
    compile_it: Any = njit  # checkers do not know all options
    # The unchecked compiler, because the other one asks for this trial.
    part = compile_it(
        no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=_UncheckedInlineCompiler
    )(_twice)

    def caller(x):
        return part(x) + 1

    whole = compile_it(int64(int64), no_cfunc_wrapper=True)(caller)
    (made,) = part.overloads.values()
    # Code of its own would mean that the option has had no effect.
    has_own_code = bool(made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
    return whole(20) == 41 and not has_own_code


def _twice(x):
    return x + x
