import numpy as np
import pytest
from pages import page_samples

from lstmjax.pages.ink import ink_bounds, ink_mask


def line(paper: int = 220, ink: int = 30) -> np.ndarray:
    pixels = np.full((20, 40), paper, np.uint8)
    pixels[5:15, 10:12] = ink
    return pixels


@pytest.mark.parametrize("levels", [(220, 30), (30, 220), (255, 0), (130, 120)], ids=str)
def test_ink_is_the_minority(levels):
    mask = ink_mask(line(*levels))
    assert mask.sum() == 20
    assert ink_bounds(mask) == (10, 5, 12, 15)


def test_colours():
    pixels = np.stack([line(), line(250, 0), line(200, 200)], axis=-1)
    assert ink_bounds(ink_mask(pixels)) == (10, 5, 12, 15)


def test_without_ink():
    mask = ink_mask(np.full((5, 9), 7, np.uint8))
    assert not mask.any()
    assert ink_bounds(mask) is None


def test_noisy_paper_stays_paper():
    pixels = page_samples.grey(60, 30)
    np.testing.assert_array_equal(ink_mask(pixels), pixels < 100)
