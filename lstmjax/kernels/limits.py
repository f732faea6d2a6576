"""Bounds of an LSTM, which Tesseract's training and ours share.

Source: Tesseract src/lstm/lstm.cpp.
"""

NUM_GATES = 4  # CI, GI, GF1, GO, in file order
NUM_GATES_2D = 5  # and GFS
NUM_KEPT_2D = 4  # numbers that a unit's way back needs: of CI, GI, the state that was kept, GO
STATE_CLIP = 100.0
STATE_ERROR_CLIP = 4.0  # these two bound errors at every step back in time
STATE_ERROR_CLIP_2D = 9.0
GATE_ERROR_CLIP = 1.0
