"""Recipe fast: batches, exact gradients, an optimiser of optax."""

from collections.abc import Callable
from dataclasses import replace

import jax
import optax

from lstmjax.array_types import Params
from lstmjax.errors import LstmjaxError, UsageError
from lstmjax.formats.nodes import NetworkNode
from lstmjax.kernels import jax_calls
from lstmjax.nn.headers import freeze_below, with_flags
from lstmjax.training.config import OrderName, TrainConfig
from lstmjax.training.fast.history import put_history, rescaled, zero_frozen_moments
from lstmjax.training.fast.loop import train_fast
from lstmjax.training.fast.optim import check_direction, make_optimizer
from lstmjax.training.identity import Identity
from lstmjax.training.progress import Progress
from lstmjax.training.recipe import Recipe, StoredSettings
from lstmjax.training.request import Request
from lstmjax.training.restore import Restored
from lstmjax.training.run_parts import Run, Start
from lstmjax.training.state import TrainState
from lstmjax.training.transfer import Record


class FastRecipe(Recipe):
    """Training of our own; see `Recipe`."""

    takes_traineddata = True
    in_grey = True
    evaluation_stores = 1
    keeps_first_rate = False

    def check(self, request: Request, config: TrainConfig, named: Callable[[str], str]) -> None:
        """Refuse arithmetic that the machine does not have."""
        del request
        if config.precision == "bfloat16" and not jax_calls.has_pairs():
            raise UsageError(
                f"{named('precision')}=bfloat16: this machine computes on something else than a "
                f"CPU with avx512_bf16; leave it out, or take {named('precision')}=float32"
            )

    def settle(
        self, config: TrainConfig, request: Request, stored: StoredSettings | None
    ) -> TrainConfig:
        """What the user gave wins; else learning rate and augmentation of a file hold."""
        given = request.given
        if stored is None:
            rate = config.learning_rate if "learning_rate" in given else config.rate_of_new
            return replace(config, learning_rate=rate)
        # A model that is not this run's may forget its rate; a run that goes on never does.
        forgotten = not stored.is_own and (request.reset_learning_rate or request.appends)
        own_rate = forgotten or "learning_rate" in given
        own_augment = stored.augment is None or "augment" in given
        return replace(
            config,
            learning_rate=config.learning_rate if own_rate else stored.learning_rate,
            augment=config.augment if own_augment else stored.augment,
        )

    def order(self, config: TrainConfig) -> OrderName:
        """A new permutation of all lines for each epoch, or the files one after the other."""
        return "sequential" if config.sequential else "shuffled"

    def failure(self, err: LstmjaxError, sentence: str) -> LstmjaxError:
        """The error itself."""
        del sentence
        return err

    def reset_rates(self, record: Record, rate: float) -> Record:
        """The model itself: `settle` forgets its rate, and `restored_state` those of layers."""
        del rate
        return record

    def headers(self, headers: NetworkNode, config: TrainConfig, *, is_own: bool) -> NetworkNode:
        """Flags of the settings; all layers of another model learn."""
        headers = with_flags(headers, config.net_mode)
        return headers if is_own else freeze_below(headers, 0)

    def new_state(self, params: Params, config: TrainConfig) -> TrainState[optax.OptState]:
        """The optimiser's initial state.

        Raises: UsageError: the user's own optimiser goes uphill, see `optim.check_direction`.
        """
        if config.optimizer is not None:
            check_direction(config.optimizer, params)
        return TrainState(params, jax.device_get(make_optimizer(config).init(params)))

    def restored_state(
        self, restored: Restored, identity: Identity, config: TrainConfig, *, fresh: bool
    ) -> TrainState[optax.OptState]:
        """Weights as stored, with their history unless layers were appended."""
        opt_state = self.new_state(restored.params, config).opt_state
        if not fresh:
            history = rescaled(restored, config.learning_rate)
            opt_state = put_history(history, opt_state, config.batch)
        state = TrainState(restored.params, opt_state)
        return jax.device_get(self.resumed_state(state, identity))

    def resumed_state(
        self, state: TrainState[optax.OptState], identity: Identity
    ) -> TrainState[optax.OptState]:
        """The state without momentum in frozen layers."""
        frozen = identity.frozen(state.params)
        return state._replace(opt_state=zero_frozen_moments(state.opt_state, frozen))

    def first_progress(self, restored: Restored) -> Progress:
        """All counters begin anew."""
        del restored
        return Progress()

    def train(self, run: Run, start: Start) -> Progress:
        """Run the loop of recipe fast."""
        return train_fast(run, start)
