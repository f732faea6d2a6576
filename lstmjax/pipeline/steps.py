"""The steps of the pipeline after the lines are made; each runs only if its inputs have changed.

Every function takes the recorded `State` and returns the notes of its step, a JSON value.
"""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lstmjax.charset.codec import Codec
from lstmjax.data.lines import LineIndex, build_index
from lstmjax.data.listing import read_list
from lstmjax.errors import LstmjaxError, Say
from lstmjax.formats import traineddata
from lstmjax.formats.files import digest_file, write_atomically
from lstmjax.infer.states import SavedState
from lstmjax.pipeline import training
from lstmjax.pipeline.dropped import check_texts, dropped_lines, summarize
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.starter import StarterRequest, make_starter
from lstmjax.pipeline.state import Done, State, digest_files
from lstmjax.pipeline.training import TrainingRequest
from lstmjax.run_paths import RunPaths
from lstmjax.training.run import RECIPES

_WORTH_SAYING = (
    "Warning: unichar",
    "Normalization failed",
    "Utf8 buffer too big",
    "The word lists",
)

_CHARACTERS = 3  # the norm_mode of scripts whose characters are coded as they are

Notes = dict[str, Any]


def character_set(plan: Plan, state: State, found: Notes, say: Say) -> Notes:
    """Make the unicharset and the starter traineddata; notes: see `StarterResult`.

    Args:
      plan: plan of the pipeline.
      state: recorded steps.
      found: notes of the step that found or rendered the lines.
      say: printer of messages for the user.
    """
    language = plan.language
    norm_mode = plan.norm_mode or language.norm_mode
    request = StarterRequest(
        tuple(found["texts"]),
        plan.name,
        plan.lang,
        norm_mode,
        language.rtl,
        language.pass_through or norm_mode == _CHARACTERS,
        plan.langdata_dir,
        plan.wordlist,
        plan.start_model,
    )

    log = plan.path("character_set.log")

    def run() -> Done:
        messages: list[str] = []
        try:
            result = make_starter(request, plan.output_dir, messages.append)
        finally:
            text = "".join(f"{message}\n" for message in messages)
            # Also after a failure: the messages may say why.
            write_atomically(log, text.encode(errors="surrogateescape"))
        for message in messages:
            if message.startswith(_WORTH_SAYING):
                say(message)
        added = f", {len(result.added)} of them new" if result.added else ""
        say(f"{result.size} unichars{added}; the messages of the tools are in {log}")
        return Done((result.unicharset, result.traineddata, log), asdict(result))

    inputs = {**asdict(request), "files": digest_files(request.files())}
    return state.do("character set", inputs, run, say)


def check(state: State, request: TrainingRequest, found: Notes, say: Say) -> Notes:
    """Find the lines that cannot be used, and what is odd; notes: see `dropped.summarize`."""

    def run() -> Done:
        codec = Codec.from_traineddata(traineddata.load(request.traineddata))
        index = index_of(found)
        bad = dropped_lines(index, codec, training.geometry_for(request))
        summary = summarize(check_texts(index, codec), bad)
        if found.get("drawn"):
            summary["duplicates"] = 0  # every text occurs once in every font
        return Done(notes=summary)

    inputs = {
        "traineddata": digest_file(request.traineddata),
        "lines": found["digest"],
        "network": request.start_model or request.net_spec,
    }
    return state.do("check", inputs, run, say)


def train(
    state: State, request: TrainingRequest, found: Notes, say: Say, live: bool | None
) -> Notes:
    """Train; notes: see `training.train`.

    An interrupted run goes on, and so does a run whose settings have changed, such as
    max_iterations. With other lines, another character set or another network a new run begins,
    and the checkpoints of the old one are moved aside.

    Raises: LstmjaxError: the learning rate of a run of recipe tesseract has changed; it would keep
      the old one.
    """
    origin = {
        "traineddata": digest_file(request.traineddata),
        "lines": found["digest"],
        "network": request.net_spec if not request.start_model else None,
        "start_model": digest_file(request.start_model) if request.start_model else None,
        "recipe": request.recipe,
        "seed": dict(request.settings).get("seed"),
    }

    rate = dict(request.settings).get("learning_rate")

    def begin() -> Done:
        # Or training would go on from the checkpoints of the old run.
        _move_aside(Path(request.model_output).parent, say)
        return Done(notes={"learning_rate": rate})

    def run() -> Done:
        reached = training.train(request, live=live)
        return Done((RunPaths(request.model_output).checkpoint,), reached)

    began = state.do("network", origin, begin, lambda text: None)
    if RECIPES[request.recipe].keeps_first_rate and began and began["learning_rate"] != rate:
        raise LstmjaxError(
            f"{request.model_output}: as in the original, a run of recipe tesseract keeps the "
            f"learning rate it began with, {began['learning_rate']}; this call has {rate}. Leave "
            f"--learning_rate as it was, or give another --output_dir"
        )
    settings = [list(pair) for pair in sorted(request.settings)]
    return state.do("training", {**origin, "settings": settings}, run, say)


def make_models(
    plan: Plan, state: State, request: TrainingRequest, best: SavedState, say: Say
) -> Notes:
    """Make the models of the best state of a run; notes: path by kind."""

    def run() -> Done:
        made = training.make_models(request, plan.output_dir, plan.name)
        return Done(tuple(made.values()), made)

    inputs = {
        # The content of the best state, not its name: the name stays when the state changes.
        "checkpoint": hashlib.sha256(best.data).hexdigest(),
        "traineddata": digest_file(request.traineddata),
        "name": plan.name,
    }
    return state.do("models", inputs, run, say)


def evaluate(state: State, models: Notes, found: Notes, say: Say) -> Notes:
    """Evaluate the models on the evaluation lines; notes: kind -> see `training.measure`."""
    if not found["eval"]:
        return {}

    def run() -> Done:
        rates = {kind: training.measure(path, found["eval"]) for kind, path in models.items()}
        return Done(notes=rates)

    inputs = {
        "models": {kind: digest_file(path) for kind, path in models.items()},
        "lines": found["digest"],
    }
    return state.do("evaluation", inputs, run, say)


def index_of(found: Notes) -> LineIndex:
    """All lines of both lists."""
    paths = [path for part in ("train", "eval") if found[part] for path in read_list(found[part])]
    return build_index(paths)


def _move_aside(folder: Path, say: Say) -> None:
    """Rename the folder of checkpoints, if an earlier run has left any."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    number = 1
    while (other := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(other)
    say(
        "The data or the network has changed: training starts anew; "
        f"the earlier run is now in {other}"
    )
