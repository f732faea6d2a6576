"""The cost of watching a run: lines per second plain, with --view, and with a page open on it.

    .venv/bin/python tools/bench/view.py [--rounds 3] [--lines 1100 4100] [--listfile F
        --traineddata T] [--net_spec S] [--tensorboard]

Every way of running trains for a few and for more lines; the difference of lines over the
difference of seconds leaves out starting up and compiling. All take turns in every round, and the
medians are printed, since other work on a machine changes from minute to minute. The processor time
of the run and of what it started is given beside: it changes less. The page is open in headless
chromium on the same machine, which takes its own share of the processor.
"""

import argparse
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
ADDRESS = "Live view: "
EXAMPLES = Path(__file__).parents[2] / "examples"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/view.py", description=__doc__)
    parser.add_argument("--listfile", type=Path, default=EXAMPLES / "train.list")
    parser.add_argument("--traineddata", type=Path, default=EXAMPLES / "demo.traineddata")
    parser.add_argument("--net_spec", default=NET_SPEC)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, nargs=2, default=(1100, 4100), metavar="N")
    parser.add_argument("--tensorboard", action="store_true", help="measure that, too")
    return parser.parse_args()


@contextmanager
def page(url: str) -> Iterator[None]:
    """The page of a run, open in a browser.

    Raises: SystemExit: there is no chromium.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("chromium is not installed (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program, "--headless", "--no-sandbox", f"--user-data-dir={profile}",
            "--remote-debugging-port=0", url,
        ]  # fmt: skip
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            browser.terminate()
            browser.wait()
            shutil.rmtree(profile, ignore_errors=True)
            Path(profile).mkdir(exist_ok=True)


def until_address(log: Iterable[str]) -> Iterator[str]:
    """The lines of a log up to the one with the address of the page."""
    for text in log:
        yield text
        if text.startswith(ADDRESS):
            return


@dataclass(frozen=True)
class Taken:
    """Wall clock and processor seconds of a run."""

    clock: float
    processor: float


def take(arguments: argparse.Namespace, lines: int, flags: list[str], *, look: bool) -> Taken:
    """Train in an empty folder.

    Args:
      arguments: command line of this program.
      lines: number of lines to train on.
      flags: additional flags of lstmtraining.
      look: whether to open the page.
    Raises: SystemExit: the run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "lstmjax", "lstmtraining", "--traineddata", arguments.traineddata,
            "--train_listfile", arguments.listfile, "--net_spec", arguments.net_spec,
            "--target_error_rate", "-1", "--model_output", f"{folder}/m", "--max_iterations", lines,
            *flags,
        ]  # fmt: skip
        begin = time.perf_counter()
        with subprocess.Popen(
            [str(part) for part in command], stderr=subprocess.PIPE, text=True, env=os.environ
        ) as run:
            assert run.stderr is not None
            if look:
                said = list(until_address(run.stderr))
                found = said and said[-1].startswith(ADDRESS)
                with page(said[-1].split()[-1]) if found else nullcontext():
                    rest = "".join(said) + run.stderr.read()
            else:
                rest = run.stderr.read()
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{rest[-2000:]}")
        return Taken(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime)


def speed(arguments: argparse.Namespace, flags: list[str], *, look: bool) -> tuple[float, float]:
    """Lines per wall clock second and per processor second, without start-up and compilation.

    A speed that is lost in noise is nan.
    """
    few, more = arguments.lines
    long, short = (take(arguments, lines, flags, look=look) for lines in (more, few))
    taken = (long.clock - short.clock, long.processor - short.processor)
    clock, processor = ((more - few) / time if time > 0 else math.nan for time in taken)
    return clock, processor


def show(name: str, found: dict[str, list[float]]) -> None:
    """Print medians, and the cost: the median over rounds of the loss against a plain run."""
    medians = [statistics.median(values) for values in found.values()]
    print(f"\n{name}\n{'median':>6}", *(f"{value:14.1f}" for value in medians))
    lost = [
        statistics.median(1 - x / plain for x, plain in zip(values, found["plain"], strict=True))
        for values in found.values()
    ]
    print(f"{'cost':>6}", *(f"{each:14.1%}" for each in lost))


def main() -> None:
    arguments = parse_arguments()
    ways: dict[str, tuple[list[str], bool]] = {
        "plain": ([], False),
        "--view": (["--view"], False),
        "page open": (["--view"], True),
    }
    if arguments.tensorboard:
        ways["--tensorboard"] = (["--tensorboard"], False)
    take(arguments, arguments.lines[1], [], look=False)  # compiles every shape
    heads = [f"{name:>14}" for name in ways]
    print(f"{'round':>6}", *heads, "  lines a second; a second of processors")
    clock: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, arguments.rounds + 1):
        for name, (flags, look) in ways.items():
            on_clock, of_processors = speed(arguments, flags, look=look)
            clock[name].append(on_clock)
            processor[name].append(of_processors)
        both = (f"{clock[name][-1]:7.1f}{processor[name][-1]:7.1f}" for name in ways)
        print(f"{number:>6}", *both, flush=True)
    show("lines a second", clock)
    show("lines a second of processors", processor)


if __name__ == "__main__":
    main()
