"""Bytes <-> frozen records of int, float, str, bytes and NumPy arrays; no meaning, no JAX.

Every module has `unpack`/`pack` (bytes) and, where files of the kind stand alone, `load`/`save`
(paths). A file that is not what its format promises raises `FormatError` with the byte offset.
"""
