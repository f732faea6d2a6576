"""Which arithmetic a configuration asks for, and what a machine has."""

import pytest

from lstmjax.errors import UsageError
from lstmjax.kernels import jax_calls
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.update import uses_bfloat16
from lstmjax.training.request import Request
from lstmjax.training.run import check_request


@pytest.mark.parametrize("has_pairs", [False, True], ids=["without", "with"])
def test_precision_is_what_the_machine_has(has_pairs, monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: has_pairs)
    assert uses_bfloat16(TrainConfig()) is has_pairs
    assert uses_bfloat16(TrainConfig(precision="bfloat16")) is has_pairs
    assert not uses_bfloat16(TrainConfig(precision="float32"))


def test_bfloat16_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: False)
    with pytest.raises(UsageError, match="avx512_bf16"):
        check_request(Request("t", "m", "l"), TrainConfig(precision="bfloat16"))
