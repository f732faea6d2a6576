"""Weight matrices: float with optional update history, or int8 with a scale a row.

Row i holds the weights of output i; the last column is the bias.
Source: Tesseract src/lstm/weightmatrix.cpp, src/ccstruct/matrix.h.
"""

from dataclasses import dataclass

import numpy as np

from lstmjax.formats.stream import Reader, Writer

INT8 = 1
"""Mode bit: int8 weights."""
ADAM = 4
"""Mode bit: Adam; while training, a second moment is stored."""
DOUBLE = 128
"""Mode bit: the format with 64-bit floats, the only one still written."""

MAX_DIM = 65535


@dataclass(frozen=True, eq=False)
class WeightMatrix:
    """One matrix as stored.

    Attributes:
      mode: sum of the mode bits INT8, ADAM, DOUBLE.
      weights: [rows, cols] float64 or int8.
      scales: [at least rows] float64, int8 only; real weight = weight * scale of its row. Some
        writers pad with zeros to a register width. The padding is kept; `row_scales` leaves it out.
      updates: [rows, cols] float64 momentum (first moment of Adam), only while training.
      dw_sq_sum: [rows, cols] float64 second moment, only while training with Adam.
      empty: the unused "empty cell" value stored before each 2-d array, in file order.
    """

    mode: int
    weights: np.ndarray
    scales: np.ndarray | None = None
    updates: np.ndarray | None = None
    dw_sq_sum: np.ndarray | None = None
    empty: tuple[float, ...] = (0.0, 0.0, 0.0)

    @property
    def int_mode(self) -> bool:
        """Whether the weights are int8."""
        return bool(self.mode & INT8)

    @property
    def row_scales(self) -> np.ndarray:
        """[rows] float64 scales without padding; int8 only."""
        if self.scales is None:
            raise ValueError("a float matrix has no scales")
        return self.scales[: self.weights.shape[0]]


def read(reader: Reader, training: bool) -> WeightMatrix:
    """Read one matrix.

    Args:
      reader: reader at the mode byte.
      training: whether the node is in training state 1, so that history follows.

    Raises:
      FormatError: sizes do not fit, values are not finite, or the mode is an old one.
    """
    start = reader.offset
    mode = reader.u8()
    if not mode & DOUBLE:
        raise reader.error(
            "weights in the format before Tesseract 4.0 beta (32-bit floats) are not supported; "
            "load and save the model with a current Tesseract first",
            at=start,
        )
    if mode & ~(INT8 | ADAM | DOUBLE):
        raise reader.error(f"unknown weight matrix mode {mode:#x}", at=start)
    if mode & INT8:
        return _read_int8(reader, mode)
    weights, empty = _read_2d(reader, "f8", "weights")
    if not training:
        return WeightMatrix(mode, weights, empty=(empty,))
    updates, empty_updates = _read_2d(reader, "f8", "updates", weights.shape)
    if not mode & ADAM:
        return WeightMatrix(mode, weights, updates=updates, empty=(empty, empty_updates))
    dw_sq_sum, empty_squares = _read_2d(reader, "f8", "dw_sq_sum", weights.shape)
    return WeightMatrix(
        mode,
        weights,
        updates=updates,
        dw_sq_sum=dw_sq_sum,
        empty=(empty, empty_updates, empty_squares),
    )


def _read_int8(reader: Reader, mode: int) -> WeightMatrix:
    weights, empty = _read_2d(reader, "i1", "weights")
    start = reader.offset
    number = reader.count(8, "scales")
    rows = weights.shape[0]
    # Builds with SIMD pad the scales to a register, so more of them than rows are no damage.
    if number < rows:
        raise reader.error(f"{number} scales for {rows} rows of int8 weights", at=start)
    scales = reader.array("f8", number)
    if not np.isfinite(scales[:rows]).all():
        raise reader.error("a scale of int8 weights is infinite or not a number", at=start)
    return WeightMatrix(mode, weights, scales=scales, empty=(empty,))


def _read_2d(
    reader: Reader, dtype: str, what: str, shape: tuple[int, ...] | None = None
) -> tuple[np.ndarray, float]:
    """Read a 2-d array and its "empty cell" value; `shape` is the required shape, if known."""
    start = reader.offset
    rows, cols = reader.u32(), reader.u32()
    if not (1 <= rows <= MAX_DIM and 1 <= cols <= MAX_DIM):
        raise reader.error(
            f"{what} of {rows} x {cols} values; expected 1 to {MAX_DIM} rows and columns", at=start
        )
    if shape is not None and (rows, cols) != shape:
        raise reader.error(
            f"{what} of {rows} x {cols} values beside weights of {shape[0]} x {shape[1]}", at=start
        )
    empty = reader.f64() if dtype == "f8" else float(reader.i8())
    values = reader.array(dtype, rows * cols).reshape(rows, cols)
    # One NaN would spread through the whole network.
    if dtype == "f8" and not np.isfinite(values).all():
        row, col = np.argwhere(~np.isfinite(values))[0]
        raise reader.error(f"{what}[{row}, {col}] is {values[row, col]}", at=start)
    return values, empty


def write(writer: Writer, matrix: WeightMatrix) -> None:
    """Write one matrix as it was read."""
    writer.u8(matrix.mode)
    empty = iter(matrix.empty)
    _write_2d(writer, matrix.weights, next(empty, 0.0))
    if matrix.scales is not None:
        writer.u32(len(matrix.scales))
        writer.array("f8", matrix.scales)
    for values in (matrix.updates, matrix.dw_sq_sum):
        if values is not None:
            _write_2d(writer, values, next(empty, 0.0))


def _write_2d(writer: Writer, values: np.ndarray, empty: float) -> None:
    rows, cols = values.shape
    writer.u32(rows)
    writer.u32(cols)
    if values.dtype == np.int8:
        writer.i8(int(empty))
        writer.array("i1", values)
    else:
        writer.f64(empty)
        writer.array("f8", values)
