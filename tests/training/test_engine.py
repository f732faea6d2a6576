"""Which arithmetic a configuration asks for, and what a machine has."""

import pytest

from lstmjax.errors import UsageError
from lstmjax.kernels import jax_calls
from lstmjax.nn.numerics import FAST, FAST_BFLOAT16, TESSERACT
from lstmjax.training.config import TrainConfig, tesseract_config
from lstmjax.training.engine import numerics_of


@pytest.mark.parametrize("has_pairs", [False, True], ids=["without", "with"])
def test_precision_is_what_the_machine_has(has_pairs, monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: has_pairs)
    assert numerics_of(TrainConfig()) == (FAST_BFLOAT16 if has_pairs else FAST)
    assert numerics_of(TrainConfig(precision="float32")) == FAST
    assert numerics_of(tesseract_config()) == TESSERACT


def test_bfloat16_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(jax_calls, "has_pairs", lambda: False)
    with pytest.raises(UsageError, match="avx512_bf16"):
        numerics_of(TrainConfig(precision="bfloat16"))
