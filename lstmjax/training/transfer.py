"""A model taken over: read from a file, its outputs exchanged, or cut and extended.

Source: Tesseract src/training/unicharset/lstmtrainer.cpp, TryLoadingCheckpoint, MapRecoder.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from lstmjax.array_types import Params
from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import NamedRows, check, known_rows, rows_of
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import (
    CharsetError,
    FormatError,
    LstmjaxError,
    Say,
    TrainError,
    naming,
)
from lstmjax.formats import checkpoint, lstm, nodes, traineddata
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.formats.files import read_bytes
from lstmjax.formats.lstm import INT_MODE, Recognizer
from lstmjax.infer.states import SavedState, find_state
from lstmjax.netspec import parse as spec_parse
from lstmjax.netspec import shape as spec_shape
from lstmjax.netspec.parse import Network
from lstmjax.netspec.show import EXTENDED, describe, series_table
from lstmjax.netspec.tree import Series
from lstmjax.nn.convert import Writing, record_of, tree_of
from lstmjax.nn.surgery import append_layers, remap_outputs, to_float
from lstmjax.training.config import TrainConfig
from lstmjax.training.initial import appended_weights
from lstmjax.training.request import Request

Record = TrainerRecord | Recognizer


@dataclass(frozen=True, eq=False)
class Origin:
    """What a run goes on from.

    Attributes:
      record: a checkpoint, or a model without history.
      codec: character set in the file, if it has one.
    """

    record: Record
    codec: Codec | None = None


def recognizer_in(record: Record) -> Recognizer:
    """The model in a checkpoint, or the model itself."""
    return record.recognizer if isinstance(record, TrainerRecord) else record


def with_recognizer(record: Record, **changes: Any) -> Record:
    """A record with another network or other settings."""
    if isinstance(record, TrainerRecord):
        return replace(record, recognizer=replace(record.recognizer, **changes))
    return replace(record, **changes)


def read_trainer(path: str) -> Record:
    """Read a checkpoint or a `.lstm` file."""
    with naming(file=path):
        return checkpoint.unpack(read_bytes(path))


def read_origin(path: str, say: Say, *, takes_traineddata: bool, allow_int: bool) -> Origin:
    """Read what `--continue_from` names.

    Args:
      path: checkpoint, `.lstm` file or whole traineddata; or the base name of a run for its best
        state.
      say: prints a line for the user.
      takes_traineddata: whether a whole traineddata is accepted.
      allow_int: whether an int8 model is turned into a float one.
    Raises: FormatError: not such a file. TrainError: an int8 model or a whole traineddata that is
      not accepted.
    """
    found = find_state(path)
    origin = _read(found, takes_traineddata=takes_traineddata)
    say(f"Loaded file {found.source}, unpacking...")
    if found.note:
        say(found.note)
    if isinstance(origin.record, Recognizer) and origin.codec is None:
        say("Warning: LSTMTrainer deserialized an LSTMRecognizer!")
    recognizer = recognizer_in(origin.record)
    if not recognizer.int_mode:
        return origin
    if not allow_int:
        raise TrainError(
            f"Error, {path} is an integer (fast) model, cannot continue training; take the float "
            "model (tessdata_best) it was made from, or give --allow_int_start to go on from its "
            "rounded weights"
        )
    say(f"Turned the int8 weights of {path} into float; they stay as coarse as they were.")
    flags = recognizer.training_flags & ~INT_MODE
    record = with_recognizer(
        origin.record, network=to_float(recognizer.network), training_flags=flags
    )
    return replace(origin, record=record)


def _read(found: SavedState, *, takes_traineddata: bool) -> Origin:
    path = found.source
    with naming(file=path):
        try:
            # A network has no magic number, so the container is tried first.
            trained = traineddata.unpack(found.data)
        except FormatError:
            return Origin(checkpoint.unpack(found.data))
        if not takes_traineddata:
            raise TrainError(
                f"{path} is a whole traineddata; take the network out of it with "
                f"combine_tessdata -e {path} model.lstm and continue from that"
            )
        return Origin(lstm.unpack_from(trained), Codec.from_traineddata(trained))


def series_of(recognizer: Recognizer, source: str) -> Series:
    """The tree of a whole network.

    Raises: FormatError: it is not a series of layers, or has some that cannot be run.
    """
    with naming(file=source):
        root = tree_of(recognizer.network)
        if not isinstance(root, Series):
            raise FormatError(f"the network is a single {type(root).__name__}")
    return root


def load_codec(path: str) -> Codec:
    """The character set of a traineddata.

    Raises: TrainError: there is none, or it is damaged; names the file.
    """
    try:
        return Codec.from_traineddata(traineddata.load(path))
    except LstmjaxError as err:
        raise TrainError(f"{path}: {str(err).removeprefix(f'{path}: ')}") from err


def fit_outputs(origin: Origin, request: Request, codec: Codec, say: Say) -> Record:
    """Give a model the outputs of another character set, if it is asked for or needed.

    Args:
      origin: the model.
      request: names its file; and `old_traineddata`, the traineddata with its character set, where
        that is another and the model does not hold it.
      codec: the character set it gets.
      say: prints a line for the user.
    Raises: TrainError, SpecError: the old character set is missing, or is not that of the model,
      or the network has outputs that cannot be exchanged.
    """
    recognizer = recognizer_in(origin.record)
    outputs = recognizer.network.num_out
    own = origin.codec
    # As in the original, --old_traineddata maps the outputs even between sets of one size.
    if request.old_traineddata:
        own = _old_codec(origin, request, outputs, say)
    elif own is None and outputs == codec.num_codes:
        # The same number of outputs may still stand for other characters.
        _check_charset(origin, request.continue_from, codec, request.traineddata, say)
        return origin.record
    elif own is not None and rows_of(own) == rows_of(codec):
        return origin.record
    say(f"Code range changed from {outputs} to {codec.num_codes}!")
    if own is None:
        raise TrainError(
            "Must supply the old traineddata for code conversion! "
            f"{request.continue_from} has {outputs} outputs, but the character set of "
            f"--traineddata has {codec.num_codes} codes: give the traineddata it was trained with "
            "as --old_traineddata, or new layers with --append_index"
        )
    network = remap_outputs(recognizer.network, outputs, code_map(codec, own))
    for line in series_table(tree_of(network), EXTENDED):
        say(line)
    say(f"Previous null char={recognizer.null_char} mapped to {codec.null_char}")
    return with_recognizer(origin.record, network=network, null_char=codec.null_char)


def _old_codec(origin: Origin, request: Request, outputs: int, say: Say) -> Codec:
    """The character set of --old_traineddata, which must be that of the model."""
    old = load_codec(request.old_traineddata)
    if old.num_codes != outputs:
        raise TrainError(
            f"--old_traineddata {request.old_traineddata} has {old.num_codes} codes, "
            f"but {request.continue_from} has {outputs} outputs: it was trained with another "
            "traineddata"
        )
    _check_charset(origin, request.continue_from, old, request.old_traineddata, say)
    return old


def _check_charset(origin: Origin, source: str, codec: Codec, path: str, say: Say) -> None:
    """Refuse a character set that is not a model's own, as far as that is known.

    Args:
      origin: the model.
      source: name of its file.
      codec: the character set it is taken to have.
      path: traineddata that holds it.
      say: told if it is not known.
    Raises: TrainError: it is another one.
    """
    given = NamedRows(rows_of(codec), path)
    own = origin.codec
    known = known_rows(source, given) if own is None else NamedRows(rows_of(own), source)
    hint = "Give the traineddata it was trained with as --old_traineddata"
    try:
        check(source, known, given, say, hint=hint)
    except CharsetError as err:
        raise TrainError(str(err)) from err


def code_map(new: Codec, old: Codec) -> list[int]:
    """For each code of a character set the one of another that stands for the same, or -1.

    A code is looked up by the first unichar spelled with it that the old set has, too. Without
    special codes the null is looked up as the last unichar of the old set, as in the original.
    """
    found = [-1] * new.num_codes
    size = len(new.unicharset)
    # A set with old-style entries is looked up without cleaning, see `UnicharIndex`.
    cleaned = not any(Unicharset.cleanup(text) != text for text in old.unicharset.ids)
    # One more than the unichars: the null's own entry, where it has one.
    for unichar_id, codes in enumerate(new.recoder.codes[: size + 1]):
        if unichar_id < size:
            text = new.unicharset.unichar(unichar_id)
            old_id = old.unicharset.ids.get(Unicharset.cleanup(text) if cleaned else text)
        else:
            old_id = len(old.unicharset) - 1
        if old_id is None:
            continue
        spelled = old.recoder.codes[old_id]
        for place, code in enumerate(codes):
            # The first unichar that has a code decides, so a later one must not overwrite it.
            if found[code] < 0 and codes.index(code) == place and place < len(spelled):
                found[code] = spelled[place]
    return found


def say_settings(config: TrainConfig, codec: Codec, say: Say) -> None:
    """Print what Tesseract prints below a new network."""
    say(
        f"Training parameters:\n  Debug interval = {config.debug_interval}, "
        f"weights = {config.weight_range or 0.1:g}, "
        f"learning rate = {config.learning_rate:g}, momentum={config.momentum:g}\n"
        f"null char={codec.null_char}"
    )


def append_new_layers(
    request: Request, config: TrainConfig, codec: Codec, record: Record, say: Say
) -> Record:
    """Put the layers of the net_spec on the lower part of a model, and say what is said then.

    Raises: SpecError: in the net_spec, or there is no such layer.
    """
    base = series_of(recognizer_in(record), request.continue_from)
    keep = request.append_index
    network = spec_parse.parse_append(request.net_spec, codec.num_codes, base, keep)
    spec_shape.check_output(network.root, codec.num_codes)
    say(f"Appending a new network to an old one!!{describe(network)}")
    say_settings(config, codec, say)
    new = appended_weights(network, keep, config)
    return _extended(record, keep, network, new, codec, config)


def _extended(
    record: Record, keep: int, network: Network, new: Params, codec: Codec, config: TrainConfig
) -> Record:
    """The cut model with new layers; rates, momentum and flags are those of the settings."""
    recognizer = recognizer_in(record)
    # New layers have no history; zeros beside them keep the record a whole checkpoint.
    zeros = jax.tree.map(np.zeros_like, new)
    built = record_of(
        network.built, new, Writing(nodes.TRAINING_ON, config.net_mode), moments=(zeros, zeros)
    )
    return with_recognizer(
        record,
        network=append_layers(recognizer.network, keep, built),
        # Texts are joined as they are, because the original does.
        spec=recognizer.spec + network.spec,
        null_char=codec.null_char,
        learning_rate=float(np.float32(config.learning_rate)),
        momentum=float(np.float32(config.momentum)),
        adam_beta=float(np.float32(config.adam_beta)),
    )
