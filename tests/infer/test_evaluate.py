"""Evaluation of a model on documents: order, skipping, measures, and the real tool's figures."""

import sys
from dataclasses import replace

import helpers
import numpy as np
import pytest
from data.documents import page, png, save
from infer.models import tiny_traineddata

from lstmjax.ctc import error_rates
from lstmjax.data.lines import build_index
from lstmjax.data.skips import SkipReason
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError
from lstmjax.formats import traineddata
from lstmjax.infer import evaluate as module
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import evaluate, geometry_of, measure_line
from lstmjax.infer.forward import LineToRead
from lstmjax.infer.model import load_model
from lstmjax.infer.printed import INVERT_BELOW, decode, printed

TEXTS = ("é,", ",é,", ", é", "éé")


@pytest.fixture(scope="module")
def forward(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.traineddata"
    traineddata.save(tiny_traineddata(), path)
    return make_forward(load_model(path))


def lines(path, texts=TEXTS, **images):
    return build_index([
        save(path, *(page(t, images.get(t, png(60, 20, i)), boxes=2)
                     for i, t in enumerate(texts)))
    ])  # fmt: skip


def run(forward, index, **kwargs):
    seen, skips = [], []
    result = evaluate(
        forward, index, max_bytes=1 << 20, batch=2,
        on_line=seen.append, on_skip=lambda *skip: skips.append(skip), **kwargs,
    )  # fmt: skip
    assert list(result.readings) == seen
    return result, skips


def test_lines_are_read_in_order(forward, tmp_path):
    result, skips = run(forward, lines(tmp_path / "a.lstmf"))
    assert [reading.line.number for reading in result.readings] == [0, 1, 2, 3]
    assert [reading.measured.truth for reading in result.readings] == list(TEXTS)
    assert not skips
    assert not result.skipped
    assert result.bcer == np.mean([reading.measured.bcer for reading in result.readings])
    assert result.cer.length == sum(map(len, TEXTS))
    assert result.wer.length == 5


def test_readings_are_what_the_parts_give(forward, tmp_path):
    index = lines(tmp_path / "a.lstmf")
    result, _ = run(forward, index)
    store = ImageStore(index, forward.model.input_shape, 0)
    for place, reading in enumerate(result.readings):
        line = LineToRead(store.scaled(place).pixels, sample=place + 1)
        probs = module.normalise_probs(forward.probs([line], batch=2)[0])
        codes = decode(forward.model, probs)
        found = reading.measured
        truth = forward.model.codec.encode(TEXTS[place])
        assert found.text == forward.model.codec.decode(codes)
        assert found.bcer == error_rates.bcer(truth, codes, 2)
        assert found.delta > 0
        line = LineToRead(store.scaled(place).pixels, 0, INVERT_BELOW)
        assert reading.text == printed(forward.model, forward.probs([line], batch=2)[0]).text
        assert reading.chars == error_rates.char_counts(TEXTS[place], reading.text)


def test_without_delta_the_rates_are_the_same(forward, tmp_path):
    index = lines(tmp_path / "a.lstmf")
    full, _ = run(forward, index)
    quick, _ = run(forward, index, with_delta=False)
    assert [r.text for r in quick.readings] == [r.text for r in full.readings]
    assert (quick.bcer, quick.bwer, quick.cer) == (full.bcer, full.bwer, full.cer)
    found = [reading.measured for reading in quick.readings]
    assert [one.delta for one in found] == [float(one.bcer > 0) for one in found]


def test_without_true_rates_the_measures_are_the_same(forward, tmp_path):
    index = lines(tmp_path / "a.lstmf")
    full, _ = run(forward, index)
    quick, _ = run(forward, index, true_rates=False)
    assert (quick.bcer, quick.bwer) == (full.bcer, full.bwer)
    assert [one.text for one in quick.readings] == [None] * len(TEXTS)
    with pytest.raises(ValueError, match="without true rates"):
        quick.cer  # noqa: B018


def test_unusable_lines_are_told_once_and_others_read_again(forward, tmp_path):
    texts = ("x", "é,", "", ",")
    index = lines(tmp_path / "a.lstmf", texts, **{",": b"no image"})
    result, skips = run(forward, index)
    assert [reading.line.number for reading in result.readings] == [1, 1, 1, 1]
    assert [line.number for line, _ in skips] == [0, 2, 3]
    reasons = [SkipReason.UNENCODABLE, SkipReason.EMPTY_TEXT, SkipReason.UNDECODABLE]
    assert [skip.reason for _, skip in skips] == reasons
    assert sorted(result.skipped) == [0, 2, 3]
    assert len(result.distinct) == 1
    assert result.cer.length == 2


def test_a_broken_image_with_a_good_header_is_skipped(forward, tmp_path):
    broken = png(60, 20)
    index = lines(tmp_path / "a.lstmf", ("é,", ","), **{",": broken[:60] + bytes(len(broken) - 60)})
    result, skips = run(forward, index)
    assert [line.page for line, _ in skips] == [1]
    assert skips[0][1].reason is SkipReason.UNDECODABLE
    assert len(result.readings) == 2


def test_texts_too_long_for_the_image_are_skipped(forward, tmp_path):
    result, skips = run(forward, lines(tmp_path / "a.lstmf", ("é" * 60, "é")))
    assert skips[0][1].reason is SkipReason.TOO_LONG
    assert len(result.readings) == 2


def test_no_usable_line_stops_the_run(forward, tmp_path):
    with pytest.raises(DataError, match="none of the 2 lines can be used"):
        run(forward, lines(tmp_path / "a.lstmf", ("x", "y")))


def test_documents_are_visited_by_the_pages_of_the_first(forward, tmp_path):
    paths = [
        save(tmp_path / name, *(page(t, png(60, 20), boxes=2) for t in texts))
        for name, texts in (("a", ("é", ",")), ("b", ("é,", ",é", "éé")), ("c", (",,",)))
    ]
    result, _ = run(forward, build_index(paths))
    visited = [reading.line.text for reading in result.readings]
    assert visited == ["é", ",", "é,", ",é", ",,", ",,"]
    assert [reading.line.text for reading in result.distinct] == ["é", ",", "é,", ",é", "éé", ",,"]
    assert result.cer.length == 10
    assert [reading.measured is None for reading in result.distinct] == [i == 4 for i in range(6)]


@pytest.mark.parametrize("chunk", [1, 3])
def test_chunks_do_not_show(chunk, forward, tmp_path, monkeypatch):
    index = lines(tmp_path / "a.lstmf", (*TEXTS, "x", ",é"))
    whole, _ = run(forward, index)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    parts, _ = run(forward, index)
    for a, b in zip(whole.readings, parts.readings, strict=True):
        assert (a.line.number, a.text) == (b.line.number, b.text)
        assert a.measured == b.measured


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
@pytest.mark.filterwarnings("ignore:os.fork")  # of JAX, which is idle
@pytest.mark.parametrize("chunk", [1, 2])
def test_a_helper_changes_nothing(chunk, forward, tmp_path, monkeypatch):
    texts = (*TEXTS, "x", ",é", "éé,")
    index = lines(tmp_path / "a.lstmf", texts, **{"éé,": b"no image"})
    alone, alone_skips = run(forward, index)
    monkeypatch.setattr(module, "_CHUNK", chunk)
    monkeypatch.setattr(module, "_FIRST_CHUNK", chunk)
    monkeypatch.setattr("lstmjax.infer.helping.can_fork", lambda: True)
    helped, skips = run(replace(forward, _own_process=True), index)
    for a, b in zip(alone.readings, helped.readings, strict=True):
        assert (a.line, a.text, a.measured) == (b.line, b.text, b.measured)
    assert [(line.number, str(skip)) for line, skip in skips] == [
        (line.number, str(skip)) for line, skip in alone_skips
    ]


def test_an_error_of_the_caller_ends_the_run(forward, tmp_path):
    def fail(reading):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(forward, lines(tmp_path / "a.lstmf"), max_bytes=0, on_line=fail)


def test_codes_that_do_not_fit_the_outputs_are_no_reading(forward):
    probs = np.full((2, 5), 0.2, np.float32)
    skip = measure_line(forward.model, np.array([3, 3, 3], np.int32), probs)
    assert isinstance(skip, module.Skip)
    assert skip.detail == "3 codes do not fit 2 time steps"


def test_geometry_follows_the_network(forward):
    geometry = geometry_of(forward.model)
    assert (geometry.min_side, geometry.steps(31)) == (2, 15)


FIGURES = {
    "float": ("tessdata_best", "fra", 466, 0.540606, 1.276824),
    "int8": ("tessdata_fast", "fra", 466, 0.782632, 2.203147),
    "float-deu": ("tessdata_best", "deu", 465, 0.774322, 3.530466),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_the_real_tool(name):
    folder, language, count, bcer, bwer = FIGURES[name]
    model = load_model(helpers.testdata(folder, "fra.traineddata"))
    file = helpers.testdata("tesseract-test", f"{language}.Arial_Unicode_MS.exp0.lstmf")
    result = evaluate(make_forward(model), build_index([str(file)]), max_bytes=1 << 28)
    assert len(result.readings) == count
    assert f"{100 * result.bcer:f} {100 * result.bwer:f}" == f"{bcer:f} {bwer:f}"
