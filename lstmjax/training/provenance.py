"""Where a run began and for which characters: recorded once, compared at every later call.

A run that goes on takes nothing from `--continue_from` and the flags that change another model; so
they must be those it began with, or be left out. Native checkpoints hold the record, and two files
beside the run, for Tesseract's checkpoints, which do not.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import NamedRows, charset_path, check, find_rows, rows_of
from lstmjax.errors import CharsetError, FormatError, LstmjaxError, Say, TrainError, naming
from lstmjax.formats import charset_rows
from lstmjax.formats.files import read_bytes, write_atomically
from lstmjax.infer.states import find_state
from lstmjax.training.config import TrainConfig
from lstmjax.training.request import Request

VERSION = 1
_ANEW = "another --model_output to start anew"
_HINT = "move it away to go on without what it says"


@dataclass(frozen=True)
class FileSeen:
    """A file, or the state that the name of a run stands for, as it was when the run began.

    Attributes:
      path: the full path.
      sha256: the digest of the content.
    """

    path: str
    sha256: str

    @classmethod
    def of(cls, path: str) -> "FileSeen | None":
        """What a path names now; None for no path."""
        return cls(os.path.realpath(path), _digest(path)) if path else None


def _digest(path: str) -> str:
    """The SHA-256 of what a path names; see `infer.states`."""
    return hashlib.sha256(find_state(path).data).hexdigest()


def _digest_if_there(path: str) -> str:
    """The SHA-256 of what a path names; "" if there is nothing, or nothing that can be read."""
    try:
        return _digest(path)
    except LstmjaxError:
        return ""


@dataclass(frozen=True)
class Beginning:
    """What a run was made from.

    Attributes:
      continue_from: the model it began with; None for a new network.
      old_traineddata: the traineddata of that model, where one was given.
      append_index: the last layer of that model that was kept; -1 for all.
      reset_learning_rate: whether its learning rates were forgotten.
      weight_range: bound of the initial weights; None for those of the layers.
    """

    continue_from: FileSeen | None = None
    old_traineddata: FileSeen | None = None
    append_index: int = -1
    reset_learning_rate: bool = False
    weight_range: float | None = None

    @property
    def in_words(self) -> str:
        """What it began with, for messages."""
        return "--net_spec" if self.continue_from is None else self.continue_from.path


@dataclass(frozen=True)
class Provenance:
    """What is known of a run; None for what is not."""

    charset: NamedRows | None = None
    beginning: Beginning | None = None

    def to_plain(self) -> dict[str, Any]:
        """As a JSON value, for native checkpoints."""
        return {
            "charset": self.charset and charset_rows.to_plain(self.charset.rows),
            "beginning": self.beginning and asdict(self.beginning),
        }


def new_run(request: Request, config: TrainConfig, codec: Codec) -> Provenance:
    """The provenance of a run that begins.

    Raises: FormatError: a file it begins with cannot be read.
    """
    beginning = Beginning(
        FileSeen.of(request.continue_from),
        FileSeen.of(request.old_traineddata),
        request.append_index if request.appends else -1,
        request.reset_learning_rate,
        config.weight_range,
    )
    return Provenance(_given(request, codec), beginning)


def recorded(request: Request, stored: dict[str, Any]) -> Provenance:
    """What is known of a run that has begun.

    Args:
      request: files of the run.
      stored: fingerprint in its native checkpoint; {} if there is none. A fact that is missing
        there (an earlier version may have written it) is looked for in the files beside the run.
    Raises: FormatError: a record is not what was written; names the file.
    """
    found = _in_native(stored, request.native_directory)
    # Facts are looked for one by one: an older version may have recorded one and not the other.
    if found.charset is None or found.beginning is None:
        beside = _in_files(request)
        found = Provenance(found.charset or beside.charset, found.beginning or beside.beginning)
    return found


def _in_native(stored: dict[str, Any], source: str) -> Provenance:
    charset, beginning = stored.get("charset"), stored.get("beginning")
    with naming(file=source):
        return Provenance(
            None if charset is None else NamedRows(charset_rows.from_plain(charset), source),
            None if beginning is None else _beginning(beginning),
        )


def _in_files(request: Request) -> Provenance:
    path = beginning_path(request.model_output)
    beginning = None
    if os.path.isfile(path):
        with naming(file=path):
            beginning = _unpack(read_bytes(path))
    return Provenance(find_rows(request.checkpoint), beginning)


def beginning_path(model_output: str) -> str:
    """The file that says what a run began with."""
    return f"{model_output}.start.json"


def keep(provenance: dict[str, Any], model_output: str) -> None:
    """Write what is known of a run into the files beside it, where they do not say it already.

    Args:
      provenance: as `Provenance.to_plain` gives it.
      model_output: base name of the files.
    Raises: LstmjaxError: a file cannot be written.
    """
    if provenance["charset"] is not None:
        charset_rows.save(
            charset_rows.from_plain(provenance["charset"]), charset_path(model_output)
        )
    if provenance["beginning"] is not None:
        value = {"version": VERSION, **provenance["beginning"]}
        write_atomically(beginning_path(model_output), json.dumps(value, indent=1).encode() + b"\n")


# -- going on ------------------------------------------------------------------------------------


def goes_on(
    request: Request, config: TrainConfig, codec: Codec, known: Provenance, source: str, say: Say
) -> Provenance:
    """Compare what is asked of a run that goes on with what it began with.

    Args:
      request: files asked for.
      config: settings asked for.
      codec: character set of the traineddata that is given.
      known: the provenance of the run.
      source: name of its state, for messages.
      say: prints what cannot be compared.
    Returns: the provenance to keep.
    Raises: TrainError: something is another than it was; says what to do.
    """
    given = _given(request, codec)
    hint = (
        f"Use the traineddata it was trained with, or {_ANEW}; there --continue_from with "
        "--old_traineddata takes over what was learnt"
    )
    try:
        check(source, known.charset, given, say, hint=hint)
    except CharsetError as err:
        raise TrainError(str(err)) from err
    _check_own_best(request)
    if known.beginning is None:
        _say_unknown(request, say)
    else:
        _check_origin(request, known.beginning, say)
        _check_changes(request, config, known.beginning)
    return replace(known, charset=given)


def begun_from_spec(provenance: Provenance) -> bool:
    """Whether a run is known to have begun with a network that was built."""
    beginning = provenance.beginning
    return beginning is not None and beginning.continue_from is None


def _given(request: Request, codec: Codec) -> NamedRows:
    return NamedRows(rows_of(codec), request.traineddata)


def _same_path(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _names_itself(request: Request) -> bool:
    """Whether --continue_from is the last state of this very run, as in `lstmtraining` scripts."""
    return any(
        _same_path(request.continue_from, own)
        for own in (request.checkpoint, request.model_output, request.native_directory)
    )


def _check_own_best(request: Request) -> None:
    folder, name = os.path.split(os.path.realpath(request.continue_from))
    base_folder, base = os.path.split(os.path.realpath(request.model_output))
    pattern = re.escape(base) + r"_(best|[0-9.]+_[0-9]+_[0-9]+)\.checkpoint"
    if request.continue_from and folder == base_folder and re.fullmatch(pattern, name):
        raise TrainError(
            f"{request.continue_from} is a best state of the run {request.model_output}, which "
            "goes on from its last state. Leave out --continue_from to go on, or give another "
            "--model_output to train on from the best state"
        )


def _say_unknown(request: Request, say: Say) -> None:
    """Name the flags that cannot be compared, because nobody recorded what the run began with."""
    asked = {
        "--continue_from": bool(request.continue_from) and not _names_itself(request),
        "--append_index": request.appends,
        "--old_traineddata": bool(request.old_traineddata),
        "--reset_learning_rate": request.reset_learning_rate,
    }
    names = ", ".join(name for name, given in asked.items() if given)
    if names:
        say(
            f"{request.model_output}: the run goes on from its own last state; there is no record "
            f"of what it began with, so {names} could not be compared and changes nothing"
        )


def _check_origin(request: Request, beginning: Beginning, say: Say) -> None:
    if not request.continue_from or _names_itself(request):
        return
    began, asked = beginning.continue_from, request.continue_from
    if began is not None and _same_path(began.path, asked):
        # The file may be gone by now, which does not matter: the run does not need it any more.
        if _digest_if_there(asked) not in ("", began.sha256):
            say(f"{asked} has changed since this run began with it; the run goes on as it is.")
        return
    # Another name for the same content is the same beginning, for example after a move.
    if _is(asked, began):
        return
    raise TrainError(
        f"the run {request.model_output} began with {beginning.in_words}, not with {asked}, and "
        "goes on from its own last state. Leave out --continue_from to go on, or give "
        f"{_ANEW} from {asked}"
    )


def _check_changes(request: Request, config: TrainConfig, beginning: Beginning) -> None:
    """Refuse flags that change only the start of a run, where they are other than they were."""
    old, asked_old = beginning.old_traineddata, request.old_traineddata
    if asked_old and not _is(asked_old, old):
        _refuse("old_traineddata", asked_old, old.path if old else "")
    if request.appends and request.append_index != beginning.append_index:
        before = str(beginning.append_index) if beginning.append_index >= 0 else ""
        _refuse("append_index", str(request.append_index), before)
    if request.reset_learning_rate and not beginning.reset_learning_rate:
        _refuse("reset_learning_rate", "", "")
    bound, asked_bound = beginning.weight_range, config.weight_range
    if "weight_range" in request.given and asked_bound is not None and asked_bound != bound:
        _refuse("weight_range", f"{asked_bound:g}", "" if bound is None else f"{bound:g}")


def _is(path: str, seen: FileSeen | None) -> bool:
    if seen is None or _same_path(path, seen.path):
        return seen is not None
    return _digest_if_there(path) == seen.sha256


def _refuse(flag: str, asked: str, before: str) -> None:
    began = f"with --{flag} {before}" if before else f"without --{flag}"
    shown = f"--{flag} {asked}".rstrip()
    raise TrainError(
        f"{shown} changes only the start of a run, but this one has begun {began} and goes on from "
        f"its own last state. Leave --{flag} out to go on, or give {_ANEW}"
    )


# -- the file ------------------------------------------------------------------------------------


def _unpack(data: bytes) -> Beginning:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as err:
        raise FormatError(f"not the JSON that was written ({err}); {_HINT}") from err
    version = value.pop("version", None) if isinstance(value, dict) else None
    if version != VERSION:
        raise FormatError(f"version {version!r}, expected {VERSION}; {_HINT}")
    return _beginning(value)


def _beginning(value: Any) -> Beginning:
    match value:
        case {
            "continue_from": model,
            "old_traineddata": old,
            "append_index": int() as index,
            "reset_learning_rate": bool() as reset,
            "weight_range": None | int() | float() as bound,
        }:
            return Beginning(_file(model), _file(old), index, reset, bound)
    raise FormatError(f"not the record of what a run began with; {_HINT}")


def _file(value: Any) -> FileSeen | None:
    match value:
        case None:
            return None
        case {"path": str() as path, "sha256": str() as digest}:
            return FileSeen(path, digest)
    raise FormatError(f"not the record of a file; {_HINT}")
