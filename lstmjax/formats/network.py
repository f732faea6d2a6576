"""The tree of network layers, bytes <-> `NetworkNode`.

Reading checks everything Tesseract relies on: `network_checks`.
Source: Tesseract src/lstm/network.cpp, plumbing.cpp, lstm.cpp, fullyconnected.cpp and others.
"""

from dataclasses import replace

from lstmjax.formats import network_checks as checks
from lstmjax.formats import weights as weight_format
from lstmjax.formats.nodes import (
    LAYER_RATES,
    LSTM,
    MAX_DEPTH,
    PLUMBING,
    SOFTMAX_LSTM,
    TRAINING_ON,
    TYPES,
    LayerInfo,
    NetworkNode,
    list_layers,
)
from lstmjax.formats.stream import Reader, Writer, to_bytes, to_text

__all__ = ["LayerInfo", "NetworkNode", "list_layers", "pack", "read", "unpack", "write"]

MIN_NODE_SIZE = 23
"""Bytes of the smallest node: a type stored by index, an empty name, no payload."""


def unpack(data: bytes, *, swap: bool = False) -> NetworkNode:
    """Read a network that fills `data`.

    Raises:
      FormatError: damaged or contradictory, or bytes are left over.
    """
    reader = Reader(data, swap=swap)
    node = read(reader)
    reader.expect_end("network")
    return node


def pack(node: NetworkNode) -> bytes:
    """Write a network."""
    writer = Writer()
    write(writer, node)
    return writer.data


def read(reader: Reader, depth: int = 0) -> NetworkNode:
    """Read a node and everything below it.

    Args:
      reader: reader at the type tag.
      depth: levels above this node.

    Raises:
      FormatError: damaged, contradictory (see `network_checks`) or nested too deeply.
    """
    start = reader.offset
    # A cap on recursion: a hostile file could nest layers until the stack ends.
    if depth >= MAX_DEPTH:
        raise reader.error(f"network layers nested deeper than {MAX_DEPTH} levels")
    kind, tagged = _read_type(reader)
    training, needs_backprop = reader.i8(), reader.i8()
    flags, num_in, num_out, num_weights = (reader.i32() for _ in range(4))
    name = reader.str_("a layer name")
    header = NetworkNode(
        kind, training, needs_backprop, flags, num_in, num_out, num_weights, name, tagged
    )
    # Before the payload: how many gates an LSTM has follows from these sizes.
    checks.check_header(header, start)
    node = _read_payload(reader, header, start, depth)
    checks.check_node(node, start)
    return node


def _read_type(reader: Reader) -> tuple[str, bool]:
    """Read the type, and whether it is stored by name."""
    start = reader.offset
    tag = reader.i8()
    if tag == 0:
        kind = to_text(reader.blob("a layer type"))
        if kind not in TYPES:
            raise reader.error(f"unknown layer type {kind[:40]!r}", at=start)
    elif tag < 0 or tag >= len(TYPES):
        raise reader.error(f"unknown layer type number {tag}", at=start)
    else:
        kind = TYPES[tag]
    if kind in ("Invalid", "TensorFlow"):
        raise reader.error(f"a layer of type {kind} cannot be used", at=start)
    return kind, tag == 0


def _read_payload(reader: Reader, header: NetworkNode, start: int, depth: int) -> NetworkNode:
    kind = header.type
    if kind == "Input":
        batch, height, width, channels, loss = (reader.i32() for _ in range(5))
        return replace(header, shape=(batch, height, width, channels, loss))
    if kind == "Convolve":
        return replace(header, half=(reader.i32(), reader.i32()))
    if kind in ("Maxpool", "Reconfig"):
        return replace(header, scale=(reader.i32(), reader.i32()))
    if kind in PLUMBING:
        return _read_plumbing(reader, header, depth)
    if kind in LSTM:
        return _read_lstm(reader, header, start, depth)
    training = header.training == TRAINING_ON
    return replace(header, weights=weight_format.read(reader, training))


def _read_plumbing(reader: Reader, header: NetworkNode, depth: int) -> NetworkNode:
    number = reader.count(MIN_NODE_SIZE, "layers")
    children = tuple(read(reader, depth + 1) for _ in range(number))
    if not header.flags & LAYER_RATES:
        return replace(header, children=children)
    # Tesseract's Update extends this vector where it is short, so fewer rates than layers pass.
    rates = reader.array("f4", reader.count(4, "learning rates"))
    return replace(header, children=children, learning_rates=tuple(map(float, rates)))


def _read_lstm(reader: Reader, header: NetworkNode, start: int, depth: int) -> NetworkNode:
    """Read the gates; the size of the first one tells how many there are."""
    training = header.training == TRAINING_ON
    node = replace(header, na=reader.i32())
    gates = [weight_format.read(reader, training)]
    # A 2-D LSTM has a fifth gate, and only the width of the first gate tells it from a 1-D one.
    more = 4 if checks.is_2d(node, gates[0].weights.shape[0], start) else 3
    gates += [weight_format.read(reader, training) for _ in range(more)]
    softmax = read(reader, depth + 1) if header.type in SOFTMAX_LSTM else None
    return replace(node, gates=tuple(gates), softmax=softmax)


def write(writer: Writer, node: NetworkNode) -> None:
    """Write a node and everything below it as it was read."""
    if node.tagged:
        writer.i8(0)
        writer.blob(to_bytes(node.type))
    else:
        writer.i8(TYPES.index(node.type))
    writer.i8(node.training)
    writer.i8(node.needs_backprop)
    for value in (node.flags, node.num_in, node.num_out, node.num_weights):
        writer.i32(value)
    writer.str_(node.name)
    for value in (*(node.shape or ()), *(node.half or ()), *(node.scale or ())):
        writer.i32(value)
    if node.type in PLUMBING:
        writer.u32(len(node.children))
        for child in node.children:
            write(writer, child)
        if node.flags & LAYER_RATES:
            rates = node.learning_rates or ()
            writer.u32(len(rates))
            for rate in rates:
                writer.f32(rate)
    if node.na is not None:
        writer.i32(node.na)
    for matrix in node.matrices:
        weight_format.write(writer, matrix)
    if node.softmax is not None:
        write(writer, node.softmax)
