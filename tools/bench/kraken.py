"""Speed of `lstmjax lstmtraining` beside kraken's `ketos train`: same lines, network and machine.

    python3 -m venv kraken && kraken/bin/pip install kraken      # an environment of its own
    .venv/bin/python tools/bench/kraken.py --kraken kraken [--lines 300] [--rounds 3]
        [--listfile F --traineddata T] [--batch 1 8] [--ours "--recipe tesseract"]

Both read the same PNG files with a text beside each and train the same network from new, kraken
with the output layer that it adds by itself. kraken does one epoch and several, we as many lines;
the difference of lines over the difference of seconds leaves out starting up, compiling and
evaluating. The programs take turns and the medians are printed. kraken gets as many threads as
there are cores, one process that loads lines, and two lines for the evaluation that it does not
go without.
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
from pathlib import Path

import lstmjax

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
DATA = "LSTMJAX_TESTDATA"


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/kraken.py", description=__doc__)
    parser.add_argument("--kraken", type=Path, required=True, help="kraken's own environment")
    parser.add_argument("--listfile", type=Path, help=f"lines (default: from ${DATA})")
    parser.add_argument("--traineddata", type=Path, help=f"character set (default: from ${DATA})")
    parser.add_argument("--net_spec", default=NET_SPEC, help="of a fixed height, ending in O1c...")
    parser.add_argument("--lines", type=int, default=300, help="how many lines to train on")
    parser.add_argument("--epochs", type=int, nargs=2, default=(1, 3), metavar="N")
    parser.add_argument("--our_epochs", type=int, nargs=2, default=(4, 14), metavar="N")
    parser.add_argument("--batch", type=int, nargs="+", default=(1, 8), metavar="B")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ours", default="", help="more flags for our program")
    return parser.parse_args(argv)


def kraken_spec(net_spec: str) -> str:
    """The net_spec for kraken, which adds the output layer by itself.

    Layers are written alike in both; the summary of columns is `Lfys` in both, too.
    """
    spec = re.sub(r"\s*O1[cs]\d+\s*\]$", "]", net_spec.strip())
    if spec == net_spec.strip():
        raise SystemExit(f"{net_spec} does not end in an output layer O1c...")
    return spec


def default_data() -> tuple[Path, Path]:
    """The English lines of the test data, and their starter traineddata."""
    folder = Path(os.environ.get(DATA, ""), "tesseract-test")
    if not os.environ.get(DATA) or not folder.is_dir():
        raise SystemExit(f"give --listfile and --traineddata, or set {DATA}")
    folder = folder.absolute()
    return folder / "eng.Arial.exp0.lstmf", folder / "eng.starter.traineddata"


def write_lines(source: Path, number: int, folder: Path) -> list[Path]:
    """Write lines as PNG files with a text beside each, and lists of them, for both programs.

    Returns: the images.
    """
    images = []
    for i, line in enumerate(lstmjax.read_lines(source)[:number]):
        image = folder / f"{i:05d}.png"
        line.image.save(image)
        image.with_suffix(".gt.txt").write_text(f"{line.text}\n")
        images.append(image)
    for name, some in (("train.list", images), ("eval.list", images[:2])):
        (folder / name).write_text("".join(f"{image}\n" for image in some))
    return images


def run(command: Sequence[object]) -> float:
    """Wall seconds of a command in an empty folder. Raises: SystemExit: it failed."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{shlex.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return seconds


def kraken_command(arguments: argparse.Namespace, folder: Path, batch: int) -> list[object]:
    """`ketos train` but for the number of epochs."""
    return [
        arguments.kraken.absolute() / "bin" / "ketos",
        "--device", "cpu", "--workers", 1, "--threads", os.cpu_count() or 1, "train",
        "--format-type", "path", "--spec", kraken_spec(arguments.net_spec), "--quit", "fixed",
        "--batch-size", batch, "--output", "model", "--evaluation-data", folder / "eval.list",
        "--training-data", folder / "train.list", "--epochs",
    ]  # fmt: skip


def our_command(
    arguments: argparse.Namespace, folder: Path, charset: Path, batch: int
) -> list[object]:
    """`lstmjax lstmtraining` but for the number of lines."""
    return [
        sys.executable, "-m", "lstmjax", "lstmtraining", "--traineddata", charset,
        "--train_listfile", folder / "train.list", "--net_spec", arguments.net_spec,
        "--model_output", "model", "--target_error_rate", -1, "--batch", batch,
        *shlex.split(arguments.ours), "--max_iterations",
    ]  # fmt: skip


def speed(command: Sequence[object], epochs: tuple[int, int], lines_each: int, step: int) -> float:
    """Lines a second between a short and a long run; nan if noise hides it.

    Args:
      command: command line without the length of the run, which is added in units of `step`.
      epochs: lengths of the short and of the long run.
      lines_each: lines in an epoch.
      step: 1 for a command that counts epochs, `lines_each` for one that counts lines.
    """
    few, more = epochs
    seconds = run([*command, more * step]) - run([*command, few * step])
    return (more - few) * lines_each / seconds if seconds > 0 else math.nan


def median(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def main() -> None:
    arguments = parse_arguments()
    source, charset = arguments.listfile, arguments.traineddata
    if not (source and charset):
        source, charset = default_data()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count = len(write_lines(source, arguments.lines, folder))
        print(f"{count} lines, {arguments.net_spec}, lines per second\n")
        print(f"{'batch':>6} {'round':>6} {'kraken':>9} {'ours':>9} {'ratio':>7}")
        for batch in arguments.batch:
            ours = our_command(arguments, folder, charset.absolute(), batch)
            run([*ours, arguments.our_epochs[1] * count])  # every shape is compiled once
            rows = []
            for number in range(1, arguments.rounds + 1):
                command = kraken_command(arguments, folder, batch)
                theirs = speed(command, arguments.epochs, count, 1)
                mine = speed(ours, arguments.our_epochs, count, count)
                rows.append((theirs, mine))
                print(
                    f"{batch:>6} {number:>6} {theirs:9.1f} {mine:9.1f} {mine / theirs:7.1f}",
                    flush=True,
                )
            theirs, mine = (median(column) for column in zip(*rows, strict=True))
            print(f"{batch:>6} {'median':>6} {theirs:9.1f} {mine:9.1f} {mine / theirs:7.1f}")


if __name__ == "__main__":
    main()
