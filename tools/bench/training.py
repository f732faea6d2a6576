"""Speed of `lstmjax lstmtraining` beside the real lstmtraining: same data, network and machine.

    .venv/bin/python tools/bench/training.py [--rounds 3] [--listfile F --traineddata T]
        [--net_spec S] [--recipe tesseract] [--ours "--batch 8"] [--until 5]

Each program trains for a few and for more lines; the difference of lines over the difference of
seconds leaves out starting up, reading data and compiling. Both take turns in every round, and
the medians are printed, since other work on a machine changes from minute to minute. What
compiling costs is shown apart: the short run with an empty cache against one with a full cache.
The real tool runs with one thread, which is fastest for it. `--until 5` also measures the seconds,
and the lines, until the training BCER is 5 %, everything included and nothing compiled before.
"""

import argparse
import math
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
DATA = "LSTMJAX_TESTDATA"
OUR_LINES = {"fast": (4800, 12000), "tesseract": (100, 700)}
REAL = "--learning_rate 20e-4"  # with its own default it needs half as many lines again
MOST_LINES = 30_000  # to reach an error with


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/training.py", description=__doc__)
    parser.add_argument("--listfile", type=Path, help=f"lines (default: from ${DATA})")
    parser.add_argument("--traineddata", type=Path, help=f"character set (default: from ${DATA})")
    parser.add_argument("--net_spec", default=NET_SPEC)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--real_lines", type=int, nargs=2, default=(100, 400), metavar="N")
    parser.add_argument("--our_lines", type=int, nargs=2, metavar="N")
    parser.add_argument("--recipe", choices=sorted(OUR_LINES), default="fast")
    parser.add_argument("--ours", default="", help="more flags for our program")
    parser.add_argument("--until", type=float, help="percent of BCER to reach, once each")
    parser.add_argument("--real", default=REAL, help=f"flags for the real program ({REAL})")
    parser.add_argument("--skip_real", action="store_true", help="measure only our program")
    arguments = parser.parse_args()
    arguments.our_lines = arguments.our_lines or OUR_LINES[arguments.recipe]
    return arguments


def default_data(scratch: Path) -> tuple[Path, Path]:
    """A list file of the English lines of the test data, and their starter traineddata.

    Raises: SystemExit: there is no test data.
    """
    folder = Path(os.environ.get(DATA, ""), "tesseract-test")
    if not os.environ.get(DATA) or not folder.is_dir():
        sys.exit(f"give --listfile and --traineddata, or set {DATA} (see README.md, Test data)")
    listing = scratch / "lines.list"
    listing.write_text(f"{folder.absolute() / 'eng.Arial.exp0.lstmf'}\n")
    return listing, folder.absolute() / "eng.starter.traineddata"


@dataclass(frozen=True)
class Run:
    """A finished run: seconds, peak of resident memory in MB, printed text."""

    seconds: float
    peak: float
    log: str


class Trainer:
    """One of the two programs with everything but the number of lines."""

    def __init__(self, command: Sequence[str], flags: Sequence[object], env: dict[str, str]):
        self.command = [*command, *map(str, flags)]
        self.env = {**os.environ, **env}

    def run(self, *flags: object, env: dict[str, str] | None = None) -> Run:
        """Train in an empty folder.

        Raises: SystemExit: it failed.
        """
        with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+b") as log:
            words = [*self.command, "--model_output", f"{folder}/m", *map(str, flags)]
            begin = time.perf_counter()
            process = subprocess.Popen(
                words, env={**self.env, **(env or {})}, cwd=folder, stdout=log, stderr=log
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            text = log.read().decode(errors="replace")
        if process.returncode:
            sys.exit(f"{' '.join(words)} failed:\n{text[-2000:]}")
        return Run(seconds, usage.ru_maxrss / 1024, text)

    def lines(self, number: int, env: dict[str, str] | None = None) -> Run:
        """Train on a number of lines, whatever the error rate."""
        return self.run("--max_iterations", number, "--target_error_rate", -1, env=env)

    def speed(self, few: int, more: int) -> tuple[float, float]:
        """Lines per second without start-up and compilation (nan: lost in noise), peak memory."""
        short, long = self.lines(few), self.lines(more)
        seconds = long.seconds - short.seconds
        return (more - few) / seconds if seconds > 0 else math.nan, long.peak


def compile_times(ours: Trainer, lines: int) -> tuple[float, float]:
    """Seconds of a short run with an empty cache of compiled code, and again with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        env = {"XDG_CACHE_HOME": cache}
        return ours.lines(lines, env).seconds, ours.lines(lines, env).seconds


def median(values: Sequence[float]) -> float:
    """The median of the rounds that gave a number."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        listing, charset = default_data(Path(scratch)) if not arguments.listfile else (
            arguments.listfile.absolute(), arguments.traineddata.absolute()
        )  # fmt: skip
        flags = [
            "--traineddata", charset, "--train_listfile", listing, "--net_spec",
            arguments.net_spec,
        ]  # fmt: skip
        own = [*flags, *shlex.split(arguments.real)]
        real = Trainer(["lstmtraining"], own, {"OMP_THREAD_LIMIT": "1"})
        ours = Trainer(
            [sys.executable, "-m", "lstmjax", "lstmtraining"],
            [*flags, "--recipe", arguments.recipe, *shlex.split(arguments.ours)], {},
        )  # fmt: skip
        measure(real, ours, arguments)


def measure(real: Trainer, ours: Trainer, arguments: argparse.Namespace) -> None:
    """Run both in turn and print the speeds."""
    cold, warm = compile_times(ours, arguments.our_lines[0])
    print(f"ours, {arguments.our_lines[0]} lines: {cold:.1f} s with an empty cache of compiled")
    print(f"code, {warm:.1f} s with a full one: compiling takes {cold - warm:.1f} s, once\n")
    ours.lines(arguments.our_lines[1])  # fills the usual cache with every shape
    print(f"{'round':>6} {'real':>9} {'ours':>9} {'ratio':>7}   lines per second")
    rows = []
    for number in range(1, arguments.rounds + 1):
        theirs = (math.nan, math.nan)
        if not arguments.skip_real:
            theirs = real.speed(*arguments.real_lines)
        mine = ours.speed(*arguments.our_lines)
        rows.append((theirs[0], mine[0], mine[0] / theirs[0], theirs[1], mine[1]))
        print(f"{number:>6} {rows[-1][0]:9.1f} {rows[-1][1]:9.1f} {rows[-1][2]:7.1f}", flush=True)
    middle = [median(column) for column in zip(*rows, strict=True)]
    print(f"{'median':>6} {middle[0]:9.1f} {middle[1]:9.1f} {middle[2]:7.1f}")
    print(f"{'peak':>6} {middle[3]:9.0f} {middle[4]:9.0f}           MB of resident memory")
    if arguments.until is not None:
        print_until(real, ours, arguments)


def print_until(real: Trainer, ours: Trainer, arguments: argparse.Namespace) -> None:
    """Train with both until the error is low enough, from an empty cache of compiled code."""
    print(f"\nuntil the training BCER is {arguments.until:g} %:")
    taken = []
    with tempfile.TemporaryDirectory() as cache:
        for name, trainer in (("real", real), ("ours", ours)):
            if name == "real" and arguments.skip_real:
                continue
            done = trainer.run(
                "--max_iterations", MOST_LINES, "--target_error_rate", arguments.until,
                env={"XDG_CACHE_HOME": cache},
            )  # fmt: skip
            lines = re.findall(r"At iteration \d+/(\d+)/", done.log)[-1]
            print(f"{name:>6} {done.seconds:9.1f} s, {lines} lines", flush=True)
            taken.append(done.seconds)
    if len(taken) > 1:
        print(f" ratio {taken[0] / taken[1]:9.1f}")


if __name__ == "__main__":
    main()
