"""Recipe fast: batches, exact gradients, optax."""
