"""Compiled loops: all contact with the private parts of numba, LLVM and XLA's call frame.

Nothing here knows a layer of a network, and no other package imports these private parts.

    compile     decorators for loops: kernel, float_kernel, vector_kernel, inner, handler
    operations  what compiled loops can call: memory, vectors, blocks of products; `operation` makes
                such a call of a function that writes LLVM instructions
    vectors     vectors of floats as LLVM instructions
    products    matrix products of any size, from the blocks of `operations`
    ordered_sums  dot products whose terms are added in a given order
    borrow      cheap calls from loop to loop; arrays that stay alive behind raw addresses
    xla         the call frame of XLA's foreign function interface
    target      the processor that numba compiles for
    hooks, inline, code_cache  how numba compiles and keeps code; each falls back to plain numba
    trial, trial_loops  whether all of this works with the numba that is installed
"""
