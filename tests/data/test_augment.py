"""Augmented lines: what each kind does, and that nothing but seed and sample decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data._augment_loops import Look
from lstmjax.data.augment import augment
from lstmjax.data.augmentation import KINDS, Augmentation, parse_augmentation
from lstmjax.errors import UsageError
from lstmjax.simd.compile import compiled

BENDING = ("slope", "wave", "slant", "stretch")
ALL = parse_augmentation(1)
LOOPS = compiled("lstmjax.data._augment_loops")
NEUTRAL = Look(0.0, 1.0, 255.0, 0.0, 0.0, 0.0, False, 1.0, 0.0, 0.0, 0.0, 7)


def bars(width=240, height=36, margin=12):
    """Upright bars between margins, soft at the edges."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    ink = np.clip(3 * np.sin(x / 3.0), 0, 1) * (abs(y - height / 2) < height / 3)
    ink *= (x >= margin) & (x < width - margin)
    return (255 - 235 * ink).astype(np.uint8)


def frozen(image):
    """A copy as the loops are given it, so that they are compiled for one type only."""
    image = image.copy()
    image.flags.writeable = False
    return image


def only(kind, strength=1.0):
    return Augmentation(**{kind: strength})


def spoil(image, look=NEUTRAL, across=None, down=None, spots=()):
    """Run the loops with everything neutral but what is given."""
    width = image.shape[1]
    target = np.empty(image.shape, np.uint8)
    LOOPS.spoil(
        frozen(image),
        target,
        np.arange(width, dtype=np.float32) if across is None else np.float32(across),
        np.zeros(width, np.float32) if down is None else np.float32(down),
        look,
        np.array(spots, np.float32).reshape(-1, 4),
    )
    return target


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, {}),
        ("0.0", {}),
        (1, dict.fromkeys(KINDS, 1.0)),
        (True, dict.fromkeys(KINDS, 1.0)),
        ("0.5", dict.fromkeys(KINDS, 0.5)),
        ("noise=2, slope=0.5", {"noise": 2.0, "slope": 0.5}),
        ("1,noise=0", dict.fromkeys(KINDS, 1.0) | {"noise": 0.0}),
    ],
    ids=str,
)
def test_strengths_are_read(value, expected):
    settings = parse_augmentation(value)
    assert settings == Augmentation(**expected)
    assert settings.on == any(expected.values())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("noize=1", "'noize=1' is none of its kinds.*noise"),
        ("noise=1,1", "'1' is none of its kinds"),
        ("", "found ''"),
        ("yes", "found 'yes'"),
        ("noise", "found 'noise'"),
        ("noise=", "found ''"),
        (-0.5, "from 0 .* to 4, .*found '-0.5'"),
        ("1,blur=5", "found '5'"),
        ("nan", "found 'nan'"),
    ],
    ids=str,
)
def test_other_texts_are_refused(value, problem):
    with pytest.raises(UsageError, match=problem):
        parse_augmentation(value)


def test_nothing_asked_is_nothing_done():
    image = bars()
    assert augment(image, Augmentation(), 0, 0) is image


def test_seed_and_sample_decide_and_nothing_else():
    image = bars()
    kept = image.copy()
    first = augment(image, ALL, 3, 17)
    augment(bars(100), ALL, 9, 9)
    np.testing.assert_array_equal(augment(image, ALL, 3, 17), first)
    np.testing.assert_array_equal(image, kept)
    assert image.flags.writeable
    others = [augment(image, ALL, seed, n) for seed, n in [(3, 18), (4, 17), (-3, 17), (17, 3)]]
    assert all((other != first).any() for other in others)


def test_views_and_frozen_images_give_the_same():
    image = bars()
    view = np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1]
    expected = augment(image, ALL, 0, 5)
    np.testing.assert_array_equal(augment(frozen(image), ALL, 0, 5), expected)
    np.testing.assert_array_equal(augment(view, ALL, 0, 5), expected)


@given(st.integers(1, 50), st.integers(1, 90), st.floats(0, 4), st.integers(0, 1 << 40))
def test_any_size_keeps_its_shape(height, width, strength, sample):
    image = np.random.default_rng(sample).integers(0, 256, (height, width), np.uint8)
    found = augment(image, parse_augmentation(strength), 1, sample)
    assert found.shape == image.shape
    assert found.dtype == np.uint8


def test_empty_images_come_back():
    image = np.zeros((36, 0), np.uint8)
    assert augment(image, ALL, 0, 0).shape == (36, 0)


def test_colours_are_treated_alike():
    grey = bars()
    found = augment(np.stack([grey, grey // 2, grey], -1), ALL, 0, 3)
    np.testing.assert_array_equal(found[..., 0], augment(grey, ALL, 0, 3))
    np.testing.assert_array_equal(found[..., 1], augment(grey // 2, ALL, 0, 3))
    np.testing.assert_array_equal(found[..., 2], found[..., 0])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_does_something_and_more_when_stronger(kind):
    image = bars().astype(int)

    def change(strength):
        lines = [augment(bars(), only(kind, strength), 0, n).astype(int) for n in range(30)]
        return np.mean([abs(line - image) for line in lines])

    assert 0 < change(0.3) < change(1.0) < 90


@pytest.mark.parametrize("kind", [*BENDING, "blur", "exposure"])
@pytest.mark.parametrize("level", [255, 90, 0])
def test_blank_paper_stays_as_it_is(kind, level):
    paper = np.full((36, 100), level, np.uint8)
    for sample in range(10):
        np.testing.assert_array_equal(augment(paper, only(kind), 0, sample), paper)


@pytest.mark.parametrize("kind", [*BENDING, "blur"])
def test_white_on_black_is_treated_alike(kind):
    for sample in range(10):
        dark = augment(bars(), only(kind), 0, sample).astype(int)
        light = augment(255 - bars(), only(kind), 0, sample).astype(int)
        assert abs(255 - dark - light).max() <= 1


def test_stretching_keeps_all_letters_in_the_line():
    image = bars(margin=20)
    count = np.diff((image[18] < 128).astype(int)).clip(0).sum()
    for sample in range(60):
        found = augment(image, only("stretch"), 0, sample)
        assert np.diff((found[18] < 128).astype(int)).clip(0).sum() == count
        assert (found[18, [0, -1]] == 255).all()


def test_lines_move_by_a_small_part_of_their_height():
    image = np.full((36, 400), 255, np.uint8)
    image[17:19] = 0
    for sample in range(40):
        found = augment(image, Augmentation(slope=1, wave=1), 0, sample)
        assert (found[:13] > 250).all()
        assert (found[23:] > 250).all()


def test_noise_has_the_deviation_that_was_drawn():
    grey = np.full((40, 400), 128, np.uint8)
    lines = [augment(grey, only("noise"), 0, n).astype(float) for n in range(200)]
    deviations = np.array([line.std() for line in lines])
    assert all(abs(line.mean() - 128) < 0.5 for line in lines)
    assert 0.35 < np.mean(deviations == 0) < 0.65
    assert 9 < deviations.max() < 10.5
    image = spoil(grey, NEUTRAL._replace(grain=6.0, crisp=True)).astype(float)
    assert image.std() == pytest.approx(6, abs=0.15)
    rows = np.corrcoef(image[:-1].ravel(), image[1:].ravel())[0, 1]
    assert abs(rows) < 0.03


def test_bending_interpolates_and_knows_paper_outside():
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (12, 30), np.uint8)
    across, down = rng.uniform(-3, 32, 30), rng.uniform(-4, 4, 30)
    look = NEUTRAL._replace(slant=0.2, height=1.1, paper=200.0)
    rows = 5.5 + (np.arange(12) - 5.5)[:, None] * 1.1 + down
    columns = across + 0.2 * (np.arange(12) - 5.5)[:, None]
    padded = np.pad(image.astype(float), 10, constant_values=200)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    y, x = rows - top, columns - left
    expected = sum(
        wy * wx * padded[top + 10 + i, left + 10 + j]
        for i, wy in ((0, 1 - y), (1, y))
        for j, wx in ((0, 1 - x), (1, x))
    )
    assert abs(spoil(image, look, across, down) - expected).max() < 0.51


@pytest.mark.parametrize(("part", "extreme"), [(0.4, np.minimum), (-0.4, np.maximum)])
def test_strokes_grow_by_part_of_their_neighbours(part, extreme):
    image = np.random.default_rng(2).integers(0, 256, (9, 14)).astype(np.uint8)
    p = np.pad(image, 1, "edge").astype(float)
    around = (p[1:-1, 1:-1], p[:-2, 1:-1], p[2:, 1:-1], p[1:-1, :-2], p[1:-1, 2:])
    expected = 0.6 * image + 0.4 * extreme.reduce(around)
    assert abs(spoil(image, NEUTRAL._replace(thicken=part)) - expected).max() < 0.51


def test_blur_takes_part_of_the_neighbours_in_both_directions():
    image = np.random.default_rng(3).integers(0, 256, (9, 14)).astype(np.uint8)
    p = np.pad(image, 1, "edge").astype(float)
    across = 0.6 * p[:, 1:-1] + 0.2 * (p[:, :-2] + p[:, 2:])
    expected = 0.6 * across[1:-1] + 0.2 * (across[:-2] + across[2:])
    assert abs(spoil(image, NEUTRAL._replace(soften=0.2)) - expected).max() < 0.51


def test_weak_ink_and_shadow_come_out_as_drawn():
    image = bars(40, 10, 0)
    look = NEUTRAL._replace(ink=0.7, fade=0.1, shadow_x=-12.0, shadow_y=-6.0)
    x, y = (2 * np.arange(40) - 39) / 40, (2 * np.arange(10) - 9)[:, None] / 10
    expected = 255 + (0.7 + 0.1 * x) * (image - 255.0) - 12 * x - 6 * y
    assert abs(spoil(image, look) - np.clip(expected, 0, 255)).max() < 0.51


def test_a_spot_is_round_and_may_reach_outside():
    image = np.full((20, 30), 255, np.uint8)
    found = spoil(image, spots=[(10, 12, 2, 40), (-0.5, 29.5, 1, 0), (50, -50, 3, 0)])
    assert (found[9:12, 12] == 40).all()
    assert (found[10, 11:14] == 40).all()
    assert 40 < found[8, 12] < 255
    assert found[8, 10] == 255
    assert found[0, 29] < 128
    assert (found < 255).sum() < 30


def test_paper_ink_and_margins_are_found():
    image = np.full((9, 20), 200, np.uint8)
    image[4, 5:11] = 30
    image[0, 3] = 180  # not dark enough
    assert LOOPS.measure(frozen(image)) == (200, 30, 5, 10)
    assert LOOPS.measure(frozen(255 - image)) == (55, 225, 5, 10)
    assert LOOPS.measure(frozen(np.full((3, 4), 9, np.uint8))) == (9, 9, 0, -1)
