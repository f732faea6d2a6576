import struct

import numpy as np
import pytest

from lstmjax.errors import FormatError
from lstmjax.formats import weights
from lstmjax.formats.stream import Reader, Writer
from lstmjax.formats.weights import ADAM, DOUBLE, INT8, WeightMatrix

VALUES = np.arange(6.0).reshape(2, 3) - 2.5


def packed(matrix):
    writer = Writer()
    weights.write(writer, matrix)
    return writer.data


@pytest.mark.parametrize(
    ("matrix", "training"),
    [
        (WeightMatrix(DOUBLE, VALUES, empty=(7.0,)), False),
        (WeightMatrix(DOUBLE, VALUES, updates=VALUES, empty=(0.0, 1.0)), True),
        (WeightMatrix(DOUBLE | ADAM, VALUES, updates=VALUES, dw_sq_sum=VALUES), True),
        (WeightMatrix(DOUBLE | INT8, VALUES.astype(np.int8), scales=np.ones(8), empty=(-3,)), True),
    ],
    ids=["float", "momentum", "adam", "int8-padded"],
)
def test_round_trip(matrix, training):
    data = packed(matrix)
    reader = Reader(data)
    again = weights.read(reader, training)
    reader.expect_end("matrix")
    assert packed(again) == data
    np.testing.assert_array_equal(again.weights, matrix.weights)
    assert again.weights.dtype == matrix.weights.dtype


def test_row_scales_leave_out_padding():
    scales = np.array([1.0, 2.0, 0.0, 0.0])
    matrix = WeightMatrix(DOUBLE | INT8, np.ones((2, 3), np.int8), scales=scales)
    assert matrix.row_scales.tolist() == [1, 2]


def dims(rows, cols, rest=b""):
    return bytes([DOUBLE]) + struct.pack("<II", rows, cols) + rest


@pytest.mark.parametrize(
    ("data", "training", "problem"),
    [
        (b"\x04", False, "32-bit floats"),
        (b"\xc0", False, "unknown weight matrix mode 0xc0"),
        (dims(0, 3), False, "weights of 0 x 3 values"),
        (dims(65536, 1), False, "expected 1 to 65535"),
        (dims(65535, 65535, bytes(99)), False, "array of 4294836225 values"),
        (dims(1, 1, struct.pack("<dd", 0, float("nan"))), False, r"weights\[0, 0\] is nan"),
        (dims(1, 1, bytes(16) + struct.pack("<II", 1, 2)), True, "updates of 1 x 2 .* of 1 x 1"),
        (b"\x81" + struct.pack("<IIbbbI", 2, 1, 0, 1, 1, 1) + bytes(8), False, "1 scales for 2"),
        (
            b"\x81" + struct.pack("<IIbbId", 1, 1, 0, 1, 1, float("inf")),
            False,
            "a scale of int8 weights is infinite",
        ),
    ],
    ids=["old", "mode", "zero", "large", "huge", "nan", "updates", "few-scales", "inf-scale"],
)
def test_damaged_matrices_are_refused(data, training, problem):
    with pytest.raises(FormatError, match=problem):
        weights.read(Reader(data), training)
