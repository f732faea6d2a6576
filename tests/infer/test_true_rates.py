"""The true error rates: those of the texts that `recognize` gives, whoever computes them."""

import io
import unicodedata

import jiwer
import numpy as np
import pytest
from data.documents import page, save
from formats.format_samples import recoder_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infer.models import tiny_recognizer
from PIL import Image
from rapidfuzz.distance import Levenshtein

import lstmjax
from lstmjax.charset.properties import basic_properties
from lstmjax.data.lines import build_index
from lstmjax.formats import lstm, recoder, traineddata, unicharset
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import evaluate
from lstmjax.infer.model import load_model
from lstmjax.report.readings import read_anyway
from lstmjax.training.validate import Validator

# Long s, quotes, fractions, a mark of its own, Arabic presentation forms, full-width letters,
# dashes, a private ligature: the normed forms of most differ from what is printed.
UNICHARS = "aſ“”„½⁄e\u0301ﺑﻼＡ—’ﬀ\ue006x"
KINDS = ("grey", "two-valued", "inverted", "colour")


def special_traineddata(seed):
    rows = tuple(UnicharRow(text, 0) for text in (" ", "Joined", BROKEN, *UNICHARS))
    table = basic_properties(UnicharsetTable(rows), lambda _: None)
    spec = "[1,8,0,1 Ct3,3,2 Mp2,2 Lfys3 Lfx6 O1c1]"
    return TrainedData({
        "lstm": lstm.pack(tiny_recognizer(spec, num_codes=len(rows), seed=seed)),
        "lstm-unicharset": unicharset.pack(table),
        "lstm-recoder": recoder.pack(recoder_of(len(rows))),
    })  # fmt: skip


@pytest.fixture(scope="module", params=[2, 18, 22])
def model(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("special") / "m.traineddata"
    traineddata.save(special_traineddata(request.param), path)
    return str(path)


def image_of(seed, kind):
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (int(random.integers(9, 40)), 600), np.uint8)
    match kind:
        case "two-valued":
            image = Image.fromarray(pixels > 127)
        case "inverted":
            image = Image.fromarray(255 - pixels // 4)
        case "colour":
            image = Image.fromarray(random.integers(0, 256, (*pixels.shape, 3), np.uint8))
        case _:
            image = Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def nfc(text):
    return unicodedata.normalize("NFC", text)


words = st.text(st.sampled_from(UNICHARS), min_size=1, max_size=5)
cases = st.tuples(
    st.lists(words, min_size=1, max_size=4).map(" ".join),
    st.integers(0, 10_000),
    st.sampled_from(KINDS),
    st.integers(0, 2),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(cases, min_size=1, max_size=6))
def test_everybody_gives_the_rates_of_what_recognize_reads(model, lines, tmp_path):
    images = [image_of(seed, kind) for _, seed, kind, _ in lines]
    truths = [text for text, *_ in lines]
    pages = [
        page(text, image, boxes=boxes)
        for (text, _, _, boxes), image in zip(lines, images, strict=True)
    ]
    index = build_index([save(tmp_path / "a.lstmf", *pages)])

    texts = [nfc(text) for text in lstmjax.load(model).recognize_lines(images)]
    edits = sum(
        Levenshtein.distance(nfc(truth), text) for truth, text in zip(truths, texts, strict=True)
    )
    expected = edits / sum(len(nfc(truth)) for truth in truths)
    assert jiwer.cer([nfc(truth) for truth in truths], texts) == pytest.approx(expected)
    expected_words = jiwer.wer([nfc(truth) for truth in truths], texts)

    loaded = load_model(model)
    forward = make_forward(loaded)
    result = evaluate(forward, index, max_bytes=1 << 20)
    assert [nfc(one.text) for one in result.distinct] == texts
    assert result.cer.rate == expected
    assert result.wer.rate == pytest.approx(expected_words)

    skips = []
    validator = Validator(
        index, loaded, make_forward, max_bytes=1 << 20, report=lambda *skip: skips.append(skip)
    )
    scores = validator.scores(loaded.params, loaded.sample_iteration)
    assert (scores.cer, scores.lines, skips) == (expected, len(lines), [])
    assert scores.wer == pytest.approx(expected_words)

    read = read_anyway(forward, index, range(len(lines)), max_bytes=1 << 20)
    assert [nfc(read[number].text) for number in range(len(lines))] == texts


def test_the_models_of_these_tests_read_what_is_normed_otherwise(model):
    """Else the test above could not fail."""
    reader = lstmjax.load(model)
    codec = reader.model.codec
    text = "".join(reader.recognize(image_of(seed, kind)) for seed in range(20) for kind in KINDS)
    printed = {c: codec.unicharset.normed(codec.unicharset.ids[c]) for c in UNICHARS}
    assert sum(printed.get(c, c) != c for c in text) > 20
