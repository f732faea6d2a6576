"""Sweeps over settings of training: the parts of `experiments/sweep.py`."""
