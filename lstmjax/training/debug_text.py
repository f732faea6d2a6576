"""What `--debug_interval` prints about single lines.

Any value but 0 gives the texts and error rates of every line; a positive n adds, for every n-th
line, what the network and the targets say at each time step. The windows of the original are
pictures in `view/debug.py`.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, DebugLSTMTraining;
src/lstm/lstmrecognizer.cpp, DebugActivationPath.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from lstmjax.charset.codec import UNDECODABLE, Codec
from lstmjax.data.lines import Line
from lstmjax.data.skips import printable
from lstmjax.formats.checkpoint import CHAR, DELTA, RMS, SKIP, WORD
from lstmjax.formats.recoder import MAX_LENGTH
from lstmjax.infer.decode import LineDecoder
from lstmjax.training.progress import Rates

_PART = ".."  # a code that is only part of a character
_NULL = "<null>"


@dataclass(frozen=True, eq=False)
class Reading:
    """A line as it was read in training.

    Attributes:
      iteration: training iteration, before the line counts.
      line: which one.
      outputs: [T, K] softmax outputs.
      targets: [T, K] targets of the outputs.
      truth, text: text of the labels, and text that was read.
      delta: share of steps with a large delta.
    """

    iteration: int
    line: Line
    outputs: Float32[np.ndarray, "T K"]
    targets: Float32[np.ndarray, "T K"]
    truth: str
    text: str
    delta: float


def in_detail(iteration: int, interval: int) -> bool:
    """Whether --debug_interval shows everything about the line of an iteration."""
    return interval > 0 and iteration % interval == 0


def debug_lines(reading: Reading, reader: LineDecoder, interval: int) -> Iterator[str]:
    """The texts about a line, in order; the rates after it are `mean_line`.

    Args:
      reading: the line.
      reader: decoder of the network's outputs.
      interval: --debug_interval, not 0.
    """
    at = f"Iteration {reading.iteration}:"
    detailed = in_detail(reading.iteration, interval)
    if detailed:
        yield from activation_path(reading.outputs, reader)
    aligned, _ = reader.read(reading.targets)
    aligned_text = reader.codec.decode(aligned)
    yield f"{at} GROUND  TRUTH : {reading.truth}"
    if aligned_text != reading.truth:
        yield f"{at} ALIGNED TRUTH : {aligned_text}"
    if detailed:
        yield f"TRAINING activation path for truth string {reading.truth}"
        yield from activation_path(reading.targets, reader)
    if reading.text != reading.truth:
        yield f"{at} BEST OCR TEXT : {reading.text}"
    perfect = "(Perfect)" if reading.delta == 0 else ""
    yield f"File {printable(reading.line.name)} line {reading.line.page_number} {perfect}:"


def mean_line(rates: Rates) -> str:
    """The rolling error rates after a line."""
    return (
        f"Mean rms={rates[RMS]:g}%, delta={rates[DELTA]:g}%, "
        f"train={rates[CHAR]:g}%({rates[WORD]:g}%), skip ratio={rates[SKIP]:g}%"
    )


def activation_path(probs: Float32[np.ndarray, "T K"], reader: LineDecoder) -> Iterator[str]:
    """One line for each code read: its score and the runner-up at every time step."""
    codec = reader.codec
    codes, starts = reader.read(probs)
    bounds = [*starts.tolist(), len(probs)]
    if bounds[0] > 0:
        yield _range(probs, _NULL, codec.null_char, 0, bounds[0], codec)
    labels = codes.tolist()
    start = 0
    while start < len(labels):
        text, end = spelled(labels, start, codec)
        for i in range(start, end):
            name = text if i == start else _single(labels[i], codec)
            yield _range(probs, name, labels[i], bounds[i], bounds[i + 1], codec)
        start = end


def spelled(labels: list[int], start: int, codec: Codec, *, normed: bool = True) -> tuple[str, int]:
    """The text that codes from `start` on spell first, and its end; UNDECODABLE for none.

    See `Codec.decode` for `normed`.
    """
    for end in range(start + 1, min(start + MAX_LENGTH, len(labels)) + 1):
        text = codec.decode(labels[start:end], normed=normed)
        rest_begins = end == len(labels) or UNDECODABLE not in codec.decode(labels[end:])
        if UNDECODABLE not in text and rest_begins:
            return text, end
    return UNDECODABLE, start + 1


def _single(code: int, codec: Codec) -> str:
    if code == codec.null_char:
        return _NULL
    text = codec.decode([code])
    return _PART if text == UNDECODABLE else text


def _range(
    probs: Float32[np.ndarray, "T K"], name: str, code: int, start: int, end: int, codec: Codec
) -> str:
    """The scores of a code from one time step to another, in percent."""
    scores = probs[start:end, code].astype(np.float64) * 100
    others = probs[start:end].copy()
    others[:, code] = 0
    steps = []
    for score, row in zip(scores.tolist(), others, strict=True):
        second = int(row.argmax())
        shown = f"{_single(second, codec)}={second}={100 * float(row[second]):.3g}"
        steps.append(f" {score:.3g}({shown})")
    mean = sum(score / (end - start) for score in scores.tolist())
    best = max(0.0, *scores.tolist()) if len(scores) else 0.0
    return (
        f"{name}={code} On [{start}, {end}), scores={''.join(steps)}, Mean={mean:g}, max={best:g}"
    )
