"""Bounds of an LSTM, which Tesseract's training and ours share.

Source: Tesseract src/lstm/lstm.cpp.
"""

NUM_GATES = 4  # CI, GI, GF1, GO, in file order; the 2-D form adds GFS
STATE_CLIP = 100.0
STATE_ERROR_CLIP = 4.0  # these two bound errors at every step back in time
GATE_ERROR_CLIP = 1.0
