"""The parts of a run that stay the same while it goes on, put together once."""

from dataclasses import dataclass
from typing import Any

from lstmjax.charset.codec import Codec
from lstmjax.data.stream import LineStream
from lstmjax.devices import Device
from lstmjax.infer.decode import LineDecoder
from lstmjax.run_paths import RunPaths
from lstmjax.training.config import TrainConfig
from lstmjax.training.identity import Identity
from lstmjax.training.native import NativeStore, Snapshot
from lstmjax.training.output import Output
from lstmjax.training.validate import Validator
from lstmjax.training.watch import Watcher

MAX_BAD_UPDATES = 20  # in a row, before a run goes back to its best


def left_out_text(iteration: int) -> str:
    """The log line about an update that would have spoilt the weights."""
    return f"Iteration {iteration}: update left out, its numbers are infinite or undefined"


@dataclass(frozen=True, eq=False)
class Start:
    """A network with its state, ready to train.

    Attributes:
      identity: network, net_spec and null.
      config: settings that hold.
      snapshot: state, progress and best trainer.
      outputs_remapped: whether the outputs were just exchanged for those of another character set.
    """

    identity: Identity
    config: TrainConfig
    snapshot: Snapshot
    outputs_remapped: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What stays the same while a run goes on.

    Attributes:
      config: all settings, as they hold.
      identity: network, net_spec and null.
      codec: character set of the network.
      end: training iteration to stop at; None for never.
      paths: names of the files it writes.
      stream: training lines.
      reader: decoder of the network's outputs.
      validator: evaluation lines; None without.
      native: store of native checkpoints.
      output: log, display, metrics.
      devices: devices that compute the updates.
      fingerprint: settings that a resumed run must share, stored in native checkpoints.
      watcher: object that is notified of progress; None for nobody.
    """

    config: TrainConfig
    identity: Identity
    codec: Codec
    end: int | None
    paths: RunPaths
    stream: LineStream
    reader: LineDecoder
    validator: Validator | None
    native: NativeStore
    output: Output
    devices: tuple[Device, ...]
    fingerprint: dict[str, Any]
    watcher: Watcher | None = None
