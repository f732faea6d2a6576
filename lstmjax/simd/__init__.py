"""All that this package knows about the inner parts of numba and LLVM, each with its fall-back."""
