"""Results of the demo after training: error rates, readings, learning curve."""

import json
from collections.abc import Callable
from pathlib import Path

from lstmjax.cache.programs import keep_programs
from lstmjax.data.lines import LineIndex, build_index
from lstmjax.data.listing import read_list
from lstmjax.infer.choose import make_forward
from lstmjax.infer.evaluate import Evaluation, LineReading, evaluate
from lstmjax.infer.model import load_model

MAX_BYTES = 1 << 28
READINGS = 6
TRAINING_DOCUMENTS = 2  # measured beside the held-out lines
COLUMNS = "{:<24} {:>6} {:>8} {:>8} {:>8} {:>8}"


def report(out: Path, shown: Callable[[Path], str]) -> None:
    """Print the table and the readings, and draw the curve."""
    keep_programs()
    training = build_index(read_list(out / "train.list")[:TRAINING_DOCUMENTS])
    held_out = build_index(read_list(out / "eval.list"))
    model, fast = out / "demo.traineddata", out / "demo_fast.traineddata"
    print("\nError rates in percent. BCER and BWER are Tesseract's measures (order of characters")
    print("ignored), CER and WER count edits. The held-out lines are in a font never trained on.\n")
    print(COLUMNS.format("", "lines", "BCER", "BWER", "CER", "WER"))
    measure("some of training, float", model, training)
    result = measure("held out, float", model, held_out)
    measure("held out, int8", fast, held_out)
    print_readings(result)
    curve = out / "learning_curve.png"
    draw_curve(read_metrics(out / "demo.metrics.jsonl"), curve)
    print(f"\n{shown(model)}  {shown(fast)}  {shown(curve)}")


def measure(name: str, model: Path, lines: LineIndex) -> Evaluation:
    """Read lines with a model and print a row of the table."""
    result = evaluate(
        make_forward(load_model(model)), lines, max_bytes=MAX_BYTES, with_delta=False, batch=16
    )
    rates = (result.bcer, result.bwer, result.cer.rate, result.wer.rate)
    count = len(result.readings)
    print(COLUMNS.format(name, count, *(f"{100 * rate:.2f}" for rate in rates)), flush=True)
    return result


def print_readings(result: Evaluation) -> None:
    """Print a few readings beside the truth: the worst first, then right ones."""
    wrong = sorted(result.distinct, key=lambda reading: -reading.chars.rate)
    some = wrong[: READINGS // 2] + wrong[-(READINGS - READINGS // 2) :]
    print("\nHeld-out lines, the three worst and three of the best:\n")
    for reading in some:
        print_reading(reading)


def print_reading(reading: LineReading) -> None:
    same = reading.line.text == reading.text
    print(f"  truth  {reading.line.text}")
    print(f"  read   {reading.text}{'' if not same else '   (right)'}\n")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The records of a metrics file; a last line cut short by a crash is left out."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def draw_curve(records: list[dict[str, float]], path: Path) -> None:
    """Draw training BCER and evaluation error rates over lines trained on."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    series = [
        ("train", "bcer", "BCER, training (mean of 1000 lines)", "-"),
        ("eval", "bcer", "BCER, held out", "o--"),
        ("eval", "cer", "CER, held out", "o-"),
    ]
    for event, key, label, style in series:
        points = [r for r in records if r["event"] == event and key in r]
        if points:
            axes.plot(
                [r["training_iteration"] for r in points], [r[key] for r in points],
                style, label=label, markersize=3,
            )  # fmt: skip
    axes.set(xlabel="lines trained on", ylabel="error rate in percent", ylim=(0, 102))
    axes.set_title("A network learning to read")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
