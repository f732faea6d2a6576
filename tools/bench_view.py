"""What watching a run costs: lines per second plain, with --view, and with a page open on it.

    .venv/bin/python tools/bench_view.py [--rounds 3] [--lines 1100 4100] [--listfile F
        --traineddata T] [--net_spec S] [--tensorboard]

Every way of running trains for a few and for more lines; the difference of lines over the
difference of seconds leaves out starting up and compiling. All take turns in every round, and the
medians are printed, since other work on a machine changes from minute to minute. The page is open
in headless chromium on the same machine, which takes its own share of the processor.
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
from pathlib import Path

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
ADDRESS = "Live view: "
EXAMPLES = Path(__file__).parents[1] / "examples"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_view.py", description=__doc__)
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


def seconds(arguments: argparse.Namespace, lines: int, flags: list[str], *, look: bool) -> float:
    """Wall time of a run.

    Args:
      arguments: of this program.
      lines: to train on.
      flags: more flags.
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
            status = run.wait()
        if status:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{rest[-2000:]}")
        return time.perf_counter() - begin


def speed(arguments: argparse.Namespace, flags: list[str], *, look: bool) -> float:
    """Lines per second, without what both runs have in common; nan if noise hides it."""
    few, more = arguments.lines
    taken = seconds(arguments, more, flags, look=look) - seconds(arguments, few, flags, look=look)
    return (more - few) / taken if taken > 0 else math.nan


def main() -> None:
    arguments = parse_arguments()
    ways: dict[str, tuple[list[str], bool]] = {
        "plain": ([], False),
        "--view": (["--view"], False),
        "page open": (["--view"], True),
    }
    if arguments.tensorboard:
        ways["--tensorboard"] = (["--tensorboard"], False)
    seconds(arguments, arguments.lines[1], [], look=False)  # compiles every shape
    print(f"{'round':>6}", *(f"{name:>14}" for name in ways), "  lines per second")
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, arguments.rounds + 1):
        for name, (flags, look) in ways.items():
            found[name].append(speed(arguments, flags, look=look))
        print(f"{number:>6}", *(f"{found[name][-1]:14.1f}" for name in ways), flush=True)
    medians = {
        name: statistics.median([x for x in values if not math.isnan(x)] or [math.nan])
        for name, values in found.items()
    }
    print(f"{'median':>6}", *(f"{medians[name]:14.1f}" for name in ways))
    print(f"{'cost':>6}", *(f"{1 - medians[name] / medians['plain']:14.1%}" for name in ways))


if __name__ == "__main__":
    main()
