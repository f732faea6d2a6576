"""Models made for tests: fresh ones with Tesseract's initial weights, and their int8 forms."""

from dataclasses import replace

import helpers

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import build_index
from lstmjax.formats import traineddata
from lstmjax.formats.nodes import TRAINING_OFF
from lstmjax.infer.model import LoadedModel
from lstmjax.nn.convert import Writing, params_of, record_of
from lstmjax.nn.quantize import to_int
from lstmjax.spec.parse import parse
from lstmjax.train.initial import tesseract_weights


def english():
    """The codec and the index of the real English lines."""
    folder = helpers.testdata("tesseract-test")
    codec = Codec.from_traineddata(traineddata.load(folder / "eng.starter.traineddata"))
    return codec, build_index([str(folder / "eng.Arial.exp0.lstmf")])


def fresh(spec, codec, weight_range=0.1):
    """The model `lstmtraining` starts from."""
    root = parse(spec, codec.num_codes).root
    return LoadedModel(root, tesseract_weights(root, weight_range), codec, False, codec.null_char)


def int8(model):
    """The model converted to int8."""
    record = record_of(model.root, model.params, Writing(TRAINING_OFF, 0))
    return replace(model, params=params_of(to_int(record)), int_mode=True)
