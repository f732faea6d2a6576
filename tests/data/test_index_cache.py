"""The cache of indexes: used when nothing changed, never trusted when anything looks wrong."""

import os
import time

import numpy as np
import pytest
from data.documents import page, png, save
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.data import index_cache, lines
from lstmjax.data.lines import build_index
from lstmjax.errors import DataError
from lstmjax.formats import lstmf


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Every index is cached, in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(lines, "_WORTH_CACHING", -1.0)
    monkeypatch.setattr(index_cache, "_SETTLED_NS", -(10**12))  # files are as new as the test
    return tmp_path / "cache" / "lstmjax" / "index"


@pytest.fixture
def scanned(monkeypatch):
    """Names of the documents that are scanned."""
    names, scan = [], lstmf.scan

    def noting(path):
        names.append(os.path.basename(path))
        return scan(path)

    monkeypatch.setattr(lstmf, "scan", noting)
    return names


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "i.png").write_bytes(png(70, 20))
    (tmp_path / "i.gt.txt").write_text("pair")
    return [
        save(tmp_path / "a.lstmf", page("one", boxes=2, name="scan.tif", number=7), page("zwei")),
        str(tmp_path / "i.png"),
        save(tmp_path / "b.lstmf", page("", png(two_valued=True)), page("caf\udce9")),
    ]


def facts(index):
    return (
        list(index), index.documents, index.unusable, index.pages.tolist(),
        [index.image(number) for number in range(len(index))],
    )  # fmt: skip


def test_a_second_run_scans_nothing(cache, paths, scanned):
    first = facts(build_index(paths))
    assert scanned == ["a.lstmf", "b.lstmf"]
    assert len(list(cache.iterdir())) == 1
    assert facts(build_index(paths)) == first
    assert scanned == ["a.lstmf", "b.lstmf"]


def test_changed_documents_alone_are_scanned_again(cache, paths, scanned, tmp_path):
    build_index(paths)
    save(tmp_path / "b.lstmf", page("new"))
    scanned.clear()
    index = build_index(paths)
    assert scanned == ["b.lstmf"]
    assert [line.text for line in index] == ["one", "zwei", "pair", "new"]
    assert facts(build_index(paths)) == facts(index)
    (tmp_path / "i.gt.txt").write_text("other")
    assert [line.text for line in build_index(paths)] == ["one", "zwei", "other", "new"]
    assert scanned == ["b.lstmf"]


def test_a_change_with_the_time_set_back_is_seen(cache, paths, scanned, tmp_path):
    build_index(paths)
    path = tmp_path / "a.lstmf"
    times = path.stat()
    data = path.read_bytes().replace(b"one", b"eno")
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert build_index(paths)[0].text == "eno"


def test_fresh_files_are_not_trusted(cache, paths, scanned, monkeypatch):
    monkeypatch.setattr(index_cache, "_SETTLED_NS", 10**10)
    build_index(paths)
    scanned.clear()
    build_index(paths)
    assert scanned == ["a.lstmf", "b.lstmf"]


def test_small_data_leaves_no_file(cache, paths, monkeypatch):
    monkeypatch.setattr(lines, "_WORTH_CACHING", 100.0)
    build_index(paths)
    assert not cache.exists() or not list(cache.iterdir())


def test_damaged_and_missing_documents_are_reported_each_time(cache, paths, scanned, tmp_path):
    (tmp_path / "cut.lstmf").write_bytes(lstmf.pack((page("one"), page("two")))[:-20])
    paths = [str(tmp_path / "none.lstmf"), *paths, str(tmp_path / "cut.lstmf")]
    first = build_index(paths)
    scanned.clear()
    second = build_index(paths)
    assert scanned == ["none.lstmf", "cut.lstmf"]
    assert facts(second) == facts(first)
    assert "page 2 of 2" in str(second.documents[-1].problem)


def test_relative_paths_belong_to_their_folder(cache, tmp_path, monkeypatch):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        save(tmp_path / name / "a.lstmf", page(name))
        monkeypatch.chdir(tmp_path / name)
        assert build_index(["a.lstmf"]).text(0) == name


def test_only_some_indexes_stay(cache, tmp_path):
    for i in range(12):
        build_index([save(tmp_path / f"{i}.lstmf", page("x"))])
    assert len(list(cache.iterdir())) == 8


def test_the_cache_may_be_unusable(tmp_path, paths, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("no folder")
    assert len(build_index(paths)) == 5


@pytest.fixture
def stored(cache, paths):
    """The file of an index, and what a scan finds."""
    found = facts(build_index(paths))
    (file,) = cache.iterdir()
    return file, found


@pytest.mark.parametrize("part", [0, 10, 30, 55, 100, -1])
def test_truncated_files_count_as_none(stored, paths, scanned, part):
    file, found = stored
    file.write_bytes(file.read_bytes()[:part])
    assert facts(build_index(paths)) == found
    assert scanned == ["a.lstmf", "b.lstmf"]


@given(at=st.integers(0, 600), value=st.integers(0, 255))
def test_changed_bytes_never_change_the_index(tmp_path_factory, at, value):
    folder = tmp_path_factory.mktemp("index")
    paths = [save(folder / "a.lstmf", page("one", boxes=2), page("two"))]
    index = build_index(paths)
    states = index_cache.states_of(paths)
    whole = index_cache._pack(
        index_cache.CachedIndex(states, np.array([2], np.int32), np.zeros(1, bool), index.columns),
        b"a",
    )
    data = bytearray(whole)
    data[at % len(data)] = value
    (folder / "f").write_bytes(data)
    with open(folder / "f", "rb") as file:
        cached = index_cache._read(file, len(data), b"a", 1)
    assert (cached is None) == (bytes(data) != whole)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("counts", [3]),
        ("counts", [-1]),
        ("sizes", [[-1, 0], [1, 1]]),
        ("places", [[4, 10], [150, 40]]),
        ("places", [[4, 1 << 40], [150, 40]]),
        ("places", [[-5, 40], [150, 40]]),
        ("ends", [0, 9, 3, 6]),
        ("ends", [0, 3, 3, 99]),
        ("two_valued", [7, 0]),
    ],
    ids=str,
)
def test_numbers_that_cannot_be_are_refused(tmp_path, field, value):
    paths = [save(tmp_path / "a.lstmf", page("one"), page("two"))]
    index = build_index(paths)
    cached = index_cache.CachedIndex(
        index_cache.states_of(paths), np.array([2], np.int32), np.zeros(1, bool), index.columns
    )
    assert index_cache._fits_together(cached)
    owner = cached if field == "counts" else index.columns
    dtype = getattr(owner, field).dtype
    wrong = np.array(value, np.uint8 if dtype.kind == "b" else dtype).view(dtype)
    object.__setattr__(owner, field, wrong)
    assert not index_cache._fits_together(cached)


def test_a_lie_about_a_text_is_found_when_the_line_is_read(cache, paths, tmp_path):
    index = build_index(paths)
    object.__setattr__(index.columns, "texts", index.columns.texts.replace(b"zwei", b"drei"))
    states = index_cache.settled(index_cache.states_of(paths), time.time_ns())
    counts = np.array([2, 1, 2], np.int32)
    changed = index_cache.CachedIndex(states, counts, np.zeros(3, bool), index.columns)
    index_cache.save(paths, changed)
    again = build_index(paths)
    assert again.text(1) == "drei"
    with pytest.raises(DataError, match=r"a\.lstmf: page at byte .*the text is not the one"):
        again.image(1)
