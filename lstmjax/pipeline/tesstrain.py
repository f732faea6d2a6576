"""The pipeline from ground truth, or from a text and fonts, to models that Tesseract runs.

Every step is recorded with its inputs (`state.State`), so that a second call does only what has
changed or was not finished. Training itself continues from its checkpoint.
"""

import json
from pathlib import Path
from typing import Any

from lstmjax.errors import LstmjaxError, Say
from lstmjax.formats.files import write_atomically
from lstmjax.infer.states import best_state
from lstmjax.pipeline import steps
from lstmjax.pipeline.ground_truth import found_lines
from lstmjax.pipeline.origin import check_origin, record_origin
from lstmjax.pipeline.plan import Plan
from lstmjax.pipeline.rendered import rendered_lines
from lstmjax.pipeline.report import next_commands, show
from lstmjax.pipeline.state import State
from lstmjax.pipeline.training import TrainingRequest
from lstmjax.run_paths import RunPaths

STATE = "tesstrain.json"
"""Name of the file in the output folder that records the steps."""


def run(plan: Plan, say: Say, *, live: bool | None = None) -> dict[str, Any]:
    """Run the pipeline, or what is left of it.

    Args:
      plan: inputs, output folder and settings.
      say: printer of messages for the user, line by line.
      live: whether to show a live display of training; None: only on a terminal.
    Returns: the report, as written to report.json; with `data_only` only its first parts.
    Raises: LstmjaxError: a step fails, or the folder was made for another model or other lines;
      finished steps are kept. InterruptedRun: a signal stopped training after everything was saved.
    """
    _check_folder(plan)
    state = State.load(plan.output_dir, STATE)
    # Before anything is written; recorded only once the first step has succeeded.
    check_origin(plan, state, say)
    found = (rendered_lines if plan.rendering else found_lines)(plan, state, say)
    record_origin(plan, state)
    charset = steps.character_set(plan, state, found, say)
    report = {
        "name": plan.name,
        "start_model": plan.start_model,
        "lines": found["counts"],
        "division": found.get("division", []),
        "problems": found["problems"],
        "charset": charset,
    }
    if plan.data_only:
        say(f"\nCreated starter traineddata for LSTM training of language '{plan.lang}'")
        say(f"{charset['traineddata']}\n{found['train']}")
        return report
    # -- training, from here on with everything that it needs on disk
    request = TrainingRequest(
        charset["traineddata"],
        found["train"],
        found["eval"],
        plan.path("checkpoints", plan.name),
        plan.net_spec,
        plan.start_model,
        plan.recipe,
        plan.settings,
    )
    report["check"] = steps.check(state, request, found, say)
    report["training"] = steps.train(state, request, found, say, live)
    # -- models, their error rates, and the report
    best = best_state(RunPaths(request.model_output))
    models = steps.make_models(plan, state, request, best, say)
    report |= {"checkpoint": best.source, "best_state": best.note, "models": models}
    report["evaluation"] = steps.evaluate(state, models, found, say)
    report["next"] = next_commands(plan.name, plan.output_dir, found["eval"], models)
    write_report(plan, report, say)
    return report


def _check_folder(plan: Plan) -> None:
    """Make the output folder.

    Raises: LstmjaxError: the folder holds files of another origin, or cannot be made.
    """
    folder = Path(plan.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in folder.iterdir()]
    except OSError as err:
        raise LstmjaxError(f"{folder}: cannot be used: {err.strerror or err}") from err
    if others and STATE not in others and not plan.overwrite:
        raise LstmjaxError(
            f"{folder}: holds files of another origin ({', '.join(sorted(others)[:3])}); give a "
            "new folder, or --overwrite if they may be overwritten"
        )


def write_report(plan: Plan, report: dict[str, Any], say: Say) -> None:
    """Write report.json and report.txt to the output folder, and print the latter."""
    text = list(show(report))
    data = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    write_atomically(plan.path("report.json"), data.encode(errors="surrogateescape"))
    write_atomically(plan.path("report.txt"), "\n".join([*text, ""]).encode("utf-8", "replace"))
    say("")
    for line in text:
        say(line)
