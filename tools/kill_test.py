"""Kill training at random moments, go on each time, and compare with a run nobody disturbed.

    .venv/bin/python tools/kill_test.py [--lines 3000] [--kills 10] [--seed 1]

Both runs train a small network on examples/ with the same command in folders of their own. The
second is ended with SIGKILL again and again, which no program can prepare for, and started
again. Their final weights and checkpoints have to be equal byte for byte; the exit status is 1
if they are not.
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

EXAMPLES = Path(__file__).parents[1] / "examples"
NET_SPEC = "[1,36,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1c1]"
CHECKPOINT_SECONDS = 0.5  # far more often than by default, so that kills come at all stages
CHILD = """
import sys
from lstmjax.train.config import TrainConfig
from lstmjax.train.request import Request
from lstmjax.train.run import run_training

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
      folder: of the run.
      lines: to train on.
      kills: how many.
      moments: chooses when.
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
        seconds = time.monotonic() - begin
        seen = reports(folder)
        reached = int(seen[-1]["training_iteration"]) if seen else 0
        print(f"{attempt:5}  {seconds:10.2f} s  {reached:9}  {resumed_from(log)}", flush=True)
    log = folder / "log-last.txt"
    finish(start(folder, lines, log), log)
    print(f"{'last':>5}  {'to the end':>12}  {lines:9}  {resumed_from(log)}")
    return kills


def wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a process run for a while, or to its end if that comes first."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def resumed_from(log: Path) -> str:
    """What a run said about where it went on, or how far it came in saying anything."""
    text = log.read_text(errors="replace")
    lines = [line for line in text.splitlines() if "restored trainer" in line]
    if lines:
        return lines[0].split(", ")[-1].removeprefix("Successfully restored trainer from ")
    return "the beginning" if text else "killed before it said"


def differences(one: Path, other: Path) -> list[str]:
    """What differs between the results of two runs."""
    found = []
    first, second = ((folder / "run" / "small_checkpoint").read_bytes() for folder in (one, other))
    weights = [lstm.pack(checkpoint.unpack(data).recognizer) for data in (first, second)]  # type: ignore[union-attr]
    if weights[0] != weights[1]:
        found.append("the weights or their update history differ")
    if first != second:
        at = next((i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1]), "the end")  # noqa: B905
        found.append(f"small_checkpoint differs from byte {at} on ({len(first)}, {len(second)})")
    names = [sorted(p.name for p in (f / "run").glob("*.checkpoint")) for f in (one, other)]
    if names[0] != names[1]:
        found.append(f"the best models differ: {names[0]} and {names[1]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="kill_test.py", description=__doc__)
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
        size = (one / "run" / "small_checkpoint").stat().st_size
    if found:
        sys.exit("DIFFERENT: " + "; ".join(found))
    print(f"equal after {kills} kills: weights, checkpoint ({size} bytes), best models")


if __name__ == "__main__":
    main()
