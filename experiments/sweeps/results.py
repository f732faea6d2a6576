"""Results of a study: a table in Markdown and CSV, and a picture."""

import csv
import io
import math
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lstmjax.formats.files import write_atomically

from . import slots

_COLUMNS = 3
_FEW = 6  # at most so many whole numbers get a tick each
_WIDE = 8  # ratio of values from which on an axis is logarithmic


def rows(study: optuna.Study) -> list[dict[str, Any]]:
    """A row for each place, the best first; failed and open ones last."""
    found = []
    for place, trials in sorted(slots.by_place(study.get_trials(deepcopy=False)).items()):
        trial = slots.counts(trials) or trials[-1]
        attempts = sum(one.state != TrialState.WAITING for one in trials)
        found.append({
            "place": place,
            "state": trial.state.name.lower(),
            "cer_percent": _best(trial),
            "lines": max(trial.intermediate_values, default=""),
            **trial.params,
            "attempts": attempts,
            "seconds": trial.user_attrs.get("seconds", ""),
            "run": trial.user_attrs.get(slots.RUN, ""),
            "problem": trial.user_attrs.get(slots.PROBLEM, ""),
        })  # fmt: skip
    order = {"complete": 0, "pruned": 1}
    return sorted(
        found,
        key=lambda row: (order.get(row["state"], 2), row["cer_percent"] or math.inf, row["place"]),
    )


def _best(trial: FrozenTrial) -> float | None:
    return min(trial.intermediate_values.values(), default=trial.value)


def _columns(found: list[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in found for name in row)
    last = ["attempts", "seconds", "run", "problem"]
    used = [name for name in last if any(row.get(name) not in ("", None) for row in found)]
    return [*(name for name in names if name not in last), *used]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def markdown(found: list[dict[str, Any]]) -> str:
    """The table in Markdown."""
    names = _columns(found)
    cells = [[_cell(row.get(name)).replace("|", "\\|") for name in names] for row in found]
    lines = [names, ["---"] * len(names), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def csv_text(found: list[dict[str, Any]]) -> str:
    """The table in CSV."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, _columns(found), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def write_results(study: optuna.Study, base: str) -> list[str]:
    """Write `base`.md, .csv and .png.

    Raises: LstmjaxError: a file cannot be written.
    """
    found = rows(study)
    write_atomically(f"{base}.md", markdown(found).encode())
    write_atomically(f"{base}.csv", csv_text(found).encode())
    write_atomically(f"{base}.png", picture(study))
    return [f"{base}.md", f"{base}.csv", f"{base}.png"]


def picture(study: optuna.Study) -> bytes:
    """Curves of all trials, and the final rate over each setting, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    trials = [
        trial
        for found in slots.by_place(study.get_trials(deepcopy=False)).values()
        if (trial := slots.counts(found)) is not None and trial.intermediate_values
    ]
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    height = 1 + -(-len(names) // _COLUMNS)
    figure = pyplot.figure(figsize=(9, 2.7 * height), layout="constrained")
    grid = figure.add_gridspec(height, _COLUMNS)
    _draw_curves(figure.add_subplot(grid[0, :]), trials)
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[1 + i // _COLUMNS, i % _COLUMNS])
        _draw_setting(axes, trials, name)
    out = io.BytesIO()
    figure.savefig(out, dpi=80)
    pyplot.close(figure)
    return out.getvalue()


def _draw_curves(axes: Any, trials: list[FrozenTrial]) -> None:
    best = min(trials, key=lambda trial: _best(trial) or math.inf, default=None)
    for trial in trials:
        steps = sorted(trial.intermediate_values)
        values = [trial.intermediate_values[step] for step in steps]
        pruned = trial.state is TrialState.PRUNED
        colour = "tab:red" if trial is best else "tab:grey" if pruned else "tab:blue"
        axes.plot(
            steps, values, ":" if pruned else "-", marker="x" if pruned else ".",
            markevery=[-1], color=colour, linewidth=2 if trial is best else 1,
        )  # fmt: skip
    axes.set(xlabel="lines trained on", ylabel="CER, evaluation (%)")
    axes.set_title("red: the best; dotted: pruned", fontsize=9)
    _scale(axes.yaxis, [y for trial in trials for y in trial.intermediate_values.values()])
    axes.grid(alpha=0.3)


def _draw_setting(axes: Any, trials: list[FrozenTrial], name: str) -> None:
    points = [(trial.params[name], _best(trial), trial.state) for trial in trials
              if name in trial.params]  # fmt: skip
    values = [x for x, _, _ in points]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in values):
        values = [str(x)[-16:] for x in values]
    else:
        _scale(axes.xaxis, values)
    colours = ["tab:grey" if state is TrialState.PRUNED else "tab:blue" for *_, state in points]
    axes.scatter(values, [y for _, y, _ in points], s=18, c=colours)
    _scale(axes.yaxis, [y for _, y, _ in points if y is not None])
    axes.set_xlabel(name)
    axes.grid(alpha=0.3)


def _scale(axis: Any, values: list[Any]) -> None:
    """Set a tick for each of a few whole numbers, or a log scale if values differ widely."""
    distinct = sorted(set(values))
    if len(distinct) <= _FEW and all(isinstance(value, int) for value in distinct):
        axis.set_ticks(distinct)
    elif distinct and distinct[0] > 0 and distinct[-1] / distinct[0] >= _WIDE:
        (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")


def text_of(study: optuna.Study) -> str:
    """The progress of a study in words."""
    found = rows(study)
    states: dict[str, int] = {}
    for row in found:
        states[row["state"]] = states.get(row["state"], 0) + 1
    summary = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{len(found)} configuration{'s' * (len(found) != 1)}: {summary or 'none yet'}"
