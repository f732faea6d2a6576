"""Draw lines, train on them, make models, measure them, draw the learning curve: see tools/demo."""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import demo_report
from demo_lines import Fonts, draw_evaluation, draw_training

import lstmjax
from lstmjax.infer.states import best_state
from lstmjax.run_paths import RunPaths

ROOT = Path(__file__).parents[2]
NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
TRAINING_LINES, EVAL_LINES = 3400, 60
PILOT_LINES = 500  # to find out how fast this machine is
LEAST_LINES, MOST_LINES = 4_000, 40_000
SHARE = 0.85  # of the time left after the pilot is training; the rest evaluates and saves
TOTAL_SECONDS = 300
REPORT_SECONDS = 50  # making and measuring the models, after training
LEAST_SECONDS = 60  # of training, however long the installation took


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "demo", help="output folder")
    parser.add_argument("--minutes", type=float, help="minutes to train (default: what is left)")
    parser.add_argument("--lines", type=int, help="lines to train on (default: what fits)")
    parser.add_argument("--used", type=float, default=0.0, help=argparse.SUPPRESS)
    return parser.parse_args()


def tool(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lstmjax", *map(str, arguments)]


def shown(path: Path) -> str:
    """A path as the user would type it in the checkout."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def make_data(out: Path) -> None:
    """Draw all lines, list them, make the starter traineddata of their texts."""
    drawn = {part: out / part for part in ("train", "eval")}
    if not (out / "eval.list").exists():
        print(f"Drawing {TRAINING_LINES} lines for training, {EVAL_LINES} to measure ...")
    for folder in drawn.values():
        folder.mkdir(exist_ok=True)
    fonts = Fonts()
    paths = draw_training(TRAINING_LINES, drawn["train"], fonts)
    (out / "train.list").write_text("".join(f"{path}\n" for path in paths))
    texts = lstmjax.read_lines(out / "train.list").texts
    lstmjax.make_starter(texts, out / "starter.traineddata")
    held_out = draw_evaluation(EVAL_LINES, drawn["eval"], fonts)
    (out / "eval.list").write_text(f"{held_out}\n")
    print(
        f"{len(texts)} lines in {len(paths)} fonts; {held_out.stem.replace('_', ' ')} is kept for "
        "measuring\n",
        flush=True,
    )


def choose_lines(out: Path, end: float) -> int:
    """How many lines fit into the time, from the speed of a short run that is continued.

    A run that goes on keeps its number, because the learning rate falls towards the end of it.
    """
    chosen = out / "lines.txt"
    if not chosen.exists():
        train(out, PILOT_LINES, end)
        metrics = out / "demo.metrics.jsonl"
        records = demo_report.read_metrics(metrics) if metrics.exists() else []
        speeds = [r["lines_per_second"] for r in records if r["event"] == "train"]
        if not speeds:  # what compiles at the first start takes up to a minute
            raise SystemExit(
                "The time was over before the first lines were trained on; run tools/demo again, "
                "or give it more --minutes."
            )
        speed = speeds[-1]
        lines = PILOT_LINES + SHARE * speed * (end - time.monotonic())
        lines = 500 * round(min(max(lines, LEAST_LINES), MOST_LINES) / 500)
        print(f"\n{speed:.0f} lines a second: {lines} lines fit into the time.\n", flush=True)
        chosen.write_text(f"{lines}\n")
    return int(chosen.read_text())


def train(out: Path, lines: int, end: float) -> None:
    """Run lstmtraining until it is done or the time is up; it saves when it is stopped.

    Raises: SystemExit: training failed. KeyboardInterrupt: the user stopped it.
    """
    command = tool(
        "lstmtraining", "--traineddata", out / "starter.traineddata", "--net_spec", NET_SPEC,
        "--train_listfile", out / "train.list", "--eval_listfile", out / "eval.list",
        "--model_output", out / "demo", "--max_iterations", lines,
    )  # fmt: skip
    print(f"$ lstmjax {' '.join(quote(word) for word in command[3:])}\n", flush=True)
    # In a session of its own it does not hear Ctrl-C; it is told once, here.
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        status = process.wait(max(end - time.monotonic(), 1))
    except subprocess.TimeoutExpired:
        print("\nThe time is over; training stops here.", flush=True)
        stop(process)
    except KeyboardInterrupt:
        stop(process)
        raise
    else:
        if status:
            raise SystemExit(status)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a run to save and end, and wait for it."""
    process.send_signal(signal.SIGINT)
    process.wait()


def quote(word: str) -> str:
    word = shown(Path(word)) if word.startswith("/") else word
    return f'"{word}"' if " " in word else word


def export(out: Path) -> None:
    """Turn the best state into a float and an int8 model."""
    print()
    for name, options in (("demo", []), ("demo_fast", ["--convert_to_int"])):
        subprocess.run(
            tool(
                "lstmtraining", "--stop_training", *options, "--continue_from", out / "demo",
                "--traineddata", out / "starter.traineddata",
                "--model_output", out / f"{name}.traineddata",
            ),
            cwd=ROOT, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    note = best_state(RunPaths(str(out / "demo"))).note
    print(f"Models made of {note.replace(str(out), shown(out))}")


def next_steps(out: Path) -> None:
    """Print commands to try."""
    where = shown(out)
    lstmjax = shown(Path(sys.executable).parent / "lstmjax")
    print(f"""
What to try next, from {ROOT}:

  {lstmjax} lstmeval --model {where}/demo.traineddata --eval_listfile {where}/eval.list
  {lstmjax} combine_tessdata -l {where}/demo_fast.traineddata""")
    if shutil.which("tesseract"):
        print(
            f"  tesseract examples/samples/sample-1.png - --psm 13 --tessdata-dir {where} -l demo"
        )
    print(f"""
Fine-tuning on your own lines (x.png with x.gt.txt, or x.lstmf; one path a line in my.list):

  {lstmjax} combine_tessdata -e {where}/demo.traineddata {where}/demo.lstm
  {lstmjax} lstmtraining --continue_from {where}/demo.lstm \\
    --traineddata {where}/demo.traineddata --train_listfile my.list \\
    --model_output out/mine --max_iterations 4000""")


def main() -> None:
    begin = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):  # stop as with Ctrl-C
        signal.signal(number, signal.default_int_handler)
    arguments = parse_arguments()
    out: Path = arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    left = TOTAL_SECONDS - REPORT_SECONDS - arguments.used
    seconds = 60 * arguments.minutes if arguments.minutes else max(left, LEAST_SECONDS)
    end = begin + seconds
    print(f"Training for {seconds:.0f} seconds; Ctrl-C stops, running this again goes on.\n")
    try:
        make_data(out)
        lines = arguments.lines or choose_lines(out, end)
        train(out, lines, end)
        export(out)
        demo_report.report(out, shown)
    except KeyboardInterrupt:
        print("\nStopped. To go on from here:  tools/demo")
        raise SystemExit(130) from None
    next_steps(out)
    print(f"\nDone in {time.monotonic() - begin + arguments.used:.0f} seconds.")


if __name__ == "__main__":
    main()
