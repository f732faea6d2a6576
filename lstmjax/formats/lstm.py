"""The `lstm` component: the network, the spec it was built from, and how far training went.

Source: Tesseract src/lstm/lstmrecognizer.cpp.
"""

import math
from dataclasses import dataclass

from lstmjax.errors import FormatError, naming
from lstmjax.formats import network as network_format
from lstmjax.formats import recoder as recoder_format
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.nodes import NetworkNode
from lstmjax.formats.recoder import Recoder
from lstmjax.formats.stream import Reader, Writer
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import MAX_LINE

INT_MODE = 1
"""Training flag: the weights are int8."""
RECODED = 64
"""Training flag: a recoder maps unichar ids to network outputs."""


@dataclass(frozen=True, eq=False)
class Recognizer:
    """A recognition model.

    Attributes:
      network: root of the tree of layers.
      spec: net_spec as its author typed it.
      training_flags: INT_MODE, RECODED.
      training_iteration: lines trained.
      sample_iteration: lines visited.
      null_char: network output of the CTC blank.
      adam_beta: decay of the second moment; a 32-bit float, held exactly.
      learning_rate: global rate; a 32-bit float.
      momentum: decay of the first moment; a 32-bit float.
      unicharset: text of the unicharset if it is embedded, as in old models.
      recoder: the recoder if it is embedded; None there without RECODED, for the identity.
    """

    network: NetworkNode
    spec: str
    training_flags: int
    training_iteration: int
    sample_iteration: int
    null_char: int
    adam_beta: float
    learning_rate: float
    momentum: float
    unicharset: bytes | None = None
    recoder: Recoder | None = None

    @property
    def int_mode(self) -> bool:
        """Whether this is an integer (fast) model."""
        return bool(self.training_flags & INT_MODE)


def unpack(data: bytes, embedded: bool = False, swap: bool = False) -> Recognizer:
    """Read a recognizer that fills `data`.

    Args:
      data: content of the component.
      embedded: whether the component carries unicharset and recoder; nothing in the bytes says
        so, see `TrainedData.embeds_charsets`.
      swap: whether the component comes from a big-endian container.

    Raises:
      FormatError: damaged, contradictory, or bytes are left over.
    """
    reader = Reader(data, swap=swap)
    recognizer = read(reader, embedded)
    reader.expect_end("recognizer")
    return recognizer


def unpack_from(trained: TrainedData) -> Recognizer:
    """Read the recognizer of a traineddata.

    Raises:
      FormatError: the component is missing or damaged; names it.
    """
    data = trained.components.get("lstm")
    if data is None:
        raise FormatError("holds no lstm component (a starter or a legacy traineddata)")
    with naming(component="lstm"):
        return unpack(data, trained.embeds_charsets, trained.swapped)


def read(reader: Reader, embedded: bool = False) -> Recognizer:
    """Read a recognizer; see `unpack`."""
    network = network_format.read(reader)
    # Nothing in the bytes tells whether charsets follow, or how long a unicharset is.
    unicharset = _read_unicharset(reader) if embedded else None
    spec = reader.str_("the network spec")
    start = reader.offset
    flags, training_iteration, sample_iteration, null_char = (reader.i32() for _ in range(4))
    adam_beta, learning_rate, momentum = (reader.f32() for _ in range(3))
    recoder = recoder_format.read(reader) if embedded and flags & RECODED else None
    recognizer = Recognizer(
        network, spec, flags, training_iteration, sample_iteration, null_char,
        adam_beta, learning_rate, momentum, unicharset, recoder,
    )  # fmt: skip
    problem = _problem(recognizer)
    if problem:
        raise reader.error(problem, at=start)
    return recognizer


def _problem(recognizer: Recognizer) -> str | None:
    """Describe the first contradiction in a recognizer, if there is one."""
    outputs = recognizer.network.num_out
    # Tesseract checks neither this nor the outputs of the recoder.
    if not 0 <= recognizer.null_char < outputs:
        return f"null_char {recognizer.null_char} is not one of {outputs} network outputs"
    if min(recognizer.training_iteration, recognizer.sample_iteration) < 0:
        return "negative iteration count"
    rates = (recognizer.adam_beta, recognizer.learning_rate, recognizer.momentum)
    if not all(map(math.isfinite, rates)):
        return f"adam_beta, learning_rate, momentum are {rates}, expected finite numbers"
    if recognizer.recoder is not None and recognizer.recoder.code_range != outputs:
        return f"{outputs} network outputs but {recognizer.recoder.code_range} recoder codes"
    for node in recognizer.network.walk():
        if any(matrix.int_mode != recognizer.int_mode for matrix in node.matrices):
            kind = "float" if recognizer.int_mode else "int8"
            return f"layer {node.name!r} has {kind} weights, against the flag of the model"
    return None


def _read_unicharset(reader: Reader) -> bytes:
    """Cut out an embedded unicharset: it states its number of lines, not of bytes."""
    start = reader.offset
    first = _read_line(reader)
    try:
        number = int(first)
    except ValueError:
        number = -1
    # The shortest row has 4 bytes, so a larger count cannot be true.
    if not 0 <= number <= reader.remaining // 4:
        raise reader.error(f"embedded unicharset starts with {first[:20]!r}", at=start)
    return first + b"".join(_read_line(reader) for _ in range(number))


def _read_line(reader: Reader) -> bytes:
    # A byte at a time: rows differ in length, and what follows them is binary.
    line = bytearray()
    while not line.endswith(b"\n"):
        if len(line) >= MAX_LINE:
            raise reader.error(f"embedded unicharset has a line over {MAX_LINE} bytes")
        line += reader.take(1, "the embedded unicharset")
    return bytes(line)


def pack(recognizer: Recognizer) -> bytes:
    """Write a recognizer; charsets are embedded if it holds a unicharset."""
    writer = Writer()
    write(writer, recognizer)
    return writer.data


def write(writer: Writer, recognizer: Recognizer) -> None:
    """Write a recognizer; see `pack`."""
    network_format.write(writer, recognizer.network)
    if recognizer.unicharset is not None:
        writer.raw(recognizer.unicharset)
    writer.str_(recognizer.spec)
    writer.i32(recognizer.training_flags)
    writer.i32(recognizer.training_iteration)
    writer.i32(recognizer.sample_iteration)
    writer.i32(recognizer.null_char)
    writer.f32(recognizer.adam_beta)
    writer.f32(recognizer.learning_rate)
    writer.f32(recognizer.momentum)
    if recognizer.recoder is not None:
        recoder_format.write(writer, recognizer.recoder)


def describe(recognizer: Recognizer) -> str:
    """Report settings and learning rates in two lines, as `combine_tessdata -l` prints them.

    `recoding` is always 1: a model without a recoder gets the identity when it is loaded.
    """
    first = (
        f"LSTM: network={recognizer.spec}, int_mode={int(recognizer.int_mode)}, recoding=1, "
        f"iteration={recognizer.training_iteration}, "
        f"sample_iteration={recognizer.sample_iteration}, null_char={recognizer.null_char}, "
        f"learning_rate={recognizer.learning_rate:g}, momentum={recognizer.momentum:g}, "
        f"adam_beta={recognizer.adam_beta:g}"
    )
    rates = ", ".join(
        f"{path}({node.name})={recognizer.learning_rate if rate is None else rate:g}"
        for path, node, rate in network_format.list_layers(recognizer.network)
    )
    return f"{first}\nLayer Learning Rates: {rates}"


def load(path: PathLike, embedded: bool = False) -> Recognizer:
    """Read a stand-alone `.lstm` file; errors name it."""
    with naming(file=str(path)):
        return unpack(read_bytes(path), embedded)


def save(recognizer: Recognizer, path: PathLike) -> None:
    """Write a stand-alone `.lstm` file."""
    write_atomically(path, pack(recognizer))
