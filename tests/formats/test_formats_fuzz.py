"""Mutated and truncated files: nothing but FormatError escapes, and memory stays bounded."""

import contextlib
import random
import tracemalloc

import pytest
from formats.format_samples import (
    TINY_DAWG,
    UNICHARSET,
    NetworkMaker,
    page,
    recoder_of,
    recognizer,
    record,
)

from lstmjax.errors import FormatError
from lstmjax.formats import (
    box,
    checkpoint,
    dawg,
    lstm,
    lstmf,
    network,
    recoder,
    traineddata,
    unicharset,
)
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.weights import DOUBLE, INT8


def unpack_dawg(data: bytes) -> None:
    for _ in dawg.iterate_words(dawg.unpack(data), max_words=1000):
        pass


SMALL = recognizer(NetworkMaker(DOUBLE | INT8, 0).every_kind())
KINDS = {
    "traineddata": (traineddata.unpack, traineddata.pack(TrainedData({"lstm": b"x" * 50}))),
    "network": (network.unpack, network.pack(NetworkMaker(DOUBLE, 2).every_kind())),
    "int8": (network.unpack, network.pack(SMALL.network)),
    "lstm": (lstm.unpack, lstm.pack(SMALL)),
    "embedded": (
        lambda data: lstm.unpack(data, embedded=True),
        lstm.pack(recognizer(SMALL.network, unicharset=UNICHARSET, recoder=recoder_of(5))),
    ),
    "checkpoint": (checkpoint.unpack, checkpoint.pack(record(recognizer=SMALL))[:9000]),
    "lstmf": (lstmf.unpack, lstmf.pack((page(), page(boxes=0)))),
    "recoder": (recoder.unpack, recoder.pack(recoder_of(9))),
    "dawg": (unpack_dawg, TINY_DAWG),
    "unicharset": (unicharset.unpack, UNICHARSET),
    "box": (box.unpack, b"a 1 2 3 4 0\nWordStr 1 2 3 4 0 #text\n\t 0 0 0 0 0\n"),
}


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Damage a file in one of the ways files get damaged, or an attacker would."""
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 3])):
        place = draw.randrange(len(out) or 1)
        match draw.randrange(5):
            case 0:
                out[place : place + 1] = bytes([draw.randrange(256)])
            case 1:
                out[place : place + 4] = draw.choice([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f"])
            case 2:
                del out[place:]
            case 3:
                del out[place : place + draw.randrange(1, 9)]
            case _:
                out[place:place] = draw.randbytes(draw.randrange(1, 9))
    return bytes(out)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_refused_or_harmless(kind):
    unpack, data = KINDS[kind]
    draw = random.Random(1)
    tracemalloc.start()
    refused = 0
    try:
        for _ in range(400):
            try:
                unpack(mutate(data, draw))
            except FormatError:
                refused += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused > 0 or kind == "box"
    assert peak < 2_000_000 + 20 * len(data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_refused_or_harmless(kind):
    unpack, data = KINDS[kind]
    for end in range(0, len(data), max(1, len(data) // 300)):
        with contextlib.suppress(FormatError):
            unpack(data[:end])


@pytest.mark.parametrize("swap", [False, True])
def test_random_bytes_are_refused_or_harmless(swap):
    draw = random.Random(2)
    for size in (0, 1, 3, 8, 40, 300):
        for _ in range(20):
            data = draw.randbytes(size)
            for read in (network.unpack, recoder.unpack, dawg.unpack):
                with pytest.raises(FormatError):
                    read(data, swap=swap)


def test_scanned_damage_gives_pages_or_a_format_error(tmp_path):
    data = lstmf.pack((page(), page(boxes=0), page()))
    draw = random.Random(3)
    for _ in range(300):
        (tmp_path / "x").write_bytes(mutate(data, draw))
        try:
            index = lstmf.scan(tmp_path / "x")
        except FormatError:
            continue
        for info in index.pages:
            lstmf.read_page(tmp_path / "x", info.offset, info.length, index.swapped)
