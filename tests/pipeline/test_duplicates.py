"""Equal pixels are found in every file format."""

import io

import numpy as np
from data.documents import page, save
from PIL import Image

from lstmjax.data.lines import build_index
from lstmjax.pipeline.duplicates import find_copies


def stored(pixels, mode="L", kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def index_of(tmp_path, *images):
    return build_index([save(tmp_path / "a.lstmf", *(page("x", image) for image in images))])


def black_and_white(seed, shape=(30, 50)):
    return np.random.default_rng(seed).integers(0, 2, shape, dtype=np.uint8) * np.uint8(255)


def test_copies_are_found_in_any_form(tmp_path):
    one, two = black_and_white(1), black_and_white(2)
    index = index_of(
        tmp_path,
        stored(one), stored(two), stored(black_and_white(3)),  # trained on
        stored(one, "1"), stored(two, "RGB", compress_level=1), stored(one, kind="TIFF"),
        stored(black_and_white(4)), stored(one[:29]), stored(one.reshape(50, 30)),
    )  # fmt: skip
    assert find_copies(index, [2, 1, 0], [8, 7, 6, 5, 4, 3]) == {5: 0, 4: 1, 3: 0}


def test_the_first_of_several_is_named_and_only_sizes_of_both_sides_are_decoded(tmp_path):
    one = black_and_white(1)
    index = index_of(tmp_path, stored(one), stored(one), stored(one[:20]), stored(one))
    read, image = [], index.image
    object.__setattr__(index, "image", lambda number: read.append(number) or image(number))
    assert find_copies(index, [2, 1, 0], [3]) == {3: 0}
    assert sorted(read) == [0, 1, 3]


def test_images_that_cannot_be_decoded_have_no_copies(tmp_path):
    broken = stored(black_and_white(1))[:60] + b"\0" * 400
    index = index_of(tmp_path, broken, broken, stored(black_and_white(1)))
    assert find_copies(index, [0], [1, 2]) == {}


def test_colours_are_compared(tmp_path):
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 200
    index = index_of(
        tmp_path, stored(red, "RGB"), stored(red[..., ::-1], "RGB"), stored(red, "RGB")
    )
    assert find_copies(index, [0], [1, 2]) == {2: 0}
