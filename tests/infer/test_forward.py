"""Batches of lines through a network: order, padding, inversion, what is compiled."""

from dataclasses import replace

import numpy as np
import pytest
from infer.models import tiny_traineddata

from lstmjax.data.random import MinStd
from lstmjax.formats import traineddata
from lstmjax.infer.choose import make_forward
from lstmjax.infer.device import DeviceForward, make_device_forward
from lstmjax.infer.exact_reader import make_exact_reader
from lstmjax.infer.forward import LineToRead, certainty
from lstmjax.infer.host_forward import HostForward
from lstmjax.infer.model import load_model
from lstmjax.nn.build import build

NULL = 2
random = np.random.default_rng(0)


def pixels(width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (8, width), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.traineddata"
    traineddata.save(tiny_traineddata(), path)
    return load_model(path)


def exact_forward(model):
    return HostForward(model, make_exact_reader(model), make_exact_reader)


def device_forward(model):
    return make_device_forward(model, build(model.root))


@pytest.fixture(
    scope="module",
    params=[make_forward, exact_forward, device_forward],
    ids=["host", "exact", "device"],
)
def forward(request, model):
    return request.param(model)


def test_results_come_back_in_the_order_of_the_lines(forward):
    widths = [30, 12, 44, 19, 12, 31, 25]
    lines = [LineToRead(pixels(w, seed), sample=seed) for seed, w in enumerate(widths)]
    together = forward.probs(lines, batch=4)
    assert [len(probs) for probs in together] == [w // 2 for w in widths]
    for line, probs in zip(lines, together, strict=True):
        assert probs.dtype == np.float32
        assert probs.flags.c_contiguous
        np.testing.assert_allclose(probs.sum(1), 1, rtol=1e-5)
        alone = forward.probs([line], batch=4, buckets=forward.buckets(widths))[0]
        np.testing.assert_allclose(probs, alone, atol=1e-6)


@pytest.mark.parametrize("make", [make_forward, exact_forward])
def test_the_place_in_the_run_decides_the_noise(make, model):
    forward = make(model)
    first, again, other = forward.probs([LineToRead(pixels(20), s) for s in (1, 1, 2)], batch=4)
    np.testing.assert_array_equal(first, again)
    assert abs(first - other).max() > 1e-4


def test_no_lines_give_nothing(forward):
    assert forward.probs([]) == []


def test_few_widths_are_compiled_for_few_lines(model):
    forward = device_forward(model)
    assert len(forward.buckets([40, 20, 30]).widths) == 1
    many = [*range(20, 400, 2)] * 40
    buckets = forward.buckets(many)
    assert 3 <= len(buckets.widths) <= 6
    assert buckets.widths[-1] == 398
    assert all(width % 2 == 0 for width in buckets.widths)  # of the network's x scale
    assert forward.buckets([]).widths == (2,)


class Scripted(DeviceForward):
    """Gives outputs by the mean of the pixels that go in, and remembers what it was asked."""

    def __init__(self, model, sure):
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "seen", [])

        def apply(params, images, widths):
            del params
            mean = images[:, :, :, 0].mean((0, 1))
            self.seen.append(mean)  # type: ignore[attr-defined]
            probs = np.zeros((4, len(widths), 5), np.float32)
            probs[:, :, 3] = [sure(m) for m in mean]
            probs[:, :, 0] = 0.2 * probs[:, :, 3]
            return probs, np.full(len(widths), 4)

        object.__setattr__(self, "_apply", apply)
        object.__setattr__(self, "_weights", None)


LIGHT_ON_DARK = np.where(np.arange(160).reshape(8, 20) % 5 == 0, 250, 5).astype(np.uint8)


@pytest.mark.parametrize(
    ("limit", "sure_inverted", "sure", "expected", "runs"),
    [
        (0.0, 0.9, 0.1, 0.1, 1),
        (0.5, 0.9, 0.6, 0.6, 1),
        (0.5, 0.9, 0.4, 0.9, 2),
        (0.7, 0.9, 0.6, 0.9, 2),
        (0.5, 0.3, 0.4, 0.4, 2),
        (0.5, 0.4, 0.4, 0.4, 2),
    ],
    ids=["never", "sure enough", "better", "higher limit", "worse", "no better"],
)
def test_doubtful_lines_are_tried_inverted(forward, limit, sure_inverted, sure, expected, runs):
    scripted = Scripted(forward.model, lambda mean: sure if mean < 0 else sure_inverted)
    probs = scripted.probs([LineToRead(LIGHT_ON_DARK, 1, limit)], batch=1)[0]
    assert probs[0, 3] == pytest.approx(expected)
    assert len(scripted.seen) == runs  # type: ignore[attr-defined]


def test_only_doubtful_lines_are_computed_again(forward):
    scripted = Scripted(forward.model, lambda mean: 0.4 if mean < 0 else 0.9)
    dark, light = (LineToRead(p, 1, 0.5) for p in (LIGHT_ON_DARK, 255 - LIGHT_ON_DARK))
    done = dict(scripted.outputs([light, dark, light], batch=3))
    assert sorted(done) == [0, 1, 2]
    assert [round(float(done[i][0, 3]), 3) for i in range(3)] == [0.9, 0.9, 0.9]
    assert [len(mean) for mean in scripted.seen] == [3, 3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0, 0, 1, 0]], 0.0),
        ([[0.5, 0.1, 0.4, 0]], 63 / 127),
        ([[0.5, 0.1, 0.4, 0], [0.1, 0, 0.9, 0], [0, 1, 0, 0]], (63 + 127) / 2 / 127),
    ],
    ids=["only nulls", "one", "nulls do not count"],
)
def test_certainty_is_the_mean_of_what_was_read(rows, expected):
    assert certainty(np.array(rows, np.float32), NULL) == pytest.approx(expected)


def test_padded_line_that_stays_as_it_is_is_read_with_other_borders(forward):
    root = forward.model.root
    fixed = replace(root, children=(replace(root.children[0], width=40), *root.children[1:]))
    seen = []

    class Remembering(Scripted):
        def _start(self, lines, batch, buckets):
            seen.append((lines[0].block, lines[0].stream.state))
            return super()._start(lines, batch, buckets)

    scripted = Remembering(replace(forward.model, root=fixed), lambda mean: 0.4)
    scripted.probs([LineToRead(LIGHT_ON_DARK, 1, 0.5)], batch=1)
    (first, after_padding), (inverted, _), (third, fresh) = seen
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(first, inverted)
    assert fresh == MinStd.for_sample(1).state != after_padding
