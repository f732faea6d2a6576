import numpy as np
import pytest
from infer.models import tiny_traineddata

import lstmjax
from lstmjax.errors import DataError
from lstmjax.formats import traineddata
from lstmjax.infer import symbols


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.traineddata"
    traineddata.save(tiny_traineddata(), path)
    return path


def image(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (20, width)).astype(np.uint8)


def test_symbols_make_up_the_text(path):
    images = [image(90, 1), image(40, 2), image(60, 3)]
    texts = lstmjax.load(path).recognize_lines(images)
    assert any(texts)
    read = list(symbols.load(path).read(images))
    assert ["".join(one.texts) for one in read] == texts
    for one, pixels in zip(read, images, strict=True):
        assert one.spans.shape == (len(one.texts), 2)
        solid = one.spans[[text != " " for text in one.texts]]
        assert (solid[:, 0] < solid[:, 1]).all()
        assert (solid >= 0).all()
        assert (solid <= pixels.shape[1] + 1).all()
        assert (np.diff(solid[:, 0]) > 0).all()


def test_what_is_too_small_is_told_in_its_place(path):
    first, second, third = symbols.load(path).read([image(40), image(1), image(40)])
    assert isinstance(second, DataError)
    assert "too small to be read: 1 x 20 pixels" in str(second)
    assert first.texts == third.texts


def test_nothing_to_read(path):
    assert list(symbols.load(path).read([])) == []
