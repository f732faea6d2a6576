"""Speed of `lstmjax lstmtraining` beside the real lstmtraining: same data, network and machine.

    .venv/bin/python tools/bench_training.py [--rounds 3] [--listfile F --traineddata T]
        [--net_spec S] [--recipe tesseract] [--ours "--batch 8"]

Each program trains for a few and for more lines; the difference of lines over the difference of
seconds leaves out starting up, reading data and compiling. Both take turns in every round, and
the medians are printed, since other work on a machine changes from minute to minute. What
compiling costs is shown apart: the short run with an empty cache against one with a full cache.
The real tool runs with one thread, which is fastest for it.
"""

import argparse
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
DATA = "LSTMJAX_TESTDATA"
OUR_LINES = {"fast": (1100, 4100), "tesseract": (100, 700)}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_training.py", description=__doc__)
    parser.add_argument("--listfile", type=Path, help=f"lines (default: from ${DATA})")
    parser.add_argument("--traineddata", type=Path, help=f"character set (default: from ${DATA})")
    parser.add_argument("--net_spec", default=NET_SPEC)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--real_lines", type=int, nargs=2, default=(100, 400), metavar="N")
    parser.add_argument("--our_lines", type=int, nargs=2, metavar="N")
    parser.add_argument("--recipe", choices=sorted(OUR_LINES), default="fast")
    parser.add_argument("--ours", default="", help="more flags for our program")
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


class Trainer:
    """One of the two programs with everything but the number of lines."""

    def __init__(self, command: Sequence[str], flags: Sequence[object], env: dict[str, str]):
        self.command = [*command, *map(str, flags)]
        self.env = {**os.environ, **env}

    def seconds(self, lines: int, env: dict[str, str] | None = None) -> float:
        """Wall time of a run over so many lines, in an empty folder.

        Raises: SystemExit: it failed.
        """
        with tempfile.TemporaryDirectory() as folder:
            limits = ["--model_output", f"{folder}/m", "--max_iterations", str(lines)]
            begin = time.perf_counter()
            done = subprocess.run(
                [*self.command, *limits],
                env={**self.env, **(env or {})}, cwd=folder, capture_output=True, text=True,
            )  # fmt: skip
            seconds = time.perf_counter() - begin
        if done.returncode:
            sys.exit(f"{' '.join(self.command)} failed:\n{done.stderr[-2000:]}")
        return seconds

    def speed(self, few: int, more: int) -> float:
        """Lines per second, without what both runs have in common; nan if noise hides it."""
        seconds = self.seconds(more) - self.seconds(few)
        return (more - few) / seconds if seconds > 0 else math.nan


def compile_times(ours: Trainer, lines: int) -> tuple[float, float]:
    """Seconds of a short run with an empty cache of compiled code, and again with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        env = {"XDG_CACHE_HOME": cache}
        return ours.seconds(lines, env), ours.seconds(lines, env)


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
            arguments.net_spec, "--target_error_rate", "-1",
        ]  # fmt: skip
        real = Trainer(["lstmtraining"], flags, {"OMP_THREAD_LIMIT": "1"})
        ours = Trainer(
            [sys.executable, "-m", "lstmjax", "lstmtraining"],
            [*flags, "--recipe", arguments.recipe, *shlex.split(arguments.ours)], {},
        )  # fmt: skip
        measure(real, ours, arguments)


def measure(real: Trainer, ours: Trainer, arguments: argparse.Namespace) -> None:
    """Take turns and print what came of it."""
    cold, warm = compile_times(ours, arguments.our_lines[0])
    print(f"ours, {arguments.our_lines[0]} lines: {cold:.1f} s with an empty cache of compiled")
    print(f"code, {warm:.1f} s with a full one: compiling takes {cold - warm:.1f} s, once\n")
    ours.seconds(arguments.our_lines[1])  # fills the usual cache with every shape
    print(f"{'round':>6} {'real':>9} {'ours':>9} {'ratio':>7}   lines per second")
    rows = []
    for number in range(1, arguments.rounds + 1):
        theirs = math.nan if arguments.skip_real else real.speed(*arguments.real_lines)
        mine = ours.speed(*arguments.our_lines)
        rows.append((theirs, mine, mine / theirs))
        print(f"{number:>6} {theirs:9.1f} {mine:9.1f} {mine / theirs:7.1f}", flush=True)
    medians = [median(column) for column in zip(*rows, strict=True)]
    print(f"{'median':>6} {medians[0]:9.1f} {medians[1]:9.1f} {medians[2]:7.1f}")


if __name__ == "__main__":
    main()
