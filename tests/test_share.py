"""What several devices share is what one computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmjax.devices import LINES, share


def scaled_sums(factors, images, widths):
    """For each line its scaled pixels [T, B] and their sum, and the total of the widths."""
    scaled = images * factors["scale"]
    return (scaled, scaled.sum(0)), jax.lax.psum(widths.sum(), LINES)


@pytest.fixture
def devices():
    found = jax.local_devices()[:2]
    if len(found) < 2:
        pytest.skip("one device")
    return found


def test_lines_are_shared_along_their_axes(devices):
    factors = {"scale": jnp.float32(3), "more": jnp.zeros(5)}
    images, widths = np.arange(12, dtype=np.float32).reshape(3, 4), np.arange(4, dtype=np.int32)
    shared = share(scaled_sums, devices, in_axes=(None, 1, 0), out_axes=((1, 0), None))
    (scaled, sums), total = jax.jit(shared)(factors, images, widths)
    np.testing.assert_array_equal(scaled, images * 3)
    np.testing.assert_array_equal(sums, (images * 3).sum(0))
    assert int(total) == 6


def test_one_device_shares_with_nobody():
    assert share(scaled_sums, jax.local_devices()[:1], (None, 1, 0), ((1, 0), None)) is scaled_sums
