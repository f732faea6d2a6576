"""Model files of every kind, whole or broken, made runnable."""

import numpy as np
import pytest
from infer.models import tiny_recognizer, tiny_traineddata

from lstmjax.errors import FormatError, LstmjaxError
from lstmjax.formats import lstm, traineddata
from lstmjax.formats.traineddata import TrainedData
from lstmjax.infer.model import load_model
from lstmjax.nn.convert import params_of, tree_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traineddata.save(tiny_traineddata(), "m.traineddata")
    lstm.save(tiny_recognizer(), "m.lstm")
    return tmp_path


def test_a_traineddata_needs_nothing_else(folder):
    model = load_model("m.traineddata")
    assert model.root == tree_of(tiny_recognizer().network)
    assert (model.null_char, model.codec.num_codes) == (2, 5)
    assert (model.int_mode, model.from_traineddata, model.from_checkpoint) == (False, True, False)
    assert (model.input_shape.height, model.simple_text) == (8, False)
    assert model.decoder.tables is model.decoder.tables


def test_a_network_alone_takes_the_charset_of_a_traineddata(folder):
    model = load_model("m.lstm", "m.traineddata")
    assert (model.from_traineddata, model.from_checkpoint) == (False, False)
    assert model.sample_iteration == 12


def test_a_network_alone_says_what_is_missing(folder):
    with pytest.raises(FormatError, match=r"m\.lstm: .*network alone.*--traineddata"):
        load_model("m.lstm")


def test_missing_and_other_files(folder):
    with pytest.raises(LstmjaxError, match=r"absent\.traineddata"):
        load_model("absent.traineddata")
    (folder / "text").write_bytes(b"no model" * 20)
    with pytest.raises(FormatError, match=r"text: neither a traineddata .* nor a checkpoint"):
        load_model("text", "m.traineddata")
    with pytest.raises(LstmjaxError, match="absent"):
        load_model("m.lstm", "absent")


def test_charset_of_another_model(folder):
    five = tiny_traineddata()
    four = tiny_recognizer(num_codes=4)
    traineddata.save(five.with_component("lstm", lstm.pack(four)), "four.traineddata")
    with pytest.raises(FormatError, match="4 outputs but the character set 5 codes"):
        load_model("four.traineddata")
    lstm.save(four, "four.lstm")
    with pytest.raises(FormatError, match=r"m\.traineddata: the network has 4 outputs"):
        load_model("four.lstm", "m.traineddata")


def test_traineddata_without_charset(folder):
    traineddata.save(TrainedData({"lstm": lstm.pack(tiny_recognizer())}), "bare.traineddata")
    with pytest.raises(LstmjaxError, match="bare"):
        load_model("bare.traineddata")


@pytest.mark.parametrize("kept", [0, 3, 20, 200, -7], ids=str)
def test_cut_files_are_refused(kept, folder):
    data = (folder / "m.traineddata").read_bytes()
    (folder / "cut").write_bytes(data[:kept])
    with pytest.raises(FormatError, match="cut"):
        load_model("cut", "m.traineddata")


def test_params_are_those_of_the_file(folder):
    model = load_model("m.traineddata")
    expected = params_of(tiny_recognizer().network)
    np.testing.assert_array_equal(model.params["4"]["wx"], expected["4"]["wx"])
