"""Tesseract's tables of tanh and logistic: 4,096 entries from 0 on, 256 of them a unit.

Source: Tesseract src/lstm/functions.h.
"""

import numpy as np

STEPS_PER_UNIT = 256.0
SIZE = 4096
_ARGUMENTS = np.arange(SIZE, dtype=np.float64) / STEPS_PER_UNIT
TANH_TABLE = np.tanh(_ARGUMENTS).astype(np.float32)
LOGISTIC_TABLE = (1.0 / (1.0 + np.exp(-_ARGUMENTS))).astype(np.float32)
EXACT_FLOAT_SUM = 2**24 // (127 * 127) - 1
"""So many products of whole numbers of at most 127 are added in float32 without rounding."""
