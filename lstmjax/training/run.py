"""A whole training run from a request: data in, network built or restored, trained, saved."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from lstmjax.cache.programs import keep_programs
from lstmjax.charset.codec import Codec
from lstmjax.charset.identity import check_beside
from lstmjax.data.augmentation import parse_augmentation
from lstmjax.data.lines import Line, LineIndex, build_index
from lstmjax.data.listing import read_list
from lstmjax.data.order import Order, Shuffled, round_robin, sequential
from lstmjax.data.skips import Skip
from lstmjax.data.store import ImageStore, size_of_all
from lstmjax.data.stream import LineStream, StreamSettings
from lstmjax.devices import choose_devices, expose_cores_as_devices
from lstmjax.errors import DataError, LstmjaxError, TrainError, naming
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.files import write_atomically
from lstmjax.formats.lstm import INT_MODE, Recognizer
from lstmjax.formats.nodes import TRAINING_PAUSED
from lstmjax.formats.traineddata import TrainedData
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import geometry_of
from lstmjax.infer.model import LoadedModel
from lstmjax.infer.states import find_state
from lstmjax.infer.words import words_of
from lstmjax.netspec.tree import x_scale
from lstmjax.nn.quantize import to_int
from lstmjax.training import provenance
from lstmjax.training.config import TrainConfig
from lstmjax.training.fast.compiling import num_buckets, padding_for
from lstmjax.training.fast.loop import Run, train
from lstmjax.training.fast.validate import Validator
from lstmjax.training.fast.writer import CheckpointWriter
from lstmjax.training.lock import locked
from lstmjax.training.native import NativeStore
from lstmjax.training.output import (
    Display,
    LiveDisplay,
    OnRecord,
    Output,
    PlainDisplay,
    QuietDisplay,
)
from lstmjax.training.progress import Progress
from lstmjax.training.request import Request
from lstmjax.training.save import without_training
from lstmjax.training.score import Scorer
from lstmjax.training.start import Start, choose_start
from lstmjax.training.transfer import recognizer_in
from lstmjax.training.watch import Watcher


def run_training(
    request: Request,
    config: TrainConfig,
    *,
    live: bool | None = None,
    quiet: bool = False,
    on_record: OnRecord | None = None,
    watch: Callable[[Run], contextlib.AbstractContextManager[Watcher]] | None = None,
) -> Progress:
    """Train as asked; an earlier run of the same model_output goes on where it stopped.

    Args:
      request: files.
      config: settings; `rate_of_new` takes the place of a learning rate that is not given.
      live: show a live display; by default on terminals.
      quiet: show nothing.
      on_record: called with every record of metrics.jsonl; True stops the run as a signal does.
      watch: makes who is shown the run.
    Returns: how far the run came.
    Raises: LstmjaxError: whatever keeps the run from starting or going on. InterruptedRun: a signal
      stopped it after everything was saved.
    """
    config = _with_rate(request, config)
    _check_output(request.model_output)
    expose_cores_as_devices(config.devices)
    keep_programs()
    codec = _codec(request.traineddata)
    index = _index(request.train_listfile)
    eval_index = _index(request.eval_listfile) if request.eval_listfile else None
    end = _end(config, index)
    display: Display = QuietDisplay() if quiet else PlainDisplay()
    if not quiet and (sys.stderr.isatty() if live is None else live):
        display = LiveDisplay(end)
    resumed = os.path.exists(request.checkpoint) or os.path.isdir(request.native_directory)
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(request.model_output))
        output = stack.enter_context(
            Output(request.metrics, display, codec, append=resumed, on_record=on_record)
        )
        native = NativeStore(request.native_directory, keep=config.keep_checkpoints)
        stack.callback(native.close)
        start = choose_start(request, config, codec, native, _digest(index), output.line)
        provenance.keep(start.snapshot.identity, request.model_output)
        scorer = stack.enter_context(Scorer(codec, simple_text=_model(start, codec).simple_text))
        writer = CheckpointWriter(native, request.paths, start.identity, start.config)
        stack.callback(writer.close)
        run = _assemble(request, start, codec, index, eval_index, end, writer, scorer, output)
        if watch is not None:
            watcher = stack.enter_context(watch(run))
            output.listen(watcher.metrics)
            run = replace(run, watcher=watcher)
        return train(run, start.snapshot)


def _with_rate(request: Request, config: TrainConfig) -> TrainConfig:
    """Recipe fast: give new networks a learning rate that suits them, unless the user gave one."""
    if config.recipe != "fast" or request.continue_from or "learning_rate" in request.given:
        return config
    return replace(config, learning_rate=config.rate_of_new)


def _check_output(model_output: str) -> None:
    """Fail now rather than after an hour. Source: lstmtraining.cpp, which does the same."""
    path = f"{model_output}_wtest"
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "wb"):
            pass
        os.unlink(path)
    except OSError as err:
        raise TrainError(f"Error, model output cannot be written: {model_output}: {err}") from err


def _codec(path: str) -> Codec:
    with naming(file=path):
        try:
            return Codec.from_traineddata(traineddata.load(path))
        except LstmjaxError as err:
            raise TrainError(f"{path}: {str(err).removeprefix(f'{path}: ')}") from err


def _index(documents: str | tuple[str, ...]) -> LineIndex:
    """The lines of a list file, or of documents given by their paths."""
    if not isinstance(documents, str):
        return build_index(documents)
    paths = read_list(documents)
    try:
        return build_index(paths)
    except DataError as err:
        raise DataError(f"{documents}: {err}") from err


def _end(config: TrainConfig, index: LineIndex) -> int | None:
    if config.max_iterations < 0:
        return -config.max_iterations * len(index.documents)
    return config.max_iterations or None


def _order(config: TrainConfig) -> Order:
    if config.order == "shuffled":
        return Shuffled(config.seed)
    return sequential if config.order == "sequential" else round_robin


def _digest(index: LineIndex) -> str:
    """Tells training data apart by documents and numbers of lines."""
    text = "\n".join(f"{document.path} {document.count}" for document in index.documents)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _model(start: Start, codec: Codec) -> LoadedModel:
    return LoadedModel(start.identity.root, codec, codec.null_char, params={})


def _assemble(
    request: Request,
    start: Start,
    codec: Codec,
    index: LineIndex,
    eval_index: LineIndex | None,
    end: int | None,
    writer: CheckpointWriter,
    scorer: Scorer,
    output: Output,
) -> Run:
    config = start.config
    devices = choose_devices(config.batch, config.devices)
    model = _model(start, codec)
    in_grey = config.recipe == "fast"  # as the tesseract program will scale them
    _name_documents(index, output.line)
    max_bytes, eval_bytes = _memory_shares(config, eval_index, model)
    settings = StreamSettings(
        config.batch,
        config.window_batches,
        config.curriculum_lines,
        config.seed,
        config.randomly_rotate,
        num_buckets(end),
        parse_augmentation(config.augment),
        padding_for(devices),
    )
    stream = LineStream(
        index,
        ImageStore(index, model.input_shape, max_bytes, in_grey=in_grey),
        codec,
        geometry_of(model, in_grey=in_grey),
        _order(config),
        settings,
        lambda number, skip: output.skip(index[number], skip),
        multiple=x_scale(model.root),
    )
    validator = None
    if eval_index is not None:
        _name_documents(eval_index, output.line)
        report: Callable[[Line, Skip], None] = output.skip
        with naming(file=request.traineddata):
            words = words_of(traineddata.load(request.traineddata), codec)
        reading = replace(model, words=words)
        validator = Validator(
            eval_index, reading, make_forward, max_bytes=eval_bytes, report=report
        )
    return Run(
        config,
        start.identity,
        end,
        request.paths,
        stream,
        start.engine.make_step(codec.null_char, devices),
        scorer,
        validator,
        writer,
        output,
        devices,
        start.snapshot.identity,
    )


def _memory_shares(
    config: TrainConfig, eval_index: LineIndex | None, model: LoadedModel
) -> tuple[int, int]:
    """The bytes for images of training and of evaluation, within --max_image_MB together.

    Evaluation, which training waits for, gets what it needs, but no more than half. Recipe
    tesseract reads its lines in two ways, with memory for each.
    """
    whole = config.max_image_mb << 20
    if eval_index is None:
        return whole, 0
    users = 2 if config.recipe == "tesseract" else 1
    share = min(size_of_all(eval_index, model.input_shape), whole // (2 * users))
    return whole - users * share, share


def _name_documents(index: LineIndex, say: Callable[[str], None]) -> None:
    for document in index.documents:
        if document.count > 1:
            say(f"Loaded {document.count}/{document.count} lines (1-{document.count}) of document "
                f"{document.path}")  # fmt: skip
        if document.problem:
            say(f"{document.path}: {document.problem}; the lines before that are used")
    for path, reason in index.unusable:
        say(f"{path}: skipped: {reason}")


def write_model(
    continue_from: str,
    charsets: str,
    model_output: str,
    *,
    as_int: bool,
    say: Callable[[str], None] = lambda text: None,
) -> TrainedData:
    """Turn a checkpoint into a traineddata that Tesseract runs (`--stop_training`).

    Args:
      continue_from: checkpoint or `.lstm` file, or the base name of a run for its best state.
      charsets: traineddata whose other components the model gets.
      model_output: path of the traineddata to write.
      as_int: convert to an int8 (fast) model.
      say: told what was loaded.
    Raises: LstmjaxError: unreadable or contradictory files.
    """
    base = traineddata.load(charsets)
    found = find_state(continue_from)
    source = found.source
    say(f"Loaded file {source}, unpacking...")
    if found.note:
        say(found.note)
    with naming(file=source):
        record = checkpoint.unpack(found.data)
    codec = _codec(charsets)
    recognizer = recognizer_in(record)
    if recognizer.network.num_out != codec.num_codes:
        raise TrainError(
            f"{source} has {recognizer.network.num_out} outputs, but the character set of "
            f"{charsets} has {codec.num_codes} codes; use the traineddata it was trained with"
        )
    check_beside(continue_from, codec, charsets)
    recognizer = without_training(recognizer)
    if as_int:
        recognizer = _to_int(recognizer, source)
    model = base.with_component("lstm", lstm.pack(recognizer))
    write_atomically(model_output, traineddata.pack(model))
    return model


def _to_int(recognizer: Recognizer, source: str) -> Recognizer:
    if recognizer.int_mode:
        raise TrainError(f"{source} is an integer model already; leave out --convert_to_int")
    return replace(
        recognizer,
        network=to_int(recognizer.network, training=TRAINING_PAUSED),
        training_flags=recognizer.training_flags | INT_MODE,
    )
