"""The cache of scaled images: right, bounded, usable from threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from data.documents import page, png, save

from lstmjax.data.decode import decode
from lstmjax.data.image import InputShape, normalise, prepare, scale_line
from lstmjax.data.lines import build_index
from lstmjax.data.random import MinStd
from lstmjax.data.store import ImageStore
from lstmjax.errors import DataError

SHAPE = InputShape(32, 0, 1)


@pytest.fixture
def index(tmp_path):
    pages = [page("x", png(60 + i, 40, i)) for i in range(20)]
    return build_index([save(tmp_path / "a.lstmf", *pages)])


@pytest.mark.parametrize("max_bytes", [0, 10_000, 1 << 20])
def test_inputs_are_the_same_however_much_is_kept(index, max_bytes):
    store = ImageStore(index, SHAPE, max_bytes)
    for number in [0, 1, 0, 5, 19, 1, 0]:
        expected = prepare(decode(index.image(number)), SHAPE)
        np.testing.assert_array_equal(store.input(number), expected)
    assert store.used_bytes <= max_bytes


def test_the_least_recently_used_image_goes_first(index):
    one = ImageStore(index, SHAPE, 1 << 20)
    one.scaled(0)
    store = ImageStore(index, SHAPE, 3 * one.used_bytes + 200)
    loaded = []
    read = index.image
    object.__setattr__(index, "image", lambda number: loaded.append(number) or read(number))
    for number in [0, 1, 2, 0, 3, 0, 2, 1]:
        store.scaled(number)
    assert loaded == [0, 1, 2, 3, 1]


def test_options_reach_the_normalisation(index):
    store = ImageStore(index, InputShape(32, 90, 1), 1 << 20)
    pixels = scale_line(decode(index.image(3)), store.shape)
    for options in ({"int8": True}, {"int8": False}):
        expected = normalise(pixels, store.shape, MinStd.for_sample(4), **options)
        found = store.input(3, MinStd.for_sample(4), **options)
        np.testing.assert_array_equal(found, expected)
    expected = normalise(255 - pixels, store.shape, MinStd.for_sample(4))
    found = store.input(3, MinStd.for_sample(4), inverted=True)
    np.testing.assert_array_equal(found, expected)


def test_colour_has_no_levels(index):
    line = ImageStore(index, InputShape(32, 0, 3), 0).scaled(0)
    assert line.levels is None
    assert line.pixels.shape == (32, 48, 3)


def test_kept_pixels_cannot_be_changed(index):
    with pytest.raises(ValueError, match="read-only"):
        ImageStore(index, SHAPE, 1 << 20).scaled(0).pixels[0, 0] = 1


def test_threads_share_a_store(index):
    store = ImageStore(index, SHAPE, 12_000)
    numbers = np.random.default_rng(0).integers(0, 20, 300).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(store.input, numbers))
    expected = [prepare(decode(index.image(number)), SHAPE) for number in range(20)]
    for number, block in zip(numbers, found, strict=True):
        np.testing.assert_array_equal(block, expected[number])
    assert store.used_bytes <= 12_000


def test_broken_images_are_named(tmp_path):
    path = save(tmp_path / "a.lstmf", page("x"), page("y", png()[:60]), page("z", png(2, 900)))
    store = ImageStore(build_index([path]), SHAPE, 1 << 20)
    with pytest.raises(DataError, match=r"a\.lstmf: page 1: "):
        store.scaled(1)
    with pytest.raises(DataError, match=r"a\.lstmf: page 2: too small for this network"):
        store.scaled(2)
