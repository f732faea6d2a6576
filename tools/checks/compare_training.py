"""Train with the real lstmtraining and with ours on the same flags, and compare line by line.

    python tools/checks/compare_training.py -- --traineddata T --train_listfile L --net_spec S
        --max_iterations 300
    python tools/checks/compare_training.py --suite [--only NAME] [--iterations 300]
    python tools/checks/compare_training.py --unit [--only NAME] [--recipe fast]

Flags of both programs follow `--`. With --suite a set of networks and starts is compared, with
--unit our error is compared with the thresholds of Tesseract's own training tests; both take data
from the directory that LSTMJAX_TESTDATA names. Both programs print what they think of every line,
so the very line is found at which they begin to differ.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from training_cases import SUITE, UNITS, Case, Unit, flags_of

_EVERY_LINE = ("--debug_interval", "-1")
_ABOUT_LINES = re.compile(
    r"Iteration (\d+): |File .* line \d+ |Mean rms=|.*At iteration \d+/(\d+)/"
)
_OTHER_SUMS = "DOTPRODUCT=generic"  # the real program then adds products one after the other


class Found(NamedTuple):
    """Result of a comparison.

    reports: number of reports; same: number of reports before the first that differs.
    line: training iteration of the first line with a difference; None if there is none.
    whole: whether the whole logs are equal.
    """

    reports: int
    same: int
    line: int | None
    whole: bool

    def __str__(self) -> str:
        if not self.reports:
            return "no report"
        lines = "every line" if self.line is None else f"to line {self.line}"
        text = f"reports {self.same} of {self.reports}, {lines}"
        return f"{text}, whole log" if self.whole else text


def run(command: Sequence[str], output: Path) -> str:
    """Run a trainer and return its log without the name of its output."""
    output.mkdir(parents=True)
    environ = {**os.environ, "OMP_THREAD_LIMIT": "1", "LSTMJAX_NO_REEXEC": "1"}
    done = subprocess.run(
        [*command, "--model_output", str(output / "m")],
        env=environ, stderr=subprocess.PIPE, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode:
        print(f"{command[0]} ended with status {done.returncode}: {done.stderr[-500:]}")
    return done.stderr.replace(str(output), "OUT")


def run_real(flags: Sequence[str], directory: Path) -> str:
    """The log of the real program."""
    return run(["lstmtraining", *flags], directory / "real")


def run_ours(flags: Sequence[str], directory: Path) -> str:
    """The log of ours."""
    command = [sys.executable, "-m", "lstmjax", "lstmtraining", "--recipe", "tesseract"]
    return run([*command, *flags], directory / "ours")


def reports(log: str) -> list[str]:
    """The lines of a log that scripts parse."""
    return [line for line in log.split("\n") if "At iteration" in line]


def about_lines(log: str) -> Iterator[tuple[int, str]]:
    """The messages about lines and the reports, each with the training iteration before it."""
    at = 0
    for line in log.split("\n"):
        found = _ABOUT_LINES.match(line)
        if not found:
            continue
        if found[1]:
            at = int(found[1])
        yield at, line


def found_in(real: str, ours: str) -> Found:
    """Compare two logs."""
    pairs = list(zip_longest(reports(real), reports(ours)))
    same = next((i for i, (one, two) in enumerate(pairs) if one != two), len(pairs))
    lines = zip_longest(about_lines(real), about_lines(ours), fillvalue=(0, ""))
    first = next((max(one[0], two[0]) for one, two in lines if one[1] != two[1]), None)
    return Found(len(pairs), same, first, real == ours)


def marked(one: str, two: str) -> str:
    """A line of spaces with a mark below the first difference; "" if there is none."""
    if one == two:
        return ""
    same = next((i for i, (a, b) in enumerate(zip_longest(one, two)) if a != b), 0)
    return " " * (same + 6) + "^"


def compare(flags: Sequence[str], directory: Path) -> Found:
    """Run both and print the reports, with a mark where they differ."""
    real, ours = run_real(flags, directory), run_ours(flags, directory)
    for one, two in zip_longest(reports(real), reports(ours), fillvalue=""):
        print(f"real: {one}\nours: {two}")
        if one != two:
            print(marked(one, two))
    return found_in(real, ours)


class Row(NamedTuple):
    """A row of the table: we against the real program, and that against itself."""

    name: str
    ours: Found
    itself: Found | None

    def __str__(self) -> str:
        columns = [self.name, f"{self.ours.same} of {self.ours.reports}", _shown(self.ours)]
        if self.itself is not None:
            columns += [f"{self.itself.same} of {self.itself.reports}", _shown(self.itself)]
        return f"| {' | '.join(columns)} |"


def _shown(found: Found) -> str:
    return "none" if found.line is None else str(found.line)


def compare_case(name: str, case: Case, iterations: int, *, itself: bool) -> Row:
    """Compare a case; with `itself` the real program also with another way to add up products."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        end = ("--max_iterations", str(iterations))
        flags = [*flags_of(case, directory), *_EVERY_LINE, *end]
        found = compare(flags, directory)
        other = None
        if itself:
            (directory / "other").mkdir()
            real = run_real(flags, directory / "other")
            generic = run(["env", _OTHER_SUMS, "lstmtraining", *flags], directory / "generic")
            other = found_in(real, generic)
    row = Row(name, found, other)
    print(f"{name}: {found}\n", flush=True)
    return row


def compare_suite(only: str | None, iterations: int, *, itself: bool) -> list[bool]:
    """Compare all cases, then print a table."""
    rows = [
        compare_case(name, case, iterations, itself=itself)
        for name, case in SUITE.items()
        if only in (None, name)
    ]
    head = ["case", "reports alike", "first line that differs"]
    head += ["real against itself", "first line"] if itself else []
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    print("\n".join(map(str, rows)))
    return [row.ours.reports > 0 and row.ours.same == row.ours.reports for row in rows]


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
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        flags = [*flags_of(Case(()), directory), *unit.flags(recipe)]
        command = [sys.executable, "-m", "lstmjax", "lstmtraining", "--recipe", recipe, *flags]
        log = run(command, directory / "out")
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
    parser.add_argument(
        "--itself",
        action="store_true",
        help="with --suite: also the real program's two ways to add",
    )
    parser.add_argument("--recipe", choices=["tesseract", "fast"], help="with --unit; else both")
    chosen = parser.parse_args(own)
    if chosen.unit:
        recipes = [chosen.recipe] if chosen.recipe else ["tesseract", "fast"]
        units = {name: unit for name, unit in UNITS.items() if chosen.only in (None, name)}
        good = [check_unit(name, unit, r) for name, unit in units.items() for r in recipes]
    elif chosen.suite:
        good = compare_suite(chosen.only, chosen.iterations, itself=chosen.itself)
    else:
        if not flags:
            parser.error("give the flags of lstmtraining after --, or --suite, or --unit")
        with tempfile.TemporaryDirectory() as folder:
            found = compare(flags, Path(folder))
        print(found)
        good = [found.reports > 0 and found.same == found.reports]
    print(f"{sum(good)} of {len(good)} passed")
    return 0 if all(good) and good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
