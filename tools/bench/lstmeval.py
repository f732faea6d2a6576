"""Speed of `lstmjax lstmeval` beside the real lstmeval: the same model, lines and machine.

    .venv/bin/python tools/bench/lstmeval.py [--rounds 3] [--model M --lstmf F] [--times 2 8]

Each program reads the lines of a document a few and more times; the difference of lines over the
difference of seconds leaves out starting up, loading and compiling, which are shown apart. Both
take turns in every round, medians count, and the real tool runs with one thread, which is fastest
for it. Without --model it measures fra as a float and as an int8 model, from the test data.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmjax.formats import lstmf

DATA = "LSTMJAX_TESTDATA"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/lstmeval.py", description=__doc__)
    parser.add_argument("--model", type=Path, help=f"traineddata (default: fra from ${DATA})")
    parser.add_argument("--lstmf", type=Path, help=f"lines to read (default: from ${DATA})")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, nargs=2, default=(2, 8), metavar="N")
    arguments = parser.parse_args()
    if bool(arguments.model) != bool(arguments.lstmf):
        parser.error("--model and --lstmf belong together")
    return arguments


def cases(arguments: argparse.Namespace) -> Iterator[tuple[str, Path, Path]]:
    """(name, model, document) to measure.

    Raises: SystemExit: there is no test data.
    """
    if arguments.model:
        yield arguments.model.name, arguments.model.absolute(), arguments.lstmf.absolute()
        return
    folder = Path(os.environ.get(DATA, "")).absolute()
    if not os.environ.get(DATA) or not (folder / "tesseract-test").is_dir():
        sys.exit(f"give --model and --lstmf, or set {DATA} (see README.md, Test data)")
    lines = folder / "tesseract-test" / "fra.Arial_Unicode_MS.exp0.lstmf"
    yield "fra, float", folder / "tessdata_best" / "fra.traineddata", lines
    yield "fra, int8", folder / "tessdata_fast" / "fra.traineddata", lines


def seconds(command: Sequence[str], model: Path, listing: Path) -> float:
    """Wall time of an evaluation.

    Raises: SystemExit: it failed.
    """
    words = [*command, "--model", str(model), "--eval_listfile", str(listing)]
    env = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    begin = time.perf_counter()
    done = subprocess.run([*words, "--verbosity", "0"], env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - begin


def measure(model: Path, document: Path, arguments: argparse.Namespace) -> Iterator[list[float]]:
    """For each round: [real lines/s, ours, ratio, real seconds for one document, ours]."""
    count = len(lstmf.load(document))
    # The true rates, which the real tool does not have, take a second reading of every line.
    ours = [sys.executable, "-m", "lstmjax", "lstmeval", "--true_rates=false"]
    programs = (["lstmeval"], ours)
    with tempfile.TemporaryDirectory() as folder:
        lists = [Path(folder, f"{times}.list") for times in (1, *arguments.times)]
        for path, times in zip(lists, (1, *arguments.times), strict=True):
            path.write_text(f"{document}\n" * times)
        few, more = arguments.times
        seconds(programs[1], model, lists[2])  # fills the cache of compiled code
        for _ in range(arguments.rounds):
            speeds, whole = [], []
            for program in programs:
                whole.append(seconds(program, model, lists[0]))
                taken = [seconds(program, model, path) for path in lists[1:]]
                speeds.append((more - few) * count / (taken[1] - taken[0]))
            yield [*speeds, speeds[1] / speeds[0], *whole]


def main() -> None:
    arguments = parse_arguments()
    print("| model | real, lines/s | ours | ratio | one document: real, s | ours, s |")
    print("|---|---|---|---|---|---|")
    for name, model, document in cases(arguments):
        rows = list(measure(model, document, arguments))
        real, ours, ratio, *whole = (
            statistics.median(column) for column in zip(*rows, strict=True)
        )
        ends = f"{min(row[2] for row in rows):.1f} to {max(row[2] for row in rows):.1f}"
        print(
            f"| {name} | {real:.1f} | {ours:.1f} | {ratio:.1f} ({ends}) "
            f"| {whole[0]:.1f} | {whole[1]:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
