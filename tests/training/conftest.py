"""Training goes through optax, whose Adam mixes integers and floats."""

import jax
import pytest


@pytest.fixture(autouse=True)
def optax_may_promote():
    with jax.numpy_dtype_promotion("standard"):
        yield
