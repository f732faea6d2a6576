"""The files of a run, and what a user asks of them; the settings are in `TrainConfig`."""

from dataclasses import dataclass

from lstmjax.run_paths import RunPaths


@dataclass(frozen=True)
class Request:
    """The files of a run.

    Attributes:
      traineddata: character set (and language model) of the network.
      model_output: base name of everything written.
      train_listfile: text file that names the training documents, or their paths.
      eval_listfile: text file that names the evaluation documents, or their paths; empty for none.
      net_spec: network to build if there is nothing to go on from; with append_index the layers
        to append.
      continue_from: checkpoint, `.lstm` file or (recipe fast) traineddata to start from, or the
        base name of another run for its best state; "" for none.
      old_traineddata: traineddata of continue_from, if its character set is another; "" for none.
      append_index: number of the last layer of continue_from to keep below those of net_spec;
        negative for none.
      freeze_below: number of the first layer that learns; None: as the files say.
      allow_int_start: whether a run may start from an int8 model.
      reset_learning_rate: whether the learning rates of continue_from are forgotten.
      given: names of the settings that the user gave explicitly.
    """

    traineddata: str
    model_output: str
    train_listfile: str | tuple[str, ...]
    eval_listfile: str | tuple[str, ...] = ""
    net_spec: str = ""
    continue_from: str = ""
    old_traineddata: str = ""
    append_index: int = -1
    freeze_below: int | None = None
    allow_int_start: bool = False
    reset_learning_rate: bool = False
    given: frozenset[str] = frozenset()

    @property
    def appends(self) -> bool:
        """Whether layers are put on top of a part of another network."""
        return self.append_index >= 0

    @property
    def paths(self) -> RunPaths:
        """The files of the run."""
        return RunPaths(self.model_output)

    @property
    def checkpoint(self) -> str:
        """Tesseract's checkpoint of the run."""
        return self.paths.checkpoint

    @property
    def native_directory(self) -> str:
        """Directory of the native checkpoints."""
        return self.paths.native_directory

    @property
    def metrics(self) -> str:
        """File of the run's figures, a JSON object a line."""
        return self.paths.metrics
