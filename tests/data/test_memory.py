"""Packed images: what goes in comes out, within the bound."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data import memory
from lstmjax.data.memory import PixelMemory, packed_size

SHAPES = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 30), st.integers(1, 60)),
        st.tuples(st.integers(1, 30), st.integers(1, 60), st.just(3)),
    ),
    max_size=12,
)


def image(shape, seed):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def levels_of(pixels, number):
    return (np.float32(number), np.float32(number + 0.5)) if pixels.ndim == 2 else None


@contextmanager
def small_chunks():
    """Several chunks for a few images."""
    before, memory._CHUNK = memory._CHUNK, 1 << 12
    try:
        yield
    finally:
        memory._CHUNK = before


@given(SHAPES, st.integers(0, 30_000))
@small_chunks()
def test_images_come_back_within_the_bound(shapes, max_bytes):
    store = PixelMemory(max_bytes)
    images = [image(shape, i) for i, shape in enumerate(shapes)]
    for number, pixels in enumerate(images):
        store.put(number, pixels, levels_of(pixels, number))
    assert store.used_bytes <= max_bytes
    assert sum(len(chunk) for chunk in store._chunks) <= store.used_bytes + memory._CHUNK
    for number, pixels in enumerate(images):
        found = store.get(number)
        assert (found is not None) == (number in store)
        if found is not None:
            np.testing.assert_array_equal(found[0], pixels)
            assert found[1] == levels_of(pixels, number)


@given(SHAPES)
def test_the_estimated_size_is_enough_for_one_chunk(shapes):
    images = [image(shape, i) for i, shape in enumerate(shapes)]
    store = PixelMemory(packed_size(sum(pixels.size for pixels in images), len(images)))
    for number, pixels in enumerate(images):
        store.put(number, pixels, levels_of(pixels, number))
    assert all(number in store for number in range(len(images)))


def test_an_image_that_is_in_stays_as_it_is():
    store = PixelMemory(10_000)
    first = image((5, 7), 0)
    store.put(3, first, levels_of(first, 3))
    store.put(3, image((5, 7), 1), None)
    found = store.get(3)
    assert found is not None
    np.testing.assert_array_equal(found[0], first)
    with pytest.raises(ValueError, match="read-only"):
        found[0][0, 0] = 1


@small_chunks()
def test_a_large_image_gets_a_chunk_of_its_own():
    store = PixelMemory(1 << 20)
    for number, side in enumerate((10, 200, 10)):
        store.put(number, image((side, side), number), None)
    found = store.get(1)
    assert found is not None
    np.testing.assert_array_equal(found[0], image((200, 200), 1))
