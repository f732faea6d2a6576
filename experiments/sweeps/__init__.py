"""Sweeps over settings of training: what `experiments/sweep.py` is made of."""
