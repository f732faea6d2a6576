"""The cache of scaled images: right, bounded, usable from threads."""

import functools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from data.documents import page, png, save

from lstmjax.data.decode import decode
from lstmjax.data.image import InputShape, normalise, prepare
from lstmjax.data.lines import build_index
from lstmjax.data.store import ImageStore, size_of_all
from lstmjax.errors import DataError

SHAPE = InputShape(32, 0, 1)


def network_input(store, number):
    line = store.scaled(number)
    return normalise(line.pixels, SHAPE, levels=line.levels)


@pytest.fixture
def index(tmp_path):
    pages = [page("x", png(60 + i, 40, i)) for i in range(20)]
    return build_index([save(tmp_path / "a.lstmf", *pages)])


@pytest.mark.parametrize("max_bytes", [0, 10_000, 1 << 20])
def test_inputs_are_the_same_however_much_is_kept(index, max_bytes):
    store = ImageStore(index, SHAPE, max_bytes)
    for number in [0, 1, 0, 5, 19, 1, 0]:
        expected = prepare(decode(index.image(number)), SHAPE)
        np.testing.assert_array_equal(network_input(store, number), expected)
    assert store.used_bytes <= max_bytes


def test_images_that_are_in_stay_in(index):
    """With every line visited once an epoch, dropping one for another would gain nothing."""
    store = ImageStore(index, SHAPE, 8000)  # about four images, and what they cost beside
    loaded = []
    read = index.image
    object.__setattr__(index, "image", lambda number: loaded.append(number) or read(number))
    for _ in range(2):
        for number in range(20):
            store.scaled(number)
    kept = sorted(set(range(20)) - set(loaded[20:]))
    assert kept == list(range(len(kept)))
    assert 3 <= len(kept) <= 5
    assert store.used_bytes <= 8000


def test_levels_are_kept_with_the_pixels(index):
    store = ImageStore(index, SHAPE, 1 << 20)
    for number in range(20):
        fresh, kept = store.scaled(number), store.scaled(number)
        np.testing.assert_array_equal(kept.pixels, fresh.pixels)
        assert kept.levels == fresh.levels
        assert not kept.pixels.flags.writeable


def test_colour_is_kept(index):
    store = ImageStore(index, InputShape(32, 0, 3), 1 << 20)
    fresh, kept = store.scaled(4), store.scaled(4)
    assert kept.pixels is not fresh.pixels
    np.testing.assert_array_equal(kept.pixels, fresh.pixels)
    assert kept.levels is None


@pytest.mark.parametrize("shape", [SHAPE, InputShape(0, 0, 1), InputShape(32, 0, 3)], ids=str)
def test_the_size_of_all_lines_is_enough_to_keep_them(index, shape):
    most = size_of_all(index, shape)
    store = ImageStore(index, shape, most)
    first = [store.scaled(number).pixels for number in range(20)]
    again = [store.scaled(number).pixels for number in range(20)]
    assert store.used_bytes <= most < 1.1 * (sum(x.nbytes for x in first) + 20 * 280)
    assert all(x.base is not None for x in again)


def test_the_bound_is_one_on_resident_memory(tmp_path):
    """Far more than fits passes through two stores; the process grows by no more than both."""
    pages = [page("x", png(1800, 36, i)) for i in range(20)]
    path = save(tmp_path / "a.lstmf", *pages)
    code = rf"""
import re
from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.store import ImageStore, size_of_all

def resident(name):
    return int(re.search(name + r":\s*(\d+)", open("/proc/self/status").read())[1]) << 10

index = build_index([{path!r}] * 40)
warm = ImageStore(index, InputShape(36, 0, 1), 0)
for number in range(20):
    warm.scaled(number)
before = resident("VmRSS")
stores = [ImageStore(index, InputShape(36, 0, 1), size << 20) for size in (12, 6)]
for store in stores:
    for number in range(len(index)):
        store.scaled(number)
print(resident("VmHWM") - before, sum(store.used_bytes for store in stores))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    grown, used = map(int, done.stdout.split())
    assert 17 << 20 < used <= 18 << 20
    assert grown < (18 << 20) + (2 << 20)


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
        found = list(pool.map(functools.partial(network_input, store), numbers))
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


def test_an_image_that_changed_is_refused(tmp_path):
    (tmp_path / "x.gt.txt").write_text("x")
    (tmp_path / "x.png").write_bytes(png(60, 40))
    store = ImageStore(build_index([str(tmp_path / "x.png")]), SHAPE, 1 << 20)
    (tmp_path / "x.png").write_bytes(png(70, 40))
    with pytest.raises(DataError, match="70 x 40 pixels, it had 60 x 40 before"):
        store.scaled(0)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are not told")
def test_lines_are_announced_in_the_order_of_the_files_unless_they_are_kept(tmp_path, monkeypatch):
    pages = [page("x", png(60 + i, 40, i)) for i in range(6)]
    image, text = tmp_path / "z.png", tmp_path / "z.gt.txt"
    image.write_bytes(png())
    text.write_text("z\n")
    files = [save(tmp_path / f"{name}.lstmf", *pages) for name in "ab"] + [str(image)]
    index = build_index(files)
    told = []
    monkeypatch.setattr(
        os,
        "posix_fadvise",
        lambda fd, *place: told.append((os.readlink(f"/proc/self/fd/{fd}"), place)),
    )
    store = ImageStore(index, SHAPE, 1 << 20)
    store.scaled(3)
    store.read_ahead([12, 7, 3, 2])
    advice = os.POSIX_FADV_WILLNEED
    places = index.columns.places.tolist()
    assert told == [
        (files[0], (*places[2], advice)), (files[1], (*places[7], advice)),
        (files[2], (0, 0, advice)),
    ]  # fmt: skip


def test_a_file_that_has_gone_is_no_error_before_it_is_read(tmp_path):
    path = tmp_path / "a.lstmf"
    index = build_index([save(path, page("x"), page("y"))])
    path.unlink()
    store = ImageStore(index, SHAPE, 1 << 20)
    store.read_ahead([0, 1])
    with pytest.raises(DataError, match=r"a\.lstmf"):
        store.scaled(0)
