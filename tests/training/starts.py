"""Models to start from, made without training, and starts without a run."""

from dataclasses import replace

import jax
import numpy as np
from training.small import EXAMPLES, NET_SPEC

from lstmjax.charset.codec import Codec
from lstmjax.formats import checkpoint, lstm, recoder, traineddata, unicharset
from lstmjax.formats.files import PathLike
from lstmjax.formats.lstm import INT_MODE
from lstmjax.nn.quantize import to_int
from lstmjax.training.config import make_config
from lstmjax.training.fast import history as fast_history
from lstmjax.training.native import NativeStore
from lstmjax.training.request import Request
from lstmjax.training.run import RECIPES, check_request
from lstmjax.training.save import trainer_record, without_training
from lstmjax.training.start import Asked, choose_start

DEMO = EXAMPLES / "demo.traineddata"


def codec_of(path):
    return Codec.from_traineddata(traineddata.load(path))


def start(folder, recipe="fast", *, charsets: PathLike = DEMO, settings=None, **request):
    """What a run would start from, and what it would say."""
    config = make_config(recipe, **(settings or {}))
    wanted = Request(
        traineddata=str(charsets),
        model_output=str(folder / "m"),
        train_listfile="",
        given=frozenset([*(settings or {}), *request]),
        **request,
    )
    said: list[str] = []
    native = NativeStore(wanted.native_directory, keep=1)
    asked = Asked(wanted, config, RECIPES[recipe], codec_of(charsets), "", said.append)
    try:
        check_request(wanted, config)
        found = choose_start(asked, native)
    finally:
        native.close()
    return found, "\n".join(said)


def save_start(found, path, *, iterations=0):
    """Write a start as Tesseract's checkpoint."""
    progress = replace(
        found.snapshot.progress, training_iteration=iterations, sample_iteration=iterations
    )
    state = found.snapshot.state
    if found.config.recipe == "fast":
        state = fast_history.with_history(state, progress, found.config)
    record = trainer_record(found.identity, state, progress, found.config, best_trainer=b"")
    checkpoint.save(record, path)
    return record


def with_history(found):
    """The start with moments that are not zero."""
    state = found.snapshot.state
    moments = state.opt_state

    def noise(leaf):
        return (1e-3 * (1 + np.arange(leaf.size).reshape(leaf.shape) % 7)).astype(np.float32)

    moments = moments._replace(
        updates=jax.tree.map(noise, moments.updates), squares=jax.tree.map(noise, moments.squares)
    )
    snapshot = replace(found.snapshot, state=state._replace(opt_state=moments))
    return replace(found, snapshot=snapshot)


def make_base(folder, net_spec=NET_SPEC, **settings):
    """A checkpoint `base` of recipe tesseract with history, and its record."""
    found, _ = start(folder, "tesseract", net_spec=net_spec, settings=settings)
    path = folder / "base"
    return str(path), save_start(with_history(found), path, iterations=10)


def make_model(folder, record, *, as_int=False):
    """A whole traineddata of a checkpoint, and its component alone."""
    recognizer = without_training(record.recognizer)
    if as_int:
        flags = recognizer.training_flags | INT_MODE
        network = to_int(recognizer.network)
        recognizer = replace(recognizer, network=network, training_flags=flags)
    component = lstm.pack(recognizer)
    (folder / "model.lstm").write_bytes(component)
    traineddata.save(
        traineddata.load(DEMO).with_component("lstm", component), folder / "model.traineddata"
    )
    return str(folder / "model.traineddata"), str(folder / "model.lstm")


def smaller_charset(folder, drop=5):
    """The demo's character set without its last unichars; the null moves down."""
    trained = traineddata.load(DEMO)
    rows = unicharset.unpack(trained.components["lstm-unicharset"]).rows[:-drop]
    codes = recoder.unpack(trained.components["lstm-recoder"]).codes
    null = max(max(sequence) for sequence in codes)
    kept = codes[:-drop]
    left = sorted({code for sequence in kept for code in sequence} - {null})
    renumbered = {code: i for i, code in enumerate(left)} | {null: len(left)}
    table = tuple(tuple(renumbered[code] for code in sequence) for sequence in kept)
    path = folder / "smaller.traineddata"
    made = trained.with_component(
        "lstm-unicharset", unicharset.pack(unicharset.UnicharsetTable(rows))
    ).with_component("lstm-recoder", recoder.pack(recoder.Recoder(table)))
    traineddata.save(made, path)
    return path


def exchanged_rows(folder, one=10, other=20):
    """The demo's character set with two unichars exchanged; its size stays."""
    trained = traineddata.load(DEMO)
    rows = list(unicharset.unpack(trained.components["lstm-unicharset"]).rows)
    rows[one], rows[other] = rows[other], rows[one]
    table = unicharset.pack(unicharset.UnicharsetTable(tuple(rows)))
    path = folder / "exchanged.traineddata"
    traineddata.save(trained.with_component("lstm-unicharset", table), path)
    return path


def frozen(found):
    """The leaves of a start that no gradient reaches."""
    return found.identity.frozen(found.snapshot.state.params)


def resumed(found):
    """Whether a start goes on from an earlier state of the run; the states in tests have lines."""
    return found.snapshot.progress.training_iteration > 0
