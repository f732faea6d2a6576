"""Recipe tesseract: a line at a time, bit for bit as `lstmtraining`."""

from collections.abc import Callable
from dataclasses import replace

import jax

from lstmjax.array_types import Params
from lstmjax.errors import LstmjaxError, TrainError
from lstmjax.formats.nodes import NetworkNode
from lstmjax.nn.surgery import with_rate
from lstmjax.training.config import OrderName, TrainConfig
from lstmjax.training.identity import Identity
from lstmjax.training.progress import Progress
from lstmjax.training.recipe import Recipe, StoredSettings
from lstmjax.training.request import Request
from lstmjax.training.restore import Restored
from lstmjax.training.run_parts import Run, Start
from lstmjax.training.state import Moments, TrainState
from lstmjax.training.tesseract.check import check_settings
from lstmjax.training.tesseract.loop import train_as_original
from lstmjax.training.tesseract.step import init_moments
from lstmjax.training.transfer import Record, recognizer_in, with_recognizer


class TesseractRecipe(Recipe):
    """Training as the original does it; see `Recipe`."""

    takes_traineddata = False
    in_grey = False
    evaluation_stores = 2
    keeps_first_rate = True

    def check(self, request: Request, config: TrainConfig, named: Callable[[str], str]) -> None:
        """Refuse what the original does not have."""
        del request
        check_settings(config, named)

    def settle(
        self, config: TrainConfig, request: Request, stored: StoredSettings | None
    ) -> TrainConfig:
        """As in the original, the settings of a file win over those asked for."""
        del request
        if stored is None:
            return config
        settings = {
            "momentum": stored.momentum,
            "adam_beta": stored.adam_beta,
            "net_mode": stored.net_mode,
            "perfect_sample_delay": stored.perfect_sample_delay,
        }
        known = {name: value for name, value in settings.items() if value is not None}
        return replace(config, learning_rate=stored.learning_rate, **known)

    def order(self, config: TrainConfig) -> OrderName:
        """The files in turn, or one after the other."""
        return "sequential" if config.sequential else "round robin"

    def failure(self, err: LstmjaxError, sentence: str) -> LstmjaxError:
        """The error, with the original's sentence in a line of its own."""
        return TrainError(f"{err}\n{sentence}")

    def reset_rates(self, record: Record, rate: float) -> Record:
        """The model with one learning rate for all layers."""
        network = with_rate(recognizer_in(record).network, rate)
        return with_recognizer(record, network=network, learning_rate=rate)

    def headers(self, headers: NetworkNode, config: TrainConfig, *, is_own: bool) -> NetworkNode:
        """Flags and frozen layers as stored."""
        del config, is_own
        return headers

    def new_state(self, params: Params, config: TrainConfig) -> TrainState[Moments]:
        """No history yet, and one learning rate for all layers."""
        return TrainState(params, init_moments(params, config.learning_rate))

    def restored_state(
        self, restored: Restored, identity: Identity, config: TrainConfig, *, fresh: bool
    ) -> TrainState[Moments]:
        """Weights, history and rates as stored."""
        del identity, config, fresh
        return TrainState(restored.params, jax.device_get(restored.moments))

    def resumed_state(self, state: TrainState[Moments], identity: Identity) -> TrainState[Moments]:
        """The state itself: momentum of frozen layers rolls on as in the original."""
        del identity
        return state

    def first_progress(self, restored: Restored) -> Progress:
        """The original forgets all counters, but not the stage."""
        return Progress(stage=restored.progress.stage)

    def train(self, run: Run, start: Start) -> Progress:
        """Run the loop of `lstmtraining`."""
        return train_as_original(run, start)
