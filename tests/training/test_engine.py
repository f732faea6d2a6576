"""Which arithmetic a configuration asks for, and what a machine has."""

import pytest

from lstmjax.errors import UsageError
from lstmjax.kernels import jax_calls
from lstmjax.training.config import TrainConfig, tesseract_config
from lstmjax.training.engine import uses_bfloat16


@pytest.mark.parametrize("has_pairs", [False, True], ids=["without", "with"])
def test_precision_is_what_the_machine_has(has_pairs, monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: has_pairs)
    assert uses_bfloat16(TrainConfig()) is has_pairs
    assert not uses_bfloat16(TrainConfig(precision="float32"))
    assert not uses_bfloat16(tesseract_config())


def test_bfloat16_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: False)
    with pytest.raises(UsageError, match="avx512_bf16"):
        uses_bfloat16(TrainConfig(precision="bfloat16"))
