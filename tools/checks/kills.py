"""Kill training at random moments, go on each time, and compare with a run nobody disturbed.

    .venv/bin/python tools/checks/kills.py [--lines 3000] [--kills 10] [--seed 1]

Both runs train a small network on examples/ with the same command in folders of their own. The
second is ended with SIGKILL again and again, which no program can prepare for, and started
again. Their final weights and checkpoints have to be equal byte for byte, and after every kill the
file of the best state has to hold the best that the checkpoint names, or a newer one; the exit
status is 1 if that is not so.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lstmjax.formats import checkpoint, lstm
from lstmjax.formats.checkpoint import TrainerRecord
from lstmjax.run_paths import RunPaths

EXAMPLES = Path(__file__).parents[2] / "examples"
NET_SPEC = "[1,36,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1c1]"
CHECKPOINT_SECONDS = 0.5  # far more often than by default, so that kills come at all stages
CHILD = """
import sys
from lstmjax.training.config import TrainConfig
from lstmjax.training.request import Request
from lstmjax.training.run import run_training

traineddata, train_list, eval_list, net_spec, lines, seconds = sys.argv[1:]
request = Request(traineddata, "run/small", train_list, eval_list, net_spec)
config = TrainConfig(max_iterations=int(lines), checkpoint_seconds=float(seconds))
run_training(request, config, live=False)
"""


def start(folder: Path, lines: int, log: Path) -> subprocess.Popen[bytes]:
    """Start training in a folder, or go on there."""
    command = [
        sys.executable, "-c", CHILD, EXAMPLES / "demo.traineddata", EXAMPLES / "train.list",
        EXAMPLES / "eval.list", NET_SPEC, str(lines), str(CHECKPOINT_SECONDS),
    ]  # fmt: skip
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)


def reports(folder: Path) -> list[dict[str, float]]:
    """The training records of a run so far; one cut short by a kill is left out."""
    path = folder / "run" / "small.metrics.jsonl"
    records = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return [record for record in records if record["event"] == "train"]


def run_undisturbed(folder: Path, lines: int) -> tuple[float, float]:
    """Train to the end; seconds until the first report and seconds in all."""
    begin = time.monotonic()
    process = start(folder, lines, folder / "log-0.txt")
    first = 0.0
    while process.poll() is None:
        time.sleep(0.05)
        if not first and reports(folder):
            first = time.monotonic() - begin
    finish(process, folder / "log-0.txt")
    return first, time.monotonic() - begin


def finish(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for a run; leave with its log if it fails."""
    if process.wait() != 0:
        sys.exit(f"training failed with status {process.returncode}:\n{log.read_text()[-2000:]}")


def run_killed(
    folder: Path, lines: int, kills: int, moments: random.Random, first: float, training: float
) -> int:
    """Train, killing and starting again.

    Some kills come while the program starts, most while it trains; these leave it on average a
    little less time than its share, so that the run is not over before the last kill.

    Args:
      folder: folder of the run.
      lines: number of lines to train on.
      kills: number of kills.
      moments: source of the random moments.
      first: seconds an undisturbed run takes until its first report.
      training: seconds it takes from there to its end.
    Returns: the number of kills that hit a running process.
    """
    print(f"{'start':>5}  {'killed after':>12}  {'iteration':>9}  went on from")
    for attempt in range(1, kills + 1):
        log = folder / f"log-{attempt}.txt"
        begin = time.monotonic()
        process = start(folder, lines, log)
        if moments.random() < 0.3:
            wait(process, moments.uniform(0, first))
        else:
            known = len(reports(folder))
            while process.poll() is None and len(reports(folder)) == known:
                time.sleep(0.02)
            wait(process, moments.uniform(0, 1.8 * training / kills))
        if process.poll() is not None:
            finish(process, log)
            print(f"{attempt:5}  finished before it could be killed; try more --lines")
            return attempt - 1
        process.kill()
        process.wait()
        check_best(folder)
        seconds = time.monotonic() - begin
        seen = reports(folder)
        reached = int(seen[-1]["training_iteration"]) if seen else 0
        print(f"{attempt:5}  {seconds:10.2f} s  {reached:9}  {resumed_from(log)}", flush=True)
    log = folder / "log-last.txt"
    finish(start(folder, lines, log), log)
    print(f"{'last':>5}  {'to the end':>12}  {lines:9}  {resumed_from(log)}")
    return kills


def paths_of(folder: Path) -> RunPaths:
    """The files of the run in a folder."""
    return RunPaths(str(folder / "run" / "small"))


def trainer(data: bytes) -> TrainerRecord:
    """A state of a run."""
    record = checkpoint.unpack(data)
    assert isinstance(record, TrainerRecord)
    return record


def check_best(folder: Path) -> None:
    """Leave if the file of the best state is behind the checkpoint."""
    paths = paths_of(folder)
    last = Path(paths.checkpoint)
    known = trainer(last.read_bytes()).best_trainer if last.exists() else b""
    if not known:
        return
    best = Path(paths.best)
    if not best.exists():
        sys.exit(f"DIFFERENT: {best} is missing, but the checkpoint knows a best state")
    found = best.read_bytes()
    reached, at = (trainer(data).recognizer.training_iteration for data in (known, found))
    if found != known and at <= reached:
        sys.exit(f"DIFFERENT: {best} is of iteration {at}, the best known of iteration {reached}")


def wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a process run for a while, or to its end if that comes first."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def resumed_from(log: Path) -> str:
    """The state that a run went on from, by its log, or how far it came."""
    text = log.read_text(errors="replace")
    lines = [line for line in text.splitlines() if "restored trainer" in line]
    if lines:
        return lines[0].split(", ")[-1].removeprefix("Successfully restored trainer from ")
    return "the beginning" if text else "killed before it said"


def differences(one: Path, other: Path) -> list[str]:
    """The differences between the results of two runs, in words."""
    found = []
    first, second = (Path(paths_of(folder).checkpoint).read_bytes() for folder in (one, other))
    weights = [lstm.pack(trainer(data).recognizer) for data in (first, second)]
    if weights[0] != weights[1]:
        found.append("the weights or their update history differ")
    if first != second:
        at = next((i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1]), "the end")  # noqa: B905
        found.append(f"small_checkpoint differs from byte {at} on ({len(first)}, {len(second)})")
    names = [sorted(p.name for p in (f / "run").glob("*.checkpoint")) for f in (one, other)]
    if names[0] != names[1]:
        found.append(f"the best models differ: {names[0]} and {names[1]}")
    if Path(paths_of(other).best).read_bytes() != trainer(first).best_trainer:
        found.append("small_best.checkpoint is not the best state")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="checks/kills.py", description=__doc__)
    parser.add_argument("--lines", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        warm, one, other = (Path(scratch, name) for name in ("warm", "undisturbed", "killed"))
        for folder in (warm, one, other):
            folder.mkdir()
        run_undisturbed(warm, min(arguments.lines, 1000))  # compiles, so that times compare
        first, total = run_undisturbed(one, arguments.lines)
        print(f"undisturbed: {total:.1f} s, the first report after {first:.1f} s")
        moments = random.Random(arguments.seed)
        kills = run_killed(other, arguments.lines, arguments.kills, moments, first, total - first)
        found = differences(one, other)
        size = Path(paths_of(one).checkpoint).stat().st_size
    if found:
        sys.exit("DIFFERENT: " + "; ".join(found))
    print(f"equal after {kills} kills: weights, checkpoint ({size} bytes), best models")


if __name__ == "__main__":
    main()
