from dataclasses import replace

import helpers
import numpy as np
import pytest
from formats.format_samples import UNICHARSET, NetworkMaker, recoder_of, recognizer

from lstmjax.errors import FormatError
from lstmjax.formats import lstm, traineddata
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.weights import DOUBLE, INT8


def test_round_trip():
    model = recognizer()
    data = lstm.pack(model)
    again = lstm.unpack(data)
    assert lstm.pack(again) == data
    assert (again.spec, again.null_char, again.momentum) == (model.spec, 4, 0.5)
    assert not again.int_mode


@pytest.mark.parametrize("flags", [64, 0], ids=["recoder", "identity"])
def test_embedded_charsets_round_trip(flags):
    table = recoder_of(5) if flags else None
    model = recognizer(unicharset=UNICHARSET, recoder=table, training_flags=flags)
    data = lstm.pack(model)
    again = lstm.unpack(data, embedded=True)
    assert (again.unicharset, again.recoder) == (UNICHARSET, table)
    assert lstm.pack(again) == data


def test_real_float_model():
    trained = traineddata.load(helpers.testdata("tessdata_best/heb.traineddata"))
    model = lstm.unpack_from(trained)
    assert lstm.pack(model) == trained.components["lstm"]
    assert (model.training_iteration, model.sample_iteration) == (1568000, 1570525)
    assert (model.network.num_weights, model.network.num_out, model.null_char) == (377701, 69, 2)
    conv = model.network.children[1].children[1].weights
    assert conv is not None
    assert conv.weights[0, [0, 1, -1]].tolist() == [
        0.12011741587788127, -0.032048120799723294, -0.2200128443780575,
    ]  # fmt: skip


def test_real_int8_model():
    trained = traineddata.load(helpers.testdata("tessdata_fast/fra.traineddata"))
    model = lstm.unpack_from(trained)
    assert model.int_mode
    assert lstm.pack(model) == trained.components["lstm"]


def test_a_container_without_network_is_named():
    with pytest.raises(FormatError, match="holds no lstm component"):
        lstm.unpack_from(TrainedData({"version": b"x"}))
    with pytest.raises(FormatError, match="lstm: byte 0x0: unknown layer type number 120"):
        lstm.unpack_from(TrainedData({"lstm": b"x"}))


def test_report_without_layer_rates():
    model = recognizer(NetworkMaker(flags=0).plumbing("Series", NetworkMaker().maxpool(3, 1, 1)))
    assert lstm.describe(model).endswith("Layer Learning Rates: :0(Maxpool)=0.001")


INT8_MODEL = recognizer(NetworkMaker(DOUBLE | INT8, 0).dense(2, 3))


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (recognizer(null_char=5), "null_char 5 is not one of 5 network outputs"),
        (recognizer(null_char=-1), "null_char -1"),
        (recognizer(training_iteration=-1), "negative iteration count"),
        (recognizer(momentum=float("inf")), "expected finite numbers"),
        (recognizer(training_flags=65), "has float weights, against the flag"),
        (replace(INT8_MODEL, training_flags=64), "has int8 weights, against the flag"),
    ],
    ids=["null", "negative-null", "iteration", "rate", "int-flag", "float-flag"],
)
def test_contradictions_are_refused(model, problem):
    with pytest.raises(FormatError, match=problem):
        lstm.unpack(lstm.pack(model))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"x\n", "embedded unicharset starts with b'x"),
        (b"999999999\n", "embedded unicharset starts with b'999999999"),
        (b"1\n" + b"a" * 300, "line over 255 bytes"),
    ],
    ids=["no-count", "huge-count", "long-line"],
)
def test_damaged_embedded_unicharsets_are_refused(text, problem):
    model = recognizer(unicharset=text, recoder=recoder_of(5))
    with pytest.raises(FormatError, match=problem):
        lstm.unpack(lstm.pack(model), embedded=True)


def test_embedded_recoder_must_fit_the_network():
    model = recognizer(unicharset=UNICHARSET, recoder=recoder_of(4))
    with pytest.raises(FormatError, match="5 network outputs but 4 recoder codes"):
        lstm.unpack(lstm.pack(model), embedded=True)


def test_trailing_bytes_are_refused():
    with pytest.raises(FormatError, match="2 unexpected bytes after the end of the recognizer"):
        lstm.unpack(lstm.pack(recognizer()) + b"ab")


def test_files(tmp_path):
    lstm.save(recognizer(), tmp_path / "x.lstm")
    model = lstm.load(tmp_path / "x.lstm")
    assert model.adam_beta == float(np.float32(0.999))
    with pytest.raises(FormatError, match=r"nope\.lstm: cannot be read"):
        lstm.load(tmp_path / "nope.lstm")
