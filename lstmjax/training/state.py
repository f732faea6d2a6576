"""The values that an update changes, in terms that both recipes and Tesseract's files share."""

from typing import Generic, NamedTuple, TypeVar

from lstmjax.array_types import Params

OptState = TypeVar("OptState")


class TrainState(NamedTuple, Generic[OptState]):
    """What an update changes.

    params: the weights.
    opt_state: state of the optimiser: an optax state in recipe fast, `Moments` in tesseract.
    """

    params: Params
    opt_state: OptState


class Moments(NamedTuple):
    """The update history as Tesseract keeps it, and the learning rate of each leaf.

    updates: the last step before division (Adam) or the velocity (momentum), as in files.
    squares: running mean of squared gradients.
    rates: learning rate of each leaf's layer, a scalar.
    """

    updates: Params
    squares: Params
    rates: Params
