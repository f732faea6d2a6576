"""TIFF files, read back by Pillow."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from lstmjax.errors import DataError
from lstmjax.render import tiff

SHAPES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=3)


@settings(deadline=None)
@given(SHAPES, st.integers(0, 9))
def test_pages_come_back(shapes, seed):
    draws = np.random.default_rng(seed)
    pages = [draws.random(shape) < 0.3 for shape in shapes]
    data = tiff.pack([tiff.compress(page) for page in pages])
    with Image.open(io.BytesIO(data)) as image:
        assert getattr(image, "n_frames", 1) == len(pages)
        for k, page in enumerate(pages):
            image.seek(k)
            np.testing.assert_array_equal(~np.array(image), page)
            tags = image.tag_v2  # pyright: ignore
            assert (tags[259], tags[262], image.info["dpi"]) == (4, 0, (300.0, 300.0))


def test_all_white_and_all_black_pages():
    for page in (np.zeros((20, 30), bool), np.ones((20, 30), bool)):
        with Image.open(io.BytesIO(tiff.pack([tiff.compress(page)]))) as image:
            np.testing.assert_array_equal(~np.array(image), page)


def test_files_that_no_tiff_can_hold_are_refused(monkeypatch):
    strip = tiff.compress(np.zeros((5, 5), bool))
    monkeypatch.setattr(tiff, "_LIMIT", 2 * (len(strip.data) + 256))
    tiff.pack([strip] * 2)
    with pytest.raises(DataError, match="use --max_pages"):
        tiff.pack([strip] * 3)


def test_a_pillow_without_libtiff_is_named(monkeypatch):
    monkeypatch.setattr(features, "check", lambda _: False)
    with pytest.raises(DataError, match="without libtiff"):
        tiff.compress(np.zeros((5, 5), bool))


def test_a_pillow_that_writes_other_files_is_refused(monkeypatch):
    class Opened:
        tag_v2 = {262: 0, 273: (8,), 279: (1,)}  # noqa: RUF012

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(Image, "open", lambda _: Opened())
    with pytest.raises(DataError, match="photometric interpretation 0, expected 1"):
        tiff.compress(np.zeros((5, 5), bool))
