"""A model file made runnable: network, weights and character set in one value."""

from collections.abc import Callable
from dataclasses import dataclass

from lstmjax.array_types import Params
from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import check_beside
from lstmjax.errors import FormatError, naming
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.files import PathLike
from lstmjax.formats.lstm import Recognizer
from lstmjax.formats.traineddata import TrainedData
from lstmjax.infer.network import Network
from lstmjax.infer.states import find_state
from lstmjax.infer.words import words_of
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import params_of, tree_of


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedModel(Network):
    """A network with its character set and weights.

    Attributes:
      params: weights as NumPy arrays; whole numbers with scales if `int_mode`.
      int_mode: whether this is an int8 (fast) model.
      sample_iteration: lines visited in training; seeds the random borders when reading.
      from_traineddata: whether the file was a traineddata, not a network alone.
      from_checkpoint: whether the file was a training checkpoint, with update history.
    """

    params: Params
    int_mode: bool = False
    sample_iteration: int = 0
    from_traineddata: bool = False
    from_checkpoint: bool = False


def with_weights(network: Network, params: Params, *, sample_iteration: int = 0) -> LoadedModel:
    """A network with weights; see `LoadedModel` for the arguments."""
    return LoadedModel(
        network.root,
        network.codec,
        network.null_char,
        network.words,
        params=params,
        sample_iteration=sample_iteration,
    )


def from_recognizer(
    recognizer: Recognizer,
    charsets: TrainedData,
    *,
    from_traineddata: bool = False,
    from_checkpoint: bool = False,
) -> LoadedModel:
    """Join a network and a character set; see `LoadedModel` for the last two arguments.

    Raises: FormatError: they do not belong together, or a word list is damaged.
    """
    codec = Codec.from_traineddata(charsets)
    outputs = recognizer.network.num_out
    if codec.num_codes != outputs:
        raise FormatError(
            f"the network has {outputs} outputs but the character set {codec.num_codes} codes; "
            "use the traineddata the network was trained with"
        )
    # Records have any node at the root; everything here relies on a series.
    root = tree_of(recognizer.network)
    if not isinstance(root, Series):
        raise FormatError(f"the network is a single {type(root).__name__}, expected a series")
    return LoadedModel(
        root,
        codec,
        recognizer.null_char,
        words_of(charsets, codec),
        params=params_of(recognizer.network),
        int_mode=recognizer.int_mode,
        sample_iteration=recognizer.sample_iteration,
        from_traineddata=from_traineddata,
        from_checkpoint=from_checkpoint,
    )


def load_model(
    path: PathLike,
    charsets: PathLike | None = None,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> LoadedModel:
    """Read a traineddata, or a checkpoint or `.lstm` file together with a traineddata.

    Args:
      path: file of the model, or base name of a run for its best state, see `infer.states`.
      charsets: traineddata with the character set of a checkpoint; a traineddata model has its own.
      say: called with a note on the state of a run that was taken.
    Raises: FormatError: damaged files, or files that do not belong together. CharsetError: a
      checkpoint was trained with other characters; where nobody knows them, stderr says so.
    """
    found = find_state(path)
    name, data = found.source, found.data
    if found.note:
        say(found.note)
    # The content decides, not the name of the file.
    try:
        trained = traineddata.unpack(data)
    except FormatError as not_a_container:
        with naming(file=name):
            record = _unpack_checkpoint(data, str(not_a_container))
    else:
        with naming(file=name):
            return from_recognizer(lstm.unpack_from(trained), trained, from_traineddata=True)
    if charsets is None:
        raise FormatError(
            "this is a network alone; name the traineddata it was trained with too (--traineddata)",
            file=name,
        )
    with naming(file=str(charsets)):
        trained = traineddata.load(charsets)
        from_checkpoint = isinstance(record, TrainerRecord)
        recognizer = record.recognizer if isinstance(record, TrainerRecord) else record
        model = from_recognizer(recognizer, trained, from_checkpoint=from_checkpoint)
    # The number of codes agrees; what they stand for has to be compared by itself.
    check_beside(name, model.codec, charsets)
    return model


def _unpack_checkpoint(data: bytes, problem_as_container: str) -> TrainerRecord | Recognizer:
    try:
        return checkpoint.unpack(data)
    except FormatError as err:
        raise FormatError(
            f"neither a traineddata ({problem_as_container}) nor a checkpoint ({err})"
        ) from None
