"""The final report: what was trained on, how well the models read, what to do next."""

import shlex
from collections.abc import Iterator
from typing import Any

from lstmjax.pipeline.dropped import warnings

COLUMNS = "{:<6} {:>6} {:>8} {:>8} {:>8} {:>8}"


def show(report: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of report.txt.

    Args:
      report: content of report.json, see `tesstrain.run`.
    """
    counts = report["lines"]
    yield f"{report['name']}: {counts['train']} lines for training, {counts['eval']} for evaluation"
    yield from report.get("division", [])
    start = report.get("start_model")
    yield f"character set: {report['charset']['size']} unichars" + (
        f", {len(report['charset']['added'])} more than {start}" if start else ""
    )
    yield f"training: {report['training']['iterations']} lines"
    yield report["best_state"]
    if report["evaluation"]:
        yield ""
        yield "Error rates in percent. CER and WER count edits; BCER and BWER are Tesseract's"
        yield "measures, which ignore the order of characters and words."
        yield ""
        yield COLUMNS.format("", "lines", "CER", "WER", "BCER", "BWER")
        for kind, rates in report["evaluation"].items():
            figures = (f"{rates[name]:.2f}" for name in ("cer", "wer", "bcer", "bwer"))
            yield COLUMNS.format(kind, rates["lines"], *figures)
        for truth, reading in next(iter(report["evaluation"].values()))["worst"]:
            yield f"\n  truth  {truth}\n  read   {reading}"
    yield ""
    problems = [f"{path}: {why}" for path, why in report["problems"]]
    found = [*problems, *warnings(report["check"])]
    yield "What was dropped, what is odd:" if found else "No line was dropped."
    yield from (f"  {text}" for text in found)
    yield "\nWhat to do next:\n"
    yield from (f"  {shlex.join(command)}" for command in report["next"])


def next_commands(
    name: str, folder: str, eval_list: str, models: dict[str, str]
) -> list[list[str]]:
    """The commands that a user may want next: evaluate, read a page, list the model."""
    commands = []
    if eval_list:
        commands.append(
            ["lstmjax", "lstmeval", "--model", models["best"], "--eval_listfile", eval_list]
        )
    fast = f"{folder}/tessdata_fast"
    commands.append(["tesseract", "page.png", "-", "--tessdata-dir", fast, "-l", name])
    commands.append(["lstmjax", "combine_tessdata", "-d", models["best"]])
    return commands
