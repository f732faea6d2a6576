"""Every setting of a training run, as one frozen value.

`make_config` gives the defaults of a recipe. What a file that a run goes on from changes about
them is decided once, by `RecipeName.settle`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import optax

RecipeName = Literal["fast", "tesseract"]
Precision = Literal["auto", "float32", "bfloat16"]
OrderName = Literal["shuffled", "round robin", "sequential"]

LAYER_SPECIFIC_RATES = 64  # bits of --net_mode
ADAM = 128
MUON_BATCH = 4  # fewer lines would not make up for longer updates, see docs/performance.md
NEW_NETWORK_RATE = 4e-3  # best, or nearly, for batches of 8 and of 16: docs/performance.md


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run; the defaults are those of recipe fast.

    Attributes:
      recipe: way of training, see `training.recipe`.
      net_mode: bit 64 per-layer learning rates, bit 128 Adam instead of momentum.
      learning_rate: peak rate of an update; `rate_of_new` for a new network.
      momentum: decay of the first moment.
      adam_beta: decay of the second moment.
      adam_epsilon: number added to the root of the second moment.
      muon: whether Adam's steps of weight matrices are orthogonalised; None: for batches of at
        least `MUON_BATCH` lines, whose update takes much longer than that.
      weight_range: bound of initial weights, which are uniform below it; None: the layers' own
        initialisation.
      batch: lines per update.
      warmup_lines: lines over which the learning rate rises linearly.
      decay_fraction: last part of max_iterations over which the rate falls to `final_rate`.
      final_rate: rate at the end, as a fraction of learning_rate.
      border_noise: whether convolutions see random numbers outside the picture, as in Tesseract.
      clip_norm: bound on the norm of the whole gradient; None: no bound.
      window_batches: number of batches whose lines are grouped by width; with fewer, more of each
        batch is padding.
      curriculum_lines: lines of the first window, which are taken from narrow to wide.
      seed: seed of initial weights and of the order of lines and batches.
      target_error_rate: best training BCER, in percent, at which the run stops.
      max_iterations: lines at which the run stops; 0: never; -n: n times the files of the list.
      perfect_sample_delay: lines since the last error-free one before another is trained on.
      sequential: whether the files are taken one after the other, instead of all lines shuffled
        (recipe fast) or the files in turn (recipe tesseract).
      max_image_mb: bound on the memory of cached images, in units of 2^20 bytes.
      randomly_rotate: whether half of the images are turned by 180 degrees.
      eval_interval: lines between evaluations; 0: chosen from the size of the evaluation data.
      checkpoint_seconds: shortest time between checkpoints, which are written at reports.
      keep_checkpoints: number of native checkpoints that are kept.
      report_interval: lines between reports.
      augment: strength of the degradation that lines get anew each time: 0 none, 1 usual; or by
        kind, such as "noise=1,slope=0.5", see `data.augmentation`.
      precision: type of the factors in products of LSTMs (recipe fast), whose sums are float32 in
        any case; auto: bfloat16 where the processor multiplies such numbers.
      devices: number of devices that share each batch; 0: all, a core of the CPU being one.
      debug_interval: 0: none; else texts about every line, with n > 0 more about every n-th.
      optimizer: transformation in the place of Adam or momentum (recipe fast), for example
        `optax.scale_by_lion()`; clipping of the gradient before it and the learning rate after it
        stay.
    """

    recipe: RecipeName = "fast"
    net_mode: int = LAYER_SPECIFIC_RATES | ADAM
    learning_rate: float = 1e-3
    momentum: float = 0.9
    adam_beta: float = 0.999
    adam_epsilon: float = 1e-8
    muon: bool | None = None
    weight_range: float | None = None
    batch: int = 16
    warmup_lines: int = 200
    decay_fraction: float = 0.4
    final_rate: float = 0.05
    border_noise: bool = True
    clip_norm: float | None = 1.0
    window_batches: int = 20
    curriculum_lines: int = 0
    seed: int = 0
    target_error_rate: float = 0.01
    max_iterations: int = 0
    perfect_sample_delay: int = 0
    sequential: bool = False
    max_image_mb: int = 6000
    randomly_rotate: bool = False
    eval_interval: int = 0
    checkpoint_seconds: float = 15.0
    keep_checkpoints: int = 3
    report_interval: int = 100
    augment: float | str = 0.0
    precision: Precision = "auto"
    devices: int = 0
    debug_interval: int = 0
    optimizer: "optax.GradientTransformation | None" = None

    @property
    def adam(self) -> bool:
        """Whether updates are Adam's."""
        return bool(self.net_mode & ADAM)

    @property
    def orthogonalised(self) -> bool:
        """Whether the steps of weight matrices are orthogonal ones; not with an own optimiser."""
        wanted = self.batch >= MUON_BATCH if self.muon is None else self.muon
        return self.adam and wanted and self.optimizer is None

    @property
    def rate_of_new(self) -> float:
        """The learning rate that suits new networks, where the user has no other."""
        return NEW_NETWORK_RATE if self.orthogonalised else self.learning_rate


_DEFAULTS: dict[RecipeName, dict[str, Any]] = {
    "fast": {},
    "tesseract": {
        "momentum": 0.5,
        "muon": False,
        "weight_range": 0.1,
        "batch": 1,
        "window_batches": 1,
        "warmup_lines": 0,
        "decay_fraction": 0.0,
        "border_noise": False,
        "clip_norm": None,
        "checkpoint_seconds": 0.0,
    },
}
"""Where the defaults of a recipe differ from those of the fields."""


def make_config(recipe: RecipeName, **changes: Any) -> TrainConfig:
    """The settings of a recipe; see `TrainConfig` for the fields to change."""
    return TrainConfig(recipe, **(_DEFAULTS[recipe] | changes))


def tesseract_config(**changes: Any) -> TrainConfig:
    """The settings of `lstmtraining`; see `TrainConfig` for the fields to change."""
    return make_config("tesseract", **changes)


def learning_rate_at(config: TrainConfig, iteration: int, *, end: int | None) -> float:
    """The rate of the update that starts at a training iteration.

    Args:
      config: settings of the run.
      iteration: lines already trained on.
      end: the last iteration of the run, None if it has none (then the rate does not fall).
    """
    rate = config.learning_rate
    # By lines, not updates, so that the schedule means the same for every batch.
    if config.warmup_lines:
        rate *= min(1.0, (iteration + config.batch) / config.warmup_lines)
    if end and config.decay_fraction > 0:
        start = end * (1 - config.decay_fraction)
        if iteration > start:
            gone = min(1.0, (iteration - start) / max(end - start, 1))
            rate *= 1 - (1 - config.final_rate) * gone
    return rate
