"""Numbers that several implementations here share, each defined once; most are Tesseract's.

Sources: Tesseract src/lstm/lstm.cpp, src/lstm/functions.h, src/lstm/weightmatrix.cpp,
src/ccutil/helpers.h.
"""

import numpy as np

NUM_GATES = 4  # CI, GI, GF1, GO, in file order
NUM_GATES_2D = 5  # and GFS
NUM_SAVED_2D = 4  # values per unit saved for the backward pass: CI, GI, the chosen state, GO

STATE_CLIP = 100.0
STATE_ERROR_CLIP = 4.0  # these two bound errors at every step back in time
STATE_ERROR_CLIP_2D = 9.0
GATE_ERROR_CLIP = 1.0

# The tables of tanh and logistic: 4,096 entries from 0 on, 256 of them a unit.
STEPS_PER_UNIT = 256.0
TABLE_SIZE = 4096
_ARGUMENTS = np.arange(TABLE_SIZE, dtype=np.float64) / STEPS_PER_UNIT
TANH_TABLE = np.tanh(_ARGUMENTS).astype(np.float32)
LOGISTIC_TABLE = (1.0 / (1.0 + np.exp(-_ARGUMENTS))).astype(np.float32)

LOG_IMPOSSIBLE = -1e30  # the log of no probability in CTC: small, and far from float32's lowest
WRONG_BY_HALF = 0.5  # a class this far from its target counts as an error of the time step

EXP_FLOOR = -86.0  # softmax never looks further down than this
MINSTD_MULTIPLIER = 48271  # of the random numbers, see `data.random`
MINSTD_MODULUS = 2**31 - 1

EXACT_FLOAT_SUM = 2**24 // (127 * 127) - 1
"""So many products of integers of at most 127 are added in float32 without rounding."""
