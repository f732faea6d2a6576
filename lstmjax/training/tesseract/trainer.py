"""A trainer of recipe tesseract as a value, and how it learns from the next line.

A run has up to two of them: the one that goes on, and a sub-trainer that starts from its best.
Source: Tesseract src/training/unicharset/lstmtrainer.cpp, TrainOnLine, PrepareForBackward.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import jax
import numpy as np

from lstmjax.ctc.error_rates import bcer, bwer
from lstmjax.data.stream import Position
from lstmjax.errors import DataError, FormatError, Say
from lstmjax.formats import checkpoint, lstm
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.infer.decode import LineDecoder
from lstmjax.infer.forward import certainty
from lstmjax.infer.preparing import TRAINING_INVERT_BELOW
from lstmjax.nn.headers import output_leaves
from lstmjax.training.config import LAYER_SPECIFIC_RATES, TrainConfig
from lstmjax.training.debug_text import Reading, debug_lines, mean_line
from lstmjax.training.identity import Identity
from lstmjax.training.progress import LineResult, Progress
from lstmjax.training.restore import restore
from lstmjax.training.run_parts import left_out_text
from lstmjax.training.save import recognizer_of, trainer_record
from lstmjax.training.state import Moments, TrainState
from lstmjax.training.tesseract.lines import Page, PageSource, Refusal, no_targets_texts
from lstmjax.training.tesseract.step import ExactStep, Judged, Outputs

Watch = Callable[["Trainer", Page, Outputs, Judged], None]
_FAILED = LineResult(1.0, 1.0, 1.0, 1.0, 0)


@dataclass(frozen=True, eq=False)
class Trainer:
    """The state of a trainer.

    Attributes:
      state: weights and `Moments`, with the learning rate of every layer.
      progress: counters and error rates, best and worst.
      best_model: dump of the network at the last best, kept until it is evaluated; or empty.
      worst_model: dump of the network at the last worst, kept until it is evaluated; or empty.
      sub: the sub-trainer, if one runs.
      bad_updates: updates left out in a row, because numbers were infinite or undefined.
    """

    state: TrainState[Moments]
    progress: Progress
    best_model: bytes = b""
    worst_model: bytes = b""
    sub: "Trainer | None" = None
    bad_updates: int = 0

    @property
    def moments(self) -> Moments:
        """The update history."""
        return self.state.opt_state

    def with_rates(self, rates) -> "Trainer":
        """The same with other learning rates, one for each leaf of the weights."""
        moments = self.moments._replace(rates=rates)
        return replace(self, state=TrainState(self.state.params, moments))


@dataclass(frozen=True)
class CheckpointCodec:
    """Trainers <-> Tesseract's dumps of them."""

    identity: Identity
    config: TrainConfig

    @property
    def layer_rates(self) -> bool:
        """Whether every layer has its own learning rate."""
        return bool(self.config.net_mode & LAYER_SPECIFIC_RATES)

    def full(self, trainer: Trainer, best_trainer: bytes) -> bytes:
        """A checkpoint."""
        return checkpoint.pack(self._record(trainer, best_trainer))

    def no_best(self, trainer: Trainer) -> bytes:
        """What a best trainer is kept as, and the file of a best model."""
        return checkpoint.pack(self._record(trainer, None))

    def model(self, trainer: Trainer) -> bytes:
        """The network alone, for evaluation."""
        recognizer = recognizer_of(
            self.identity,
            trainer.state,
            trainer.progress,
            self.config,
            training=False,
            learning_rate=self._shared_rate(trainer),
        )
        return lstm.pack(recognizer)

    def trainer(self, data: bytes) -> Trainer:
        """Read a dump.

        Raises: FormatError: damaged.
        """
        record = checkpoint.unpack(data)
        if not isinstance(record, TrainerRecord):
            raise FormatError("a model without training state, expected the dump of a trainer")
        restored = restore(record)
        sub = self.trainer(record.sub_trainer) if record.sub_trainer else None
        return Trainer(
            TrainState(restored.params, restored.moments),
            restored.progress,
            record.best_model_data,
            record.worst_model_data,
            sub,
        )

    def _record(self, trainer: Trainer, best_trainer: bytes | None) -> TrainerRecord:
        record = trainer_record(
            self.identity,
            trainer.state,
            trainer.progress,
            self.config,
            best_trainer=best_trainer,
            learning_rate=self._shared_rate(trainer),
        )
        return replace(
            record,
            best_model_data=trainer.best_model,
            worst_model_data=trainer.worst_model,
            sub_trainer=b"" if trainer.sub is None else self._light(trainer.sub),
        )

    def _light(self, trainer: Trainer) -> bytes:
        record = self._record(replace(trainer, sub=None), None)
        return checkpoint.pack(replace(record, amount=checkpoint.LIGHT))

    def _shared_rate(self, trainer: Trainer) -> float | None:
        """The one learning rate of all layers; None if each has its own."""
        if self.layer_rates:
            return None
        return float(jax.tree.leaves(output_leaves(trainer.moments.rates))[0])


@dataclass(frozen=True)
class LineTrainer:
    """Teaches trainers a line at a time; it holds none of their state.

    Attributes:
      config: settings of the run.
      source: training lines by place.
      step: forward pass, targets, gradients and update.
      reader: decoder of the network's outputs.
      say: prints a line of the log.
      watch: function that is shown every line of the main trainer before its update, or None.
    """

    config: TrainConfig
    source: PageSource
    step: ExactStep
    reader: LineDecoder
    say: Say
    watch: "Watch | None" = None

    def next_line(self, trainer: Trainer, *, main: bool = True) -> Trainer:
        """Learn from the next usable line.

        Args:
          trainer: used up.
          main: the trainer of the run; others neither turn lines nor print texts about each.
        Raises: DataError: a whole round of the data has no usable line.
        """
        progress = trainer.progress
        for skipped in range(2 * self.source.round + 1):
            # Unusable lines count, since serials seed the random numbers, too.
            serial = progress.sample_iteration + skipped
            page = self.source.visit(serial, rotate=main)
            if isinstance(page, Refusal):
                self.tell(page.texts)
                continue
            outputs = self.forward(trainer.state.params, page)
            judged = self.step.judge(outputs, page.codes)
            if judged.targets is None and judged.finite:
                self.tell(no_targets_texts(page.line, simple_text=self.step.simple_text))
                continue
            return self._learn(trainer, page, outputs, judged, skipped, main)
        raise DataError("no usable line is left; the messages above say why")

    def forward(self, params, page: Page) -> Outputs:
        """Run the network; without boxes also on the inverted line if it looks like one."""

        def run(inputs) -> Outputs:
            return self.step.forward(
                params, inputs.batch.images, inputs.batch.widths, inputs.borders
            )

        first = run(page.inputs)
        # As in PrepareForBackward, lines with boxes are never inverted.
        if page.line.has_boxes or not np.isfinite(first.probs).all():
            return first
        sure = np.float32(certainty(first.probs, self.step.null_char))
        if sure >= TRAINING_INVERT_BELOW:
            return first
        other = run(self.source.inverted(page))
        # As in PrepareForBackward, only a strictly better reading wins.
        if np.float32(certainty(other.probs, self.step.null_char)) > sure:
            return other
        # The original runs the first input again, but does not pad it again.
        return run(self.source.restarted(page)) if page.padded else first

    def held(self, judged: Judged, progress: Progress) -> bool:
        """Whether a line is left out because it is perfect and the last such is too recent."""
        recent = progress.last_perfect + self.config.perfect_sample_delay
        return judged.wrong == 0 and progress.training_iteration <= recent

    def _learn(
        self,
        trainer: Trainer,
        page: Page,
        outputs: Outputs,
        judged: Judged,
        skipped: int,
        main: bool,
    ) -> Trainer:
        state, progress, taken = trainer.state, trainer.progress, True
        debug = self.config.debug_interval if main else 0
        if judged.targets is None:
            taken, result = False, _FAILED
        else:
            raw = outputs.probs
            # Shown before the update, which uses the weights up.
            if main and self.watch is not None:
                self.watch(trainer, page, outputs, judged)
            if not self.held(judged, progress):
                state, taken = self.step.update(state, outputs, judged, progress.training_iteration)
            # Decoding runs while the update computes.
            read, codes = self._read(judged, page)
            truth, text = self.reader.codec.decode(codes), self.reader.codec.decode(read)
            result = LineResult(
                judged.rms,
                judged.wrong,
                bwer(truth, text),
                bcer(codes, read, self.step.null_char),
                0,
            )
            if debug:
                reading = Reading(
                    progress.training_iteration, page.line, raw, judged.targets, truth, text,
                    judged.wrong,
                )  # fmt: skip
                self.tell(debug_lines(reading, self.reader, debug))
        progress = progress.after_batch([result._replace(skipped=skipped)], Position())
        if debug and judged.targets is not None:
            self.say(mean_line(progress.rates))
        bad = 0
        if not bool(taken):
            bad = trainer.bad_updates + 1
            self.say(left_out_text(progress.training_iteration - 1))
        return replace(trainer, state=state, progress=progress, bad_updates=bad)

    def _read(self, judged: Judged, page: Page) -> tuple[np.ndarray, np.ndarray]:
        """The codes read, and the true ones as they are counted."""
        read, _ = self.reader.read(judged.probs)
        # For simple text the original counts errors against its decoded targets, not the codes.
        if not self.step.simple_text:
            return read, page.codes
        assert judged.targets is not None
        return read, self.reader.read(judged.targets)[0]

    def tell(self, texts: Iterable[str]) -> None:
        """Print lines of the log."""
        for text in texts:
            self.say(text)
