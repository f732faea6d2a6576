"""What an output folder is for: the name of its model, its language, and where its lines are from.

Files of another model or of other lines in the same folder would take each other's places; so a
call that asks for such is refused unless it says that the folder may be used for it.
"""

import os
from typing import Any

from lstmjax.errors import LstmjaxError, Say
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.state import Done, State

_STEP = "origin"
_NAMED = ("network", "training")
"""Steps whose files bear the name of the model."""


def check_origin(plan: Plan, state: State, say: Say) -> None:
    """Compare a call with what the folder was used for before.

    Args:
      plan: what is asked for.
      state: the steps done in the folder.
      say: told what is another, where that is allowed, and what cannot be known.
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
        for name in _NAMED:
            state.forget(name)
    if not _same_lines(asked, known):
        before, now = (f"{one['kind']} {one['path']}" for one in (known, asked))
        _refuse(plan, "lines of", before, now, say)


def record_origin(plan: Plan, state: State) -> None:
    """Record what the folder is for; called when its first step has been done."""
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
    """Whether two calls take their lines from one place, which may have moved with the folder."""
    places = any(one[key] == other[key] for key in ("path", "relative"))
    return one["kind"] == other["kind"] and places


def _refuse(plan: Plan, what: str, before: str, now: str, say: Say) -> None:
    """Raise, or only say it where the folder may be used for something else."""
    text = f"{plan.output_dir}: was made with {what} {before}, not with {what} {now}"
    if not plan.overwrite:
        raise LstmjaxError(
            f"{text}; give another --output_dir, or --overwrite to use this one all the same"
        )
    say(text)
