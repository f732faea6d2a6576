"""Train with the real lstmtraining and with ours on the same flags, and compare the reports.

    compare_training.py -- --traineddata T --train_listfile L --net_spec S --max_iterations 300
    compare_training.py --suite [--only NAME] [--iterations 300]
    compare_training.py --unit [--only NAME] [--recipe fast]

Flags of both programs follow `--`. With --suite a set of networks is compared, with --unit our
error is compared with the thresholds of Tesseract's own training tests; both take data from the
directory that LSTMJAX_TESTDATA names.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

LBX = "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]"
MOMENTUM = ("--net_mode", "0", "--learning_rate", "1e-4", "--momentum", "0.9")
SUITE: dict[str, tuple[str, ...]] = {
    "tutorial": (
        "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c111]", "--learning_rate", "20e-4",
    ),
    "adam": (LBX,),
    "momentum": (LBX, *MOMENTUM),
    "bidi": ("[1,1,0,32 Lbx100 O1c1]",),
    "quad": ("[1,32,0,1 S4,2 L2xy16 Ct1,1,16 S8,1 Lbx100 O1c1]",),
    "encoded": ("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LE24]",),
    "softmax": ("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LS24]",),
    "parallel": ("[1,1,0,32 (Lfx8 Lrx8) O1c1]",),
    "colour": ("[1,32,0,3 Ct3,3,4 Mp3,3 Lfys8 O1c1]",),
    "height": ("[1,0,0,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]",),
    "width": ("[1,32,500,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]",),
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A training test of Tesseract: unittest/lstm_test.cc.

    net_spec: of the network; iterations: lines; below: the error in percent it must reach.
    adam: Adam at 20 times the rate, else momentum; rate: of momentum.
    """

    net_spec: str
    iterations: int
    below: float
    adam: bool
    rate: float = 5e-4

    @property
    def flags(self) -> tuple[str, ...]:
        """Of lstmtraining."""
        rate, mode = (20 * self.rate, 128) if self.adam else (self.rate, 0)
        return (
            "--net_spec", self.net_spec, "--net_mode", str(mode), "--learning_rate", f"{rate:g}",
            "--momentum", "0.9", "--sequential_training",
            "--max_iterations", str(self.iterations),
        )  # fmt: skip


_QUAD = "[1,32,0,1 S4,2 L2xy16 Ct1,1,16 S8,1 Lbx100 O1c1]"
UNITS = {
    "BasicTest no-lstm": Unit(
        "[1,32,0,1 Ct5,5,16 Mp4,4 Ct1,1,16 Ct3,3,128 Mp4,1 Ct1,1,64 S2,1 Ct1,1,64O1c1]",
        2400, 98, False, 2e-4,
    ),
    "BasicTest 1D-lstm": Unit("[1,1,0,32 Lfx100 O1c1]", 1200, 86, False),
    "ColorTest": Unit("[1,32,0,3 S4,2 L2xy16 Ct1,1,16 S8,1 Lbx100 O1c1]", 600, 85, True),
    "BidiTest": Unit("[1,1,0,32 Lbx100 O1c1]", 600, 75, False),
    "Test2D": Unit(_QUAD, 900, 98, False),
    "TestAdam": Unit(_QUAD, 600, 70, True),
    "SoftmaxBaselineTest": Unit("[1,1,0,32 Lfx96 O1c1]", 1200, 60, True),
    "SoftmaxTest": Unit("[1,1,0,32 LS96]", 1200, 49, True),
    "EncodedSoftmaxTest": Unit("[1,1,0,32 LE96]", 1200, 62, True),
}  # fmt: skip


def data_flags(directory: Path) -> list[str]:
    """The flags that name the test data, and the list file they need."""
    data = os.environ.get("LSTMJAX_TESTDATA")
    if not data:
        raise SystemExit("set LSTMJAX_TESTDATA to the directory of the test data (see README)")
    root = Path(data, "tesseract-test")
    train_list = directory / "train.list"
    train_list.write_text(f"{root / 'eng.Arial.exp0.lstmf'}\n")
    starter = root / "eng.starter.traineddata"
    return ["--traineddata", str(starter), "--train_listfile", str(train_list)]


def run(command: Sequence[str], output: Path) -> str:
    """Run a trainer; the text of its log without the name of its output."""
    output.mkdir(parents=True)
    environ = {**os.environ, "OMP_THREAD_LIMIT": "1", "LSTMJAX_NO_REEXEC": "1"}
    done = subprocess.run(
        [*command, "--model_output", str(output / "m")],
        env=environ, stderr=subprocess.PIPE, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode:
        print(f"{command[0]} ended with status {done.returncode}: {done.stderr[-500:]}")
    return done.stderr.replace(str(output), "OUT")


def run_both(flags: Sequence[str], directory: Path) -> tuple[str, str]:
    """The logs of the real program and of ours."""
    ours = [sys.executable, "-m", "lstmjax", "lstmtraining", "--recipe", "tesseract", *flags]
    real = ["lstmtraining", *flags]
    return run(real, directory / "real"), run(ours, directory / "ours")


def reports(log: str) -> list[str]:
    """The lines that programs read."""
    return [line for line in log.split("\n") if "At iteration" in line]


def marked(one: str, two: str) -> str:
    """A line of spaces with a mark below the first difference; "" if there is none."""
    if one == two:
        return ""
    same = next((i for i, (a, b) in enumerate(zip_longest(one, two)) if a != b), 0)
    return " " * (same + 6) + "^"


def compare(name: str, flags: Sequence[str]) -> bool:
    """Run both and print what differs; whether nothing does."""
    with tempfile.TemporaryDirectory() as directory:
        if "--train_listfile" not in flags:
            flags = [*data_flags(Path(directory)), *flags]
        real, ours = run_both(flags, Path(directory))
    pairs = list(zip_longest(reports(real), reports(ours), fillvalue=""))
    for one, two in pairs:
        print(f"real: {one}\nours: {two}")
        if one != two:
            print(marked(one, two))
    same = bool(pairs) and all(one == two for one, two in pairs)
    whole = "whole logs equal" if real == ours else "other lines differ"
    print(f"{name}: {'IDENTICAL' if same else 'DIFFERS'}, {len(pairs)} reports, {whole}\n")
    return same


def block_errors(log: str) -> Iterator[float]:
    """Mean error of each hundred lines in percent, from the rolling means over up to 1000."""
    found = re.findall(r"^At iteration \d+/(\d+)/.*?BCER train=([\d.]+)%", log, re.MULTILINE)
    means = [(int(at), float(mean)) for at, mean in found]
    blocks: list[float] = []
    for at, mean in means:
        first = max(len(blocks) - 9, 0)
        total = mean * min(at, 1000) / 100
        blocks.append(total - sum(blocks[first:]))
        yield blocks[-1]


def unit_error(unit: Unit, recipe: str) -> float:
    """Our lowest mean error over a hundred lines, as Tesseract's test takes it."""
    with tempfile.TemporaryDirectory() as directory:
        flags = [*data_flags(Path(directory)), *unit.flags]
        if recipe == "fast":  # with its own optimiser, at a rate for so few lines
            at = flags.index("--net_mode")
            flags = [*flags[:at], *flags[-3:], "--batch", "1", "--learning_rate", "0.004"]
        command = [sys.executable, "-m", "lstmjax", "lstmtraining", "--recipe", recipe, *flags]
        log = run(command, Path(directory, "out"))
    return min(block_errors(log), default=100.0)


def check_unit(name: str, unit: Unit, recipe: str) -> bool:
    """Print our error beside the threshold."""
    error = unit_error(unit, recipe)
    good = error < unit.below
    verdict = "below" if good else "NOT below"
    print(f"{name}, recipe {recipe}: {error:.3f} {verdict} {unit.below:g}", flush=True)
    return good


def main(arguments: Sequence[str]) -> int:
    own, flags = list(arguments), []
    if "--" in own:
        at = own.index("--")
        own, flags = own[:at], own[at + 1 :]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--suite", action="store_true", help="compare a set of networks")
    parser.add_argument("--unit", action="store_true", help="check Tesseract's own thresholds")
    parser.add_argument("--only", help="one name of the suite or the units")
    parser.add_argument("--iterations", type=int, default=300, help="lines, with --suite")
    parser.add_argument("--recipe", choices=["tesseract", "fast"], help="with --unit; else both")
    chosen = parser.parse_args(own)
    if chosen.unit:
        recipes = [chosen.recipe] if chosen.recipe else ["tesseract", "fast"]
        units = {name: unit for name, unit in UNITS.items() if chosen.only in (None, name)}
        good = [check_unit(name, unit, r) for name, unit in units.items() for r in recipes]
    elif chosen.suite:
        end = ("--max_iterations", str(chosen.iterations))
        good = [
            compare(name, ["--net_spec", *network, *end])
            for name, network in SUITE.items()
            if chosen.only in (None, name)
        ]
    else:
        if not flags:
            parser.error("give the flags of lstmtraining after --, or --suite, or --unit")
        good = [compare("run", flags)]
    print(f"{sum(good)} of {len(good)} passed")
    return 0 if all(good) and good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
