"""The call frame that XLA's foreign function interface hands to a compiled loop.

Source: XLA's xla/ffi/api/c_api.h, version 0.3 of the interface, for machines of 64 bits.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from numba import int64

from lstmjax.simd.compile import inner
from lstmjax.simd.operations import operation, read_int32, read_int64, write_int32
from lstmjax.simd.vectors import INT64

_MAJOR, _MINOR = 0, 3
_WORD = 8
# Places in a frame, its parts and a buffer, in words.
_EXTENSION, _ARGUMENTS, _RESULTS = 1, 9, 14
_EXTENSION_METADATA = 3
_BUFFER_DATA, _BUFFER_DIMS = 3, 5
_METADATA = 1  # kind of the extension that asks for the version
# In half words.
_EXTENSION_KIND, _METADATA_MAJOR, _METADATA_MINOR = 2, 6, 7


@inner
def handle_version_query(frame):
    """Answer a call that only asks for the version of the interface; return whether it was one."""
    extension = read_int64(frame, _EXTENSION)
    if extension == 0 or read_int32(extension, _EXTENSION_KIND) != _METADATA:
        return False
    metadata = read_int64(extension, _EXTENSION_METADATA)
    write_int32(metadata, _METADATA_MAJOR, _MAJOR)
    write_int32(metadata, _METADATA_MINOR, _MINOR)
    return True


def _follow(builder: Any, address: Any, *places: Any) -> Any:
    """Read a word at a place, then one at a place after that address, and so on."""
    for place in places:
        at = builder.add(address, builder.mul(place, INT64(_WORD)))
        address = builder.load(builder.inttoptr(at, INT64.as_pointer()))
    return address


def _reader(buffers: int, field: int) -> Callable[..., Any]:
    """Make the operation `read(frame, i)`: a field of buffer i among a frame's buffers."""

    @operation(returns=int64)
    def read(builder, frame, i):
        return _follow(builder, frame, INT64(buffers), i, INT64(field))

    return read


argument = _reader(_ARGUMENTS, _BUFFER_DATA)  # address of its first element
result = _reader(_RESULTS, _BUFFER_DATA)
argument_sizes = _reader(_ARGUMENTS, _BUFFER_DIMS)  # address of its sizes along each axis, int64
result_sizes = _reader(_RESULTS, _BUFFER_DIMS)


@inner
def four_sizes(sizes):
    """Return the sizes of an array with four axes."""
    return (
        read_int64(sizes, 0), read_int64(sizes, 1), read_int64(sizes, 2), read_int64(sizes, 3),
    )  # fmt: skip


def register(name: str, function: Any) -> None:
    """Register a `handler` with XLA's CPU backend."""
    import jax

    address = ctypes.cast(function.address, ctypes.c_void_p)
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(address), platform="cpu")
