"""What an output folder was made for: the name of its model, its language, the source of its lines.

Files of another model, or of other lines, would overwrite those in the folder. So a call with
another origin is refused, unless `--overwrite` allows it.
"""

import os
from typing import Any

from lstmjax.errors import LstmjaxError, Say
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.state import Done, State

_STEP = "origin"
_NAMED = ("network", "training")
"""Steps whose files are named after the model."""


def check_origin(plan: Plan, state: State, say: Say) -> None:
    """Compare a plan with the recorded origin of its output folder.

    Args:
      plan: plan of the pipeline.
      state: steps done in the folder.
      say: printer of differences that are allowed, and of a missing record.
    Raises: LstmjaxError: the model has another name, or the lines are from elsewhere.
    """
    asked, step = _origin(plan), state.steps.get(_STEP)
    if step is None:
        if state.steps:
            say(f"{plan.output_dir}: there is no record of the model and the lines it was made for")
        return
    known = step["notes"]
    if asked["lang"] != known["lang"] and asked["name"] == known["name"]:
        before, now = known["lang"], asked["lang"]
        say(f"--lang was {before} and is {now} now: what depends on it is done anew")
    if asked["name"] != known["name"]:
        _refuse(plan, "--model_name", known["name"], asked["name"], say)
        # Steps named after the model would find the files of the old name.
        for name in _NAMED:
            state.forget(name)
    if not _same_lines(asked, known):
        before, now = (f"{one['kind']} {one['path']}" for one in (known, asked))
        _refuse(plan, "lines of", before, now, say)


def record_origin(plan: Plan, state: State) -> None:
    """Record the origin of the folder; called after its first step."""
    origin = _origin(plan)
    if state.steps.get(_STEP, {}).get("notes") != origin:
        state.forget(_STEP)
    state.do(_STEP, origin, lambda: Done(notes=origin), lambda text: None)


def _origin(plan: Plan) -> dict[str, Any]:
    kind = "--training_text" if plan.rendering else "--ground_truth"
    path = os.path.realpath(plan.rendering.training_text if plan.rendering else plan.ground_truth)
    relative = os.path.relpath(path, os.path.realpath(plan.output_dir))
    return {"name": plan.name, "lang": plan.lang, "kind": kind, "path": path, "relative": relative}


def _same_lines(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two origins have the same source of lines, which may have moved with the folder."""
    places = any(one[key] == other[key] for key in ("path", "relative"))
    return one["kind"] == other["kind"] and places


def _refuse(plan: Plan, what: str, before: str, now: str, say: Say) -> None:
    """Raise an error; with `--overwrite` only print the difference."""
    text = f"{plan.output_dir}: was made with {what} {before}, not with {what} {now}"
    if not plan.overwrite:
        raise LstmjaxError(
            f"{text}; give another --output_dir, or --overwrite to use this one all the same"
        )
    say(text)
