"""Pictures of arrays."""

import io

import numpy as np
import pytest
from PIL import Image

from lstmjax.view.fonts import font_for, shown
from lstmjax.view.pictures import Mark, clear_classes, graph, heat, layer_map, line_marks, png


def test_more_is_yellow_and_less_is_blue():
    more, nothing, less = heat(np.array([[1.0, 0.0, -1.0]], np.float32), 1.0)[0].tolist()
    assert more == [255, 225, 0]
    assert nothing == [0, 0, 0]
    assert less == [0, 110, 255]


def test_values_that_are_no_numbers_are_drawn():
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    assert heat(values, 1.0)[0, :3].tolist() == [[0, 0, 0], [255, 225, 0], [0, 110, 255]]
    assert layer_map(np.full((1, 4, 3), np.nan, np.float32)).size == (16, 12)


def test_features_of_one_row_lie_below_each_other():
    x = np.zeros((1, 5, 3), np.float32)
    x[0, 2, 1] = 1
    picture = np.asarray(layer_map(x))
    assert picture.shape == (12, 20, 3)
    assert picture[4:8, 8:12].tolist() == [[[255, 225, 0]] * 4] * 4
    assert picture.sum() == picture[4:8, 8:12].sum()


def test_features_of_several_rows_are_tiles():
    picture = layer_map(np.zeros((8, 8, 9), np.float32))
    assert picture.size == (3 * (3 * 8 + 2 * 2), 3 * (3 * 8 + 2 * 2))


@pytest.mark.parametrize("shape", [(1, 4000, 3), (1, 3, 9000), (48, 3000, 64), (1, 1, 1)], ids=str)
def test_large_layers_make_pictures_of_bounded_size(shape):
    picture = layer_map(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    assert 0 < picture.width <= 1500
    assert 0 < picture.height <= 1200


def test_peaks_are_green_and_as_high_as_they_are_sure():
    pixels = np.full((36, 100), 255, np.uint8)
    picture = np.asarray(line_marks(pixels, 10, [Mark("a", 2, 1.0), Mark("b", 7, 0.5)]))
    zoom = 2
    green = (picture[20:, :, 0] == 0).sum(0)  # rows below the letters
    assert green[int(2.5 * 10 * zoom)] > green[int(7.5 * 10 * zoom)] > 0
    assert (picture[:20] != 255).any()  # the letters


def test_graph_draws_the_classes_that_come_up():
    rows = np.zeros((20, 5), np.float32)
    rows[:, 4] = 1
    rows[10, 2] = 0.8
    assert clear_classes(rows, 4) == [2]
    picture = graph(rows, {2: "x"}, 4, 400)
    assert picture.size == (400, 220)
    assert len(set(picture.getdata())) > 10


@pytest.mark.parametrize("kind", ["L", "RGB"])
def test_png_is_read_back(kind):
    picture = Image.new(kind, (7, 5), 0)
    assert Image.open(io.BytesIO(png(picture))).size == (7, 5)


def test_a_character_without_font_is_its_code_point(monkeypatch):
    monkeypatch.setenv("PATH", "")
    font_for.cache_clear()
    text, font = shown("\U000f0001", 12)
    assert text == "U+F0001"
    assert font is not None
    assert shown("é", 12)[0] == "é"
    assert shown(" ", 12)[0] == "␣"
