"""Big-endian files: every value of a native file reversed in place reads as the same record."""

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

from lstmjax.formats import checkpoint, dawg, lstm, lstmf, recoder, traineddata
from lstmjax.formats.stream import Reader
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.weights import DOUBLE, INT8


def swapped(unpack, data: bytes, monkeypatch) -> bytes:
    """Read `data`, noting where its values lie, and reverse each of them."""
    places: list[tuple[int, int]] = []
    scalar, array = Reader._scalar, Reader.array

    def note_scalar(self, kind):
        start = self.offset
        value = scalar(self, kind)
        places.append((start, self.offset))
        return value

    def note_array(self, dtype, count):
        start = self.offset
        values = array(self, dtype, count)
        size = values.itemsize
        places.extend((start + i * size, start + (i + 1) * size) for i in range(count))
        return values

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "_scalar", note_scalar)
        patch.setattr(Reader, "array", note_array)
        unpack(data)
    out = bytearray(data)
    for start, end in places:
        out[start:end] = data[start:end][::-1]
    return bytes(out)


SMALL = NetworkMaker(DOUBLE | INT8, 0).every_kind()
EMBEDDED = lstm.pack(recognizer(SMALL, unicharset=UNICHARSET, recoder=recoder_of(5)))
KINDS = {
    "lstm": (lstm, lstm.pack(recognizer()), {}),
    "int8": (lstm, lstm.pack(recognizer(SMALL)), {}),
    "embedded": (lstm, EMBEDDED, {"embedded": True}),
    "recoder": (recoder, recoder.pack(recoder_of(9)), {}),
    "dawg": (dawg, TINY_DAWG, {}),
    "checkpoint": (checkpoint, checkpoint.pack(record()), {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_big_endian_components(kind, monkeypatch):
    module, data, more = KINDS[kind]
    other = swapped(lambda raw: module.unpack(raw, **more), data, monkeypatch)
    assert other != data
    assert module.pack(module.unpack(other, swap=True, **more)) == data


def test_big_endian_documents(monkeypatch):
    data = lstmf.pack((page(), page(boxes=0), page()))
    assert lstmf.pack(lstmf.unpack(swapped(lstmf.unpack, data, monkeypatch))) == data


def test_a_big_endian_container_opens_its_network(monkeypatch):
    data = traineddata.pack(TrainedData({"lstm": EMBEDDED}))
    body = swapped(lambda raw: lstm.unpack(raw, embedded=True), EMBEDDED, monkeypatch)
    head = swapped(traineddata.unpack, data, monkeypatch)[: -len(EMBEDDED)]
    trained = traineddata.unpack(head + body)
    assert trained.swapped
    assert lstm.pack(lstm.unpack_from(trained)) == EMBEDDED
