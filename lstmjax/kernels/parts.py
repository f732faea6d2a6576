"""Parts of loops, whose code is made only where they are built in.

By itself numba makes machine code of every function that a loop calls, though only the loop needs
it, with all of its parts in it: that takes half of the time. Here a part stays what LLVM reads.
"""

from typing import Any

from llvmlite import binding
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import IRLegalization


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


class PartCompiler(CompilerBase):
    """What numba does, with `_Part` as result; for the option `pipeline_class`."""

    def define_pipelines(self) -> list[Any]:
        """The passes of numba, and one more."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_MakePart, IRLegalization)
        passes.finalize()
        return [passes]
