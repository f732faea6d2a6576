"""The interface of a recipe: everything that the two ways of training do differently.

`training.fast` and `training.tesseract` implement it; the rest of this package is shared.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from lstmjax.array_types import Params
from lstmjax.errors import LstmjaxError
from lstmjax.formats.nodes import NetworkNode
from lstmjax.netspec.tree import Series
from lstmjax.training.config import OrderName, TrainConfig
from lstmjax.training.identity import Identity
from lstmjax.training.initial import zero_weights
from lstmjax.training.progress import Progress
from lstmjax.training.request import Request
from lstmjax.training.restore import Restored
from lstmjax.training.run_parts import Run, Start
from lstmjax.training.state import TrainState
from lstmjax.training.transfer import Record


@dataclass(frozen=True)
class StoredSettings:
    """Settings that a model or an earlier run holds; None for those it does not.

    Attributes:
      is_own: whether it is an earlier state of this very run.
      learning_rate: rate of the output layer, or of all layers.
      momentum: decay of the first moment.
      adam_beta: decay of the second moment.
      net_mode: network flags.
      perfect_sample_delay: lines to wait before a line without error counts again.
      augment: how much lines are degraded.
    """

    is_own: bool
    learning_rate: float
    momentum: float | None = None
    adam_beta: float | None = None
    net_mode: int | None = None
    perfect_sample_delay: int | None = None
    augment: float | str | None = None


class Recipe(ABC):
    """A way of training.

    Attributes:
      takes_traineddata: whether a run may continue from a whole traineddata.
      in_grey: whether images of two values are scaled in grey, as the tesseract program will.
      evaluation_stores: how many stores keep the images of the evaluation lines.
      keeps_first_rate: whether a run keeps the learning rate it began with, whatever is asked.
    """

    takes_traineddata: ClassVar[bool]
    in_grey: ClassVar[bool]
    evaluation_stores: ClassVar[int]
    keeps_first_rate: ClassVar[bool]

    @abstractmethod
    def check(self, request: Request, config: TrainConfig, named: Callable[[str], str]) -> None:
        """Refuse what this recipe cannot honour; see `check.check`."""

    @abstractmethod
    def settle(
        self, config: TrainConfig, request: Request, stored: StoredSettings | None
    ) -> TrainConfig:
        """The settings that hold: those asked for, or those of what the run goes on from.

        Called once, before anything is built; nothing changes them afterwards.

        Args:
          config: settings asked for.
          request: files asked for; `given` names the settings that the user gave.
          stored: settings of what the run goes on from; None for a new network.
        """

    @abstractmethod
    def order(self, config: TrainConfig) -> OrderName:
        """How lines follow each other, see `data.order`."""

    @abstractmethod
    def failure(self, err: LstmjaxError, sentence: str) -> LstmjaxError:
        """The error to raise where the original ends its message with a sentence of its own."""

    @abstractmethod
    def reset_rates(self, record: Record, rate: float) -> Record:
        """A model whose learning rates are forgotten, as far as that is done in the record."""

    @abstractmethod
    def headers(self, headers: NetworkNode, config: TrainConfig, *, is_own: bool) -> NetworkNode:
        """Flags and frozen layers that hold, given those of a stored network.

        Args:
          headers: flags and frozen layers as stored.
          config: settings that hold.
          is_own: whether they are of an earlier state of this very run.
        """

    def empty_state(self, root: Series, config: TrainConfig) -> TrainState[Any]:
        """A state of zeros with the structure that a run of this network has."""
        return self.new_state(zero_weights(root), config)

    @abstractmethod
    def new_state(self, params: Params, config: TrainConfig) -> TrainState[Any]:
        """The state before the first update of a new network."""

    @abstractmethod
    def restored_state(
        self, restored: Restored, identity: Identity, config: TrainConfig, *, fresh: bool
    ) -> TrainState[Any]:
        """The state that goes on from Tesseract's checkpoint or model file.

        Args:
          restored: content of the file.
          identity: network of the run.
          config: settings that hold.
          fresh: whether layers were appended.
        """

    @abstractmethod
    def resumed_state(self, state: TrainState[Any], identity: Identity) -> TrainState[Any]:
        """The state that goes on from a native checkpoint."""

    @abstractmethod
    def first_progress(self, restored: Restored) -> Progress:
        """The counters of a run that begins with another model."""

    @abstractmethod
    def train(self, run: Run, start: Start) -> Progress:
        """Train until the target error, the last iteration, or a signal.

        Raises:
          InterruptedRun: a signal came; everything is saved.
          TrainError, DataError: there is no way on.
        """
