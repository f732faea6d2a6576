"""What a user asks of a run: its files. The settings are in `TrainConfig`."""

from dataclasses import dataclass

from lstmjax.run_paths import RunPaths


@dataclass(frozen=True)
class Request:
    """The files of a run.

    Attributes:
      traineddata: character set (and language model) of the network.
      model_output: base name of everything written.
      train_listfile: text file that names the training documents, or their paths.
      eval_listfile: likewise for evaluation; "" or no path for none.
      net_spec: network to build if there is nothing to go on from; with append_index the layers
        to append.
      continue_from: checkpoint, `.lstm` file or (recipe fast) traineddata to start from, or the
        base name of another run for its best state; "" for none.
      old_traineddata: traineddata of continue_from, if its character set is another; "" for none.
      append_index: with continue_from: the last layer to keep below those of net_spec; negative
        for none.
      freeze_below: the first layer that learns; None as it is in the files.
      allow_int_start: start from an int8 model, too.
      reset_learning_rate: with continue_from: forget its rates.
      given: names of the settings the user gave explicitly; these win over stored ones.
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
