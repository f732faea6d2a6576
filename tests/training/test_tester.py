"""Evaluation in recipe tesseract: every model is read with its own weights."""

import jax
import numpy as np
from data.documents import page, png, save
from infer.models import tiny_recognizer, tiny_traineddata

from lstmjax.data.lines import build_index
from lstmjax.formats import lstm
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import evaluate
from lstmjax.infer.model import from_recognizer
from lstmjax.training.tesseract.tester import Evaluator


def texts(evaluation):
    return tuple(reading.measured.text for reading in evaluation.readings)


def test_each_model_is_evaluated_with_its_own_weights(tmp_path):
    lines = [page(text, png(60, 20, i), boxes=2) for i, text in enumerate(("é,", ",é,", "é", "éé"))]
    index = build_index([save(tmp_path / "a.lstmf", *lines)])
    dumps = [tiny_recognizer(seed=seed) for seed in (1, 2, 3, 4)]
    models = [from_recognizer(dump, tiny_traineddata(dump)) for dump in dumps]
    expected = [evaluate(make_forward(model), index, max_bytes=1 << 20) for model in models]
    assert len({texts(one) for one in expected}) > 2, "else stale weights would not show"
    found = []
    evaluator = Evaluator(
        index, models[0], 1 << 20, lambda _: None, lambda _, result: found.append(result)
    )
    for number, dump in enumerate(dumps):
        evaluator.test(number, 0, lstm.pack(dump))
    for one, other in zip(found, expected, strict=True):
        assert texts(one) == texts(other)
        assert (one.bcer, one.bwer, one.cer) == (other.bcer, other.bwer, other.cer)


def test_a_network_compiled_by_xla_takes_other_weights(tmp_path):
    lines = [page(text, png(60, 20, i), boxes=2) for i, text in enumerate(("é,", ",é,"))]
    index = build_index([save(tmp_path / "a.lstmf", *lines)])
    spec = "[1,8,0,1 Ct3,3,2 Mp2,2 L2xy4 Lfys3 Lfx4 O1c1]"
    first, second = (
        from_recognizer(dump, tiny_traineddata(dump))
        for dump in (tiny_recognizer(spec, seed=seed) for seed in (1, 2))
    )
    forward = make_forward(first).with_weights(second.params, 0)
    changed = evaluate(forward, index, max_bytes=1 << 20)
    expected = evaluate(make_forward(second), index, max_bytes=1 << 20)
    assert [one.measured for one in changed.readings] == [one.measured for one in expected.readings]
    assert not all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(first.params), jax.tree.leaves(second.params), strict=True)
    )
