"""Width buckets and padding."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmjax.data.batch import BatchShape, Buckets, fit_buckets, pad


def area(buckets, widths):
    return sum(buckets.shape(8, w, 1).width for w in widths)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 4), st.integers(1, 3))
def test_fitted_widths_waste_least(widths, most, multiple):
    buckets = fit_buckets(widths, [1] * len(widths), most=most, multiple=multiple)
    assert len(buckets.widths) <= most
    assert list(buckets.widths) == sorted(set(buckets.widths))
    assert all(w % multiple == 0 for w in buckets.widths)
    rounded = sorted({-(-w // multiple) * multiple for w in widths})
    best = min(
        area(Buckets((*cut, rounded[-1]), (1,) * (len(cut) + 1), multiple), widths)
        for size in range(most)
        for cut in itertools.combinations(rounded[:-1], size)
    )
    assert area(buckets, widths) == best


@given(
    st.lists(st.tuples(st.integers(1, 500), st.integers(1, 90)), min_size=1, max_size=60),
    st.integers(1, 6),
)
def test_every_line_fits_its_bucket(lines, most):
    widths, labels = zip(*lines, strict=True)
    buckets = fit_buckets(widths, labels, most=most)
    for width, count in lines:
        shape = buckets.shape(36, width, count)
        assert shape.height == 36
        assert width <= shape.width
        assert count <= shape.labels
        assert (shape.width, shape.labels) in zip(buckets.widths, buckets.labels, strict=True)


@pytest.mark.parametrize(("padding", "expected"), [(0, 3), (0.2, 2), (0.5, 1)])
def test_no_more_widths_than_the_padding_asks_for(padding, expected):
    widths = [100, 140, 150, 200, 200]  # 790 wide; one width: 1000, two: 850
    buckets = fit_buckets(widths, [1] * 5, most=3, padding=padding)
    assert len(buckets.widths) == expected


def test_many_widths_are_fitted_quickly_and_well():
    random = np.random.default_rng(0)
    widths = random.integers(50, 2000, 100_000)
    buckets = fit_buckets(widths, np.ones(len(widths), int), most=6)
    assert max(widths) <= buckets.widths[-1]
    chosen = np.array(buckets.widths)[np.searchsorted(buckets.widths, widths)]
    assert chosen.sum() < 1.2 * widths.sum()


@pytest.mark.parametrize(
    ("width", "labels", "expected"),
    [
        (100, 8, BatchShape(36, 120, 16)),
        (121, 24, BatchShape(36, 300, 24)),
        (100, 17, BatchShape(36, 120, 32)),
        (301, 1, BatchShape(36, 576, 32)),
        (2000, 40, BatchShape(36, 2016, 64)),
    ],
    ids=["in a bucket", "in the next", "many labels", "too wide", "much too wide"],
)
def test_lines_beyond_every_bucket_get_rounded_shapes(width, labels, expected):
    assert Buckets((120, 300), (16, 24), 3).shape(36, width, labels) == expected


def test_padding_keeps_lines_and_marks_empty_places():
    images = [np.full((4, w, 2), w, np.float32) for w in (3, 5)]
    codes = [np.array([7, 8], np.int32), np.array([9], np.int32)]
    batch = pad(images, codes, BatchShape(4, 6, 3), 3)
    assert batch.images.shape == (4, 6, 3, 2)
    for i, width in enumerate((3, 5)):
        assert (batch.images[:, :width, i] == width).all()
        assert not batch.images[:, width:, i].any()
    assert not batch.images[:, :, 2].any()
    assert batch.widths.tolist() == [3, 5, 1]
    assert batch.labels.tolist() == [[7, 8, 0], [9, 0, 0], [0, 0, 0]]
    assert batch.num_labels.tolist() == [2, 1, 0]
    assert batch.weights.tolist() == [1, 1, 0]


def test_a_batch_without_lines_has_places_all_the_same():
    batch = pad([], [], BatchShape(4, 6, 8), 2)
    assert batch.images.shape == (4, 6, 2, 1)
    assert not batch.weights.any()
