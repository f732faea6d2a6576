from dataclasses import replace

import numpy as np
import pytest
from formats.format_samples import recognizer, record

from lstmjax.errors import FormatError
from lstmjax.formats import checkpoint, lstm
from lstmjax.formats.checkpoint import FULL, LIGHT, NO_BEST, TrainerRecord

LIGHT_DUMP = checkpoint.pack(record(LIGHT))
BEST_DUMP = checkpoint.pack(record(NO_BEST))


@pytest.mark.parametrize(
    "trainer",
    [
        record(LIGHT),
        record(NO_BEST, sub_trainer=LIGHT_DUMP, best_model_data=lstm.pack(recognizer())),
        record(FULL, best_trainer=BEST_DUMP, worst_model_data=b"w"),
    ],
    ids=["light", "no-best", "full"],
)
def test_round_trip(trainer):
    data = checkpoint.pack(trainer)
    again = checkpoint.unpack(data)
    assert isinstance(again, TrainerRecord)
    assert checkpoint.pack(again) == data
    assert again.error_rates[checkpoint.CHAR] == 3.25
    np.testing.assert_array_equal(again.error_buffers, trainer.error_buffers)
    for name in ("best_trainer", "sub_trainer", "best_model_data", "worst_model_data"):
        assert getattr(again, name) == getattr(trainer, name)


def test_sizes_are_those_of_the_real_tool():
    start = len(lstm.pack(recognizer()))
    assert len(LIGHT_DUMP) - start == 40081
    assert len(BEST_DUMP) - start == 40213 + 2 * 12
    assert len(checkpoint.pack(record(FULL))) - start == 40217 + 2 * 12


def test_a_plain_recognizer_is_recognised(tmp_path):
    model = recognizer()
    lstm.save(model, tmp_path / "x.lstm")
    again = checkpoint.load(tmp_path / "x.lstm")
    assert isinstance(again, lstm.Recognizer)
    assert lstm.pack(again) == lstm.pack(model)


def test_files(tmp_path):
    checkpoint.save(record(), tmp_path / "x_checkpoint")
    assert isinstance(checkpoint.load(tmp_path / "x_checkpoint"), TrainerRecord)
    (tmp_path / "bad").write_bytes(LIGHT_DUMP[:-1])
    with pytest.raises(FormatError, match="bad: byte 0x"):
        checkpoint.load(tmp_path / "bad")


NAN_RATES = (0.0, 0.0, float("nan"), 0.0, 0.0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (checkpoint.pack(record(3)), "dump of amount 3, expected at most 2"),
        (checkpoint.pack(record(learning_iteration=11)), "iterations 11 learning, 10 training"),
        (checkpoint.pack(record(learning_iteration=-1)), "iterations -1 learning"),
        (checkpoint.pack(record(training_stage=2)), "training stage 2"),
        (checkpoint.pack(record(error_rates=NAN_RATES)), "an error rate is infinite"),
        (checkpoint.pack(record(best_error_rate=float("inf"))), "an error rate is infinite"),
        (
            checkpoint.pack(record(best_error_history=np.zeros(3))),
            "3 best error rates but 2 iterations",
        ),
        (
            checkpoint.pack(record(error_buffers=np.zeros((5, 999)))),
            "error buffer of 999 entries, expected 1000",
        ),
        (LIGHT_DUMP + b"x", "1 unexpected bytes after the end of the checkpoint"),
        (BEST_DUMP[:-10], "truncated|remain"),
    ],
    ids=[
        "amount",
        "order",
        "negative",
        "stage",
        "nan",
        "inf",
        "history",
        "buffer",
        "trailing",
        "truncated",
    ],
)
def test_damaged_checkpoints_are_refused(data, problem):
    with pytest.raises(FormatError, match=problem):
        checkpoint.unpack(data)


def test_nested_dumps_must_be_smaller():
    full = checkpoint.pack(record(FULL))
    with pytest.raises(FormatError, match="dump of amount 2, expected at most 1"):
        checkpoint.unpack(full, at_most=NO_BEST)
    with pytest.raises(FormatError, match="dump of amount 1, expected at most 0"):
        checkpoint.unpack(BEST_DUMP, at_most=LIGHT)
    assert checkpoint.unpack(LIGHT_DUMP, at_most=LIGHT)


def test_every_scalar_has_its_own_place():
    names = [
        "prev_sample_iteration", "perfect_delay", "last_perfect_training_iteration",
        "best_iteration", "worst_iteration", "stall_iteration", "improvement_steps",
    ]  # fmt: skip
    trainer = replace(record(), **{name: 1000 + i for i, name in enumerate(names)})
    again = checkpoint.unpack(checkpoint.pack(trainer))
    assert [getattr(again, name) for name in names] == list(range(1000, 1007))
