"""Models made for tests: fresh ones with Tesseract's initial weights, and their int8 forms."""

from dataclasses import replace

import helpers
import jax
import numpy as np
from formats.format_samples import UNICHARSET, recoder_of, recognizer

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import build_index
from lstmjax.formats import lstm, recoder, traineddata
from lstmjax.formats.nodes import TRAINING_OFF, TRAINING_PAUSED
from lstmjax.formats.traineddata import TrainedData
from lstmjax.infer.model import LoadedModel
from lstmjax.netspec.parse import parse
from lstmjax.nn.convert import Writing, params_of, record_of
from lstmjax.nn.quantize import to_int
from lstmjax.training.initial import tesseract_weights


def english():
    """The codec and the index of the real English lines."""
    folder = helpers.testdata("tesseract-test")
    codec = Codec.from_traineddata(traineddata.load(folder / "eng.starter.traineddata"))
    return codec, build_index([str(folder / "eng.Arial.exp0.lstmf")])


def fresh(spec, codec, weight_range=0.1):
    """The model `lstmtraining` starts from."""
    root = parse(spec, codec.num_codes).root
    params = tesseract_weights(root, weight_range)
    return LoadedModel(root, codec, codec.null_char, params=params)


def int8(model):
    """The model converted to int8."""
    record = record_of(model.root, model.params, Writing(TRAINING_OFF, 0))
    return replace(model, params=params_of(to_int(record)), int_mode=True)


def tiny_recognizer(spec="[1,8,0,1 Ct3,3,2 Mp2,2 Lfys3 Lfx4 O1c1]", *, num_codes=5, seed=0):
    """A network for the five codes of `format_samples.UNICHARSET`, with random weights."""
    root = parse(spec, num_codes).root
    random = np.random.default_rng(seed)
    params = jax.tree.map(
        lambda w: random.normal(0, 0.7, w.shape).astype(np.float32), tesseract_weights(root, 0.1)
    )
    record = record_of(root, params, Writing(TRAINING_PAUSED, 0))
    return recognizer(record, null_char=2)


def tiny_traineddata(model=None):
    """A model of `tiny_recognizer`, ready to be saved; it can write `é` and `,`."""
    return TrainedData({
        "lstm": lstm.pack(model or tiny_recognizer()),
        "lstm-unicharset": UNICHARSET,
        "lstm-recoder": recoder.pack(recoder_of(5)),
    })  # fmt: skip
