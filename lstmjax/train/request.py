"""What a user asks of a run: its files. The settings are in `TrainConfig`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """The files of a run.

    Attributes:
      traineddata: character set (and language model) of the network.
      model_output: base name of everything written.
      train_listfile: text file that names the training documents.
      eval_listfile: likewise for evaluation; "" for none.
      net_spec: network to build if there is nothing to go on from.
      continue_from: checkpoint or `.lstm` file to start from; "" for none.
      reset_learning_rate: with continue_from: forget its rates.
      given: names of the settings the user gave explicitly; these win over stored ones.
    """

    traineddata: str
    model_output: str
    train_listfile: str
    eval_listfile: str = ""
    net_spec: str = ""
    continue_from: str = ""
    reset_learning_rate: bool = False
    given: frozenset[str] = frozenset()

    @property
    def checkpoint(self) -> str:
        """Tesseract's checkpoint of the run."""
        return f"{self.model_output}_checkpoint"

    @property
    def native_directory(self) -> str:
        """Directory of the native checkpoints."""
        return f"{self.model_output}.ckpt"

    @property
    def metrics(self) -> str:
        """File of the run's figures, a JSON object a line."""
        return f"{self.model_output}.metrics.jsonl"
