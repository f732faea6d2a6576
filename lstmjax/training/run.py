"""A whole training run from a request: data in, network built or restored, trained, saved.

    check -> index of the lines -> start (origins, settle) -> Run -> the recipe's loop

This module and `api` are the only ones that know both recipes.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from lstmjax.cache.programs import keep_programs
from lstmjax.charset.identity import check_beside
from lstmjax.data.augmentation import parse_augmentation
from lstmjax.data.lines import Line, LineIndex, build_index
from lstmjax.data.listing import read_list
from lstmjax.data.order import Order, Shuffled, round_robin, sequential
from lstmjax.data.skips import Skip
from lstmjax.data.store import ImageStore, size_of_all
from lstmjax.data.stream import LineStream, StreamSettings
from lstmjax.devices import choose_devices, expose_cores_as_devices
from lstmjax.errors import DataError, TrainError, naming
from lstmjax.formats import checkpoint, lstm, traineddata
from lstmjax.formats.files import write_atomically
from lstmjax.formats.lstm import INT_MODE, Recognizer
from lstmjax.formats.nodes import TRAINING_PAUSED
from lstmjax.formats.traineddata import TrainedData
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import geometry_of
from lstmjax.infer.network import Network
from lstmjax.infer.states import find_state
from lstmjax.infer.words import words_of
from lstmjax.netspec.tree import x_scale
from lstmjax.nn.quantize import to_int
from lstmjax.training import provenance
from lstmjax.training.check import Named, check, flag
from lstmjax.training.compiling import num_buckets, padding_for
from lstmjax.training.config import OrderName, RecipeName, TrainConfig
from lstmjax.training.fast.recipe import FastRecipe
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
from lstmjax.training.recipe import Recipe
from lstmjax.training.request import Request
from lstmjax.training.run_parts import Run, Start
from lstmjax.training.save import without_training
from lstmjax.training.start import Asked, choose_start
from lstmjax.training.tesseract.recipe import TesseractRecipe
from lstmjax.training.transfer import load_codec, recognizer_in
from lstmjax.training.validate import Validator
from lstmjax.training.watch import Watcher

RECIPES: dict[RecipeName, Recipe] = {"fast": FastRecipe(), "tesseract": TesseractRecipe()}


def check_request(request: Request, config: TrainConfig, named: Named = flag) -> None:
    """Refuse what contradicts itself, or what the recipe cannot honour; see `check.check`."""
    check(request, config, named)
    RECIPES[config.recipe].check(request, config, named)


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
      request: files, and what is asked of them.
      config: settings asked for; `Recipe.settle` decides which of them hold.
      live: show a live display; by default on terminals.
      quiet: show nothing.
      on_record: called with every record of metrics.jsonl; True stops the run as a signal does.
      watch: factory for the watcher that is notified of progress.
    Returns: how far the run came.
    Raises: LstmjaxError: whatever keeps the run from starting or going on. InterruptedRun: a signal
      stopped it after everything was saved.
    """
    check_request(request, config)
    recipe = RECIPES[config.recipe]
    _check_output(request.model_output)
    # Before anything of JAX runs: the number of devices cannot change afterwards.
    expose_cores_as_devices(config.devices)
    keep_programs()
    codec = load_codec(request.traineddata)
    lines = _Lines(
        _index(request.train_listfile),
        _index(request.eval_listfile) if request.eval_listfile else None,
    )
    end = _end(config, lines.train)
    display: Display = QuietDisplay() if quiet else PlainDisplay()
    if not quiet and (sys.stderr.isatty() if live is None else live):
        display = LiveDisplay(end)
    # Asked before `NativeStore` makes its directory.
    resumed = os.path.exists(request.checkpoint) or os.path.isdir(request.native_directory)
    with contextlib.ExitStack() as stack:
        # The lock comes first and goes last: in between, files of the run are open.
        stack.enter_context(locked(request.model_output))
        output = stack.enter_context(
            Output(request.metrics, display, codec, append=resumed, on_record=on_record)
        )
        native = NativeStore(request.native_directory, keep=config.keep_checkpoints)
        stack.callback(native.close)
        asked = Asked(request, config, recipe, codec, _digest(lines.train), output.line)
        start = choose_start(asked, native)
        provenance.keep(start.snapshot.fingerprint, request.model_output)
        run = _assemble(asked, start, lines, end=end, native=native, output=output)
        if watch is not None:
            watcher = stack.enter_context(watch(run))
            output.listen(watcher.metrics)
            run = replace(run, watcher=watcher)
        return recipe.train(run, start)


@dataclass(frozen=True)
class _Lines:
    """The lines of a run; eval is None without evaluation lines."""

    train: LineIndex
    eval: LineIndex | None


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
    # As in `lstmtraining`, a negative number counts rounds of the files, not of the lines.
    if config.max_iterations < 0:
        return -config.max_iterations * len(index.documents)
    return config.max_iterations or None


def _order(name: OrderName, seed: int) -> Order:
    if name == "shuffled":
        return Shuffled(seed)
    return sequential if name == "sequential" else round_robin


def _digest(index: LineIndex) -> str:
    """Tells training data apart by documents and numbers of lines."""
    text = "\n".join(f"{document.path} {document.count}" for document in index.documents)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _assemble(
    asked: Asked,
    start: Start,
    lines: _Lines,
    *,
    end: int | None,
    native: NativeStore,
    output: Output,
) -> Run:
    """Put the parts of a run together, and name the documents and unusable lines."""
    request, recipe, codec, config = asked.request, asked.recipe, asked.codec, start.config
    devices = choose_devices(config.batch, config.devices)
    network = Network(start.identity.root, codec, codec.null_char)
    # -- training lines
    _name_documents(lines.train, output.line)
    max_bytes, eval_bytes = _memory_shares(config, recipe, lines.eval, network)
    stream = LineStream(
        lines.train,
        ImageStore(lines.train, network.input_shape, max_bytes, in_grey=recipe.in_grey),
        codec,
        geometry_of(network, in_grey=recipe.in_grey),
        _order(recipe.order(config), config.seed),
        StreamSettings(
            batch=config.batch,
            window_batches=config.window_batches,
            curriculum_lines=config.curriculum_lines,
            seed=config.seed,
            randomly_rotate=config.randomly_rotate,
            buckets=num_buckets(end),
            augment=parse_augmentation(config.augment),
            padding=padding_for(devices),
        ),
        lambda number, skip: output.skip(lines.train[number], skip),
        multiple=x_scale(network.root),
    )
    # -- evaluation lines, read with the word lists as the tesseract program reads them
    validator = None
    if lines.eval is not None:
        _name_documents(lines.eval, output.line)
        report: Callable[[Line, Skip], None] = output.skip
        with naming(file=request.traineddata):
            words = words_of(traineddata.load(request.traineddata), codec)
        reading = replace(network, words=words)
        validator = Validator(
            lines.eval, reading, make_forward, max_bytes=eval_bytes, report=report
        )
    return Run(
        config=config,
        identity=start.identity,
        codec=codec,
        end=end,
        paths=request.paths,
        stream=stream,
        reader=network.decoder,
        validator=validator,
        native=native,
        output=output,
        devices=devices,
        fingerprint=start.snapshot.fingerprint,
    )


def _memory_shares(
    config: TrainConfig, recipe: Recipe, eval_index: LineIndex | None, network: Network
) -> tuple[int, int]:
    """The bytes for images of training and of evaluation, within --max_image_MB together.

    Evaluation, which training waits for, gets what it needs, but no more than half.
    """
    whole = config.max_image_mb << 20
    if eval_index is None:
        return whole, 0
    stores = recipe.evaluation_stores
    share = min(size_of_all(eval_index, network.input_shape), whole // (2 * stores))
    return whole - stores * share, share


def _name_documents(index: LineIndex, say: Callable[[str], None]) -> None:
    for document in index.documents:
        # As in the original, documents of a single line are not named.
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
    codec = load_codec(charsets)
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
