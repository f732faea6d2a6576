"""Batches: a pure function of the data and a position, whatever was loaded before."""

import itertools

import numpy as np
import pytest
from data.documents import page, png, save

from lstmjax.charset.failures import EmptyTextError
from lstmjax.data.augmentation import parse_augmentation
from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.order import Shuffled, round_robin
from lstmjax.data.skips import Geometry, SkipReason
from lstmjax.data.store import ImageStore
from lstmjax.data.stream import LineStream, Position, StreamSettings
from lstmjax.errors import CharsetError, DataError

SHAPE = InputShape(20, 0, 1)
START = Position()


class Letters:
    """A character set of lower case letters."""

    def encode(self, text):
        if not text:
            raise EmptyTextError
        if not text.isascii() or not text.islower():
            raise CharsetError(f"cannot encode {text!r}")
        return np.array([ord(c) - 97 for c in text], np.int32)

    def min_timesteps(self, codes):
        return len(codes)


def make_stream(
    paths, *, batch=3, window=4, curriculum=0, seed=0, rotate=False, augment=0, order=round_robin
):
    index = build_index(paths)
    skipped = {}
    stream = LineStream(
        index,
        ImageStore(index, SHAPE, 1 << 20),
        Letters(),
        Geometry(SHAPE, 2, lambda width: width // 2),
        order,
        StreamSettings(batch, window, curriculum, seed, rotate, 6, parse_augmentation(augment)),
        skipped.__setitem__,
        multiple=2,
    )
    return stream, skipped


@pytest.fixture
def documents(tmp_path):
    """Two documents of 11 and 5 lines; three lines cannot be used."""
    first = [page("abc"[: 1 + i % 3], png(60 + 8 * i, 40, i)) for i in range(11)]
    first[2] = page("ABC")
    first[7] = page("")
    second = [page("xyz", png(50 + 5 * i, 40, 90 + i)) for i in range(5)]
    second[1] = page("a" * 50)
    return [save(tmp_path / "a.lstmf", *first), save(tmp_path / "b.lstmf", *second)]


def take(stream, position, count):
    return list(itertools.islice(stream.plans(position), count))


def same(one, two):
    return one.numbers == two.numbers and one.shape == two.shape and one.after == two.after


@pytest.mark.parametrize("order", [round_robin, Shuffled(0)], ids=["in turn", "shuffled"])
@pytest.mark.parametrize("curriculum", [0, 9], ids=["windows", "curriculum"])
def test_a_run_resumed_anywhere_goes_on_with_the_very_next_batch(documents, curriculum, order):
    stream, _ = make_stream(documents, curriculum=curriculum, order=order)
    whole = take(stream, Position(), 14)
    for i, plan in enumerate(whole[:-2]):
        other, _ = make_stream(documents, curriculum=curriculum, order=order)
        again = take(other, plan.after, 2)
        assert all(map(same, again, whole[i + 1 : i + 3]))


def test_windows_visit_usable_lines_in_order_and_unusable_ones_never(documents):
    stream, skipped = make_stream(documents)
    plans = take(stream, Position(), 12)
    samples = [sorted(s for p in plans[i : i + 4] for s in p.samples) for i in (0, 4, 8)]
    flat = [s for window in samples for s in window]
    assert flat == sorted(flat)
    assert not {2, 7, 12} & {n for plan in plans for n in plan.numbers}
    assert {n: skip.reason for n, skip in skipped.items()} == {
        2: SkipReason.UNENCODABLE,
        7: SkipReason.EMPTY_TEXT,
        12: SkipReason.TOO_LONG,
    }


def test_shuffled_epochs_hold_each_usable_line_once(documents):
    stream, skipped = make_stream(documents, order=Shuffled(3))
    assert stream.round == 16
    epochs = {}
    for plan in take(stream, Position(), 40):
        for number, sample in zip(plan.numbers, plan.samples, strict=True):
            epochs.setdefault(sample // 16, []).append(number)
    usable = sorted(set(range(16)) - {2, 7, 12})
    assert len(epochs) >= 8
    for epoch in range(7):  # the last ones are not complete
        assert sorted(epochs[epoch]) == usable
    assert skipped.keys() == {2, 7, 12}


def test_every_window_of_a_sorted_list_holds_lines_of_both_hands(tmp_path):
    paths = [
        save(tmp_path / f"{hand}.lstmf", *(page("a", png(40 + i % 50, 40)) for i in range(100)))
        for hand in "ab"
    ]
    stream, _ = make_stream(paths, batch=5, window=8, order=Shuffled(0))
    plans = take(stream, Position(), 5 * 8 * 5)
    for first in range(0, len(plans), 8):
        hands = [n // 100 for plan in plans[first : first + 8] for n in plan.numbers]
        assert len(hands) == 40
        assert 8 < sum(hands) < 32


def test_skipped_lines_are_counted_before_the_next_usable_one(documents):
    stream, _ = make_stream(documents)
    plans = take(stream, Position(), 4)
    counted = sum(1 + s for plan in plans for s in plan.skipped)
    assert counted == 1 + max(s for plan in plans for s in plan.samples)


def test_lines_of_a_batch_have_similar_widths_and_fit_their_shape(documents):
    stream, _ = make_stream(documents)
    for plan in take(stream, Position(), 8):
        loaded = stream.load(plan)
        assert loaded.batch.images.shape == (20, plan.shape.width, 3, 1)
        assert loaded.batch.widths.max() <= plan.shape.width
        for i, codes in enumerate(plan.codes):
            np.testing.assert_array_equal(loaded.batch.labels[i, : len(codes)], codes)
            assert not loaded.batch.images[:, loaded.batch.widths[i] :, i].any()


def test_curriculum_starts_with_the_narrow_lines(documents):
    stream, _ = make_stream(documents, curriculum=100)
    index = stream.index
    widths = [[index[n].width for n in plan.numbers] for plan in take(stream, Position(), 4)]
    assert widths == sorted(widths)


def test_seed_shuffles_batches_of_a_window(documents):
    orders = set()
    for seed in range(6):
        stream, _ = make_stream(documents, seed=seed)
        orders.add(tuple(plan.numbers for plan in take(stream, Position(), 4)))
    assert len(orders) > 1


def test_broken_image_leaves_its_place_empty(tmp_path):
    broken = png(80, 40)[:60] + b"\0" * 400
    path = save(tmp_path / "a.lstmf", page("a"), page("b", broken), page("c"))
    stream, skipped = make_stream([path], batch=3, window=1)
    loaded = stream.load(take(stream, Position(), 1)[0])
    assert sorted(loaded.batch.weights) == [0, 1, 1]
    assert len(loaded.plan.numbers) == 2
    assert skipped[1].reason is SkipReason.UNDECODABLE
    assert 1 not in take(stream, loaded.plan.after, 1)[0].numbers


def test_rotated_lines_have_their_text_reversed(documents):
    stream, _ = make_stream(documents)
    turned, _ = make_stream(documents, rotate=True)
    found = set()
    for plan in take(stream, Position(), 8):
        plain, other = stream.load(plan), turned.load(plan)
        for i, width in enumerate(plain.batch.widths[: len(plan.numbers)]):
            one, two = plain.batch.images[:, :width, i], other.batch.images[:, :width, i]
            rotated = not np.array_equal(one, two)
            found.add(rotated)
            text = plain.plan.codes[i]
            expected = text[::-1] if rotated else text
            np.testing.assert_array_equal(other.plan.codes[i], expected)
    assert found == {True, False}


def lines_by_sample(stream, at=START, batches=12):
    found = {}
    for plan in take(stream, at, batches):
        batch = stream.load(plan).batch
        for i, sample in enumerate(plan.samples):
            found[sample] = batch.images[:, : batch.widths[i], i]
    return found


def test_augmented_lines_depend_on_seed_and_sample_only(documents):
    stream, _ = make_stream(documents, augment=1)
    found = lines_by_sample(stream)
    third = take(stream, Position(), 3)[-1].after
    for again in (
        lines_by_sample(make_stream(documents, augment=1, batch=4, window=2)[0], batches=8),
        lines_by_sample(make_stream(documents, augment=1)[0], third, batches=4),
    ):
        assert len(again.keys() & found.keys()) > 8
        for sample in again.keys() & found.keys():
            np.testing.assert_array_equal(again[sample], found[sample])
    other = lines_by_sample(make_stream(documents, augment=1, seed=1)[0])
    plain = lines_by_sample(make_stream(documents)[0])
    for sample, line in found.items():
        assert line.shape == plain[sample].shape
        assert (line != plain[sample]).any()
        assert (line != other.get(sample, plain[sample])).any()


def test_a_line_is_augmented_anew_in_each_epoch(documents):
    stream, _ = make_stream(documents, augment=1)
    plans = take(stream, Position(), 12)
    seen = {}
    for plan in plans:
        batch = stream.load(plan).batch
        for i, number in enumerate(plan.numbers):
            seen.setdefault(number, []).append(batch.images[:, : batch.widths[i], i].tobytes())
    assert all(len(set(lines)) == len(lines) for lines in seen.values())
    assert max(map(len, seen.values())) > 1


def test_nothing_usable_ends_with_a_message(tmp_path):
    path = save(tmp_path / "a.lstmf", page("ABC"), page("DEF"))
    with pytest.raises(DataError, match="none of the 2 lines"):
        make_stream([path])


def test_prefetched_batches_come_in_order_and_errors_come_through(documents, monkeypatch):
    stream, _ = make_stream(documents)
    expected = take(stream, Position(), 5)
    with stream.batches(Position()) as batches:
        got = [next(batches).plan for _ in range(5)]
    assert all(map(same, got, expected))

    def fail(plan):
        raise DataError("gone")

    monkeypatch.setattr(stream, "load", fail)
    with stream.batches(Position()) as batches, pytest.raises(DataError, match="gone"):
        next(batches)
