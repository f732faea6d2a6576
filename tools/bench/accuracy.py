"""Error rates after so many lines: seeds, networks and languages, beside the real lstmtraining.

    .venv/bin/python tools/bench/accuracy.py [--lines 10000] [--seeds 5] [--networks small usual]
        [--cases eng fra] [--ours "--batch 8"] [--skip_real] [--out out/accuracy.json]

Networks are trained on the lines of one file and measured on lines that they have not seen: another
font for English, the other half of the file for French and German. `lines` is how many it took
until the rolling training BCER of the log was 5 %. Every core trains a network of its own, so
nothing is said about speed. Runs that are in --out already are not made again.
"""

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Lock

from lstmjax.devices import usable_cores
from lstmjax.formats import lstmf
from lstmjax.formats.files import write_atomically

DATA = "LSTMJAX_TESTDATA"
NETWORKS = {
    "small": "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys32 Lfx64 Lrx64 Lfx128 O1c1]",
    "usual": "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]",
    "both ways": "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lbx96 Lbx96 O1c1]",
}
CASES = {
    "eng": ("eng.Arial.exp0", "eng.Arial_Unicode_MS.exp0"),
    "fra": ("fra.Arial_Unicode_MS.exp0", ""),
    "deu": ("deu.Arial_Unicode_MS.exp0", ""),
}
REAL = "--learning_rate 20e-4"  # with its own default it needs half as many lines again
ENOUGH = 5.0  # percent of training BCER that `lines` counts to
REPORT = re.compile(r"At iteration \d+/(\d+)/\d+,.*?BCER train=([\d.]+)%")


@dataclass(frozen=True)
class Case:
    """Lines to train on and others to measure with, as list files, and the starter traineddata."""

    train: Path
    unseen: Path
    charset: Path


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/accuracy.py", description=__doc__)
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--ours", default="", help="more flags for our program")
    parser.add_argument("--real", default=REAL, help=f"flags for the real program ({REAL})")
    parser.add_argument("--skip_real", action="store_true", help="train with our program only")
    parser.add_argument("--out", type=Path, help="keep and find results here")
    return parser.parse_args()


def prepare(name: str, data: Path, folder: Path) -> Case:
    """Write the list files of a case; halves are the even and the odd lines of a file."""
    first, second = CASES[name]
    sources = [data / f"{first}.lstmf", data / f"{second}.lstmf"]
    if not second:
        pages = lstmf.load(sources[0])
        sources = [folder / f"{name}.even.lstmf", folder / f"{name}.odd.lstmf"]
        for start, path in enumerate(sources):
            lstmf.save(pages[start::2], path)
    lists = [folder / f"{name}.{part}.list" for part in ("train", "unseen")]
    for path, source in zip(lists, sources, strict=True):
        path.write_text(f"{source}\n")
    return Case(lists[0], lists[1], data / f"{name}.starter.traineddata")


def lines_until(log: str) -> int | None:
    """Lines until the rolling BCER of a log was low enough; None if it never was."""
    low = (int(at) for at, bcer in REPORT.findall(log) if int(at) >= 1000 and float(bcer) <= ENOUGH)
    return next(low, None)


def run(command: Sequence[object], core: int) -> str:
    """The output of a program on one core.

    Raises: SystemExit: it failed.
    """
    words = [str(word) for word in command]
    environ, all_cores = {**os.environ, "OMP_THREAD_LIMIT": "1"}, os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # of this thread; the program inherits it
    try:
        done = subprocess.run(words, env=environ, capture_output=True, text=True)
    finally:
        os.sched_setaffinity(0, all_cores)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return done.stdout + done.stderr


def train(case: Case, net_spec: str, lines: int, trainer: Sequence[str], core: int) -> dict:
    """Train once and read the unseen lines with the last state of the run."""
    ours = [sys.executable, "-m", "lstmjax"]
    with tempfile.TemporaryDirectory() as folder:
        log = run(
            [*trainer, "--traineddata", case.charset, "--train_listfile", case.train,
             "--net_spec", net_spec, "--max_iterations", lines, "--target_error_rate", "-1",
             "--model_output", f"{folder}/m"],
            core,
        )  # fmt: skip
        run([*ours, "lstmeval", "--model", f"{folder}/m_checkpoint", "--traineddata",
             case.charset, "--eval_listfile", case.unseen, "--report", f"{folder}/r.json"],
            core)  # fmt: skip
        rates = json.loads(Path(folder, "r.json").read_text())["models"][0]
    found = {name: 100 * rates[name]["value"] for name in ("bcer", "bwer", "cer", "wer")}
    return {**found, "lines": lines_until(log)}


def jobs(arguments: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """(case, network, seed) of every run; the seed "real" is the real program."""
    for network in arguments.networks:
        for case in arguments.cases:
            if not arguments.skip_real:
                yield case, network, "real"
            yield from ((case, network, str(seed)) for seed in range(arguments.seeds))


def key(job: tuple[str, str, str], arguments: argparse.Namespace) -> str:
    """The key of a result: the job and everything else that decides on its figures."""
    flags = arguments.real if job[2] == "real" else arguments.ours
    return "/".join((*job, str(arguments.lines), flags))


def measure(arguments: argparse.Namespace, data: Path) -> dict[str, dict]:
    """Make all runs that are missing, one on each core at a time."""
    keep: Path | None = arguments.out
    results = json.loads(keep.read_text()) if keep and keep.is_file() else {}
    cores: Queue[int] = Queue()
    writing = Lock()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    with tempfile.TemporaryDirectory() as folder:
        cases = {name: prepare(name, data, Path(folder)) for name in arguments.cases}

        def one(job: tuple[str, str, str]) -> None:
            case, network, seed = job
            name = key(job, arguments)
            if name in results:
                return
            ours = [sys.executable, "-m", "lstmjax", "lstmtraining", "--seed", seed,
                    *shlex.split(arguments.ours)]  # fmt: skip
            real = ["lstmtraining", *shlex.split(arguments.real)]
            trainer = real if seed == "real" else ours
            core = cores.get()
            try:
                found = train(cases[case], NETWORKS[network], arguments.lines, trainer, core)
            finally:
                cores.put(core)
            with writing:
                results[name] = found
                print(name, found, file=sys.stderr, flush=True)
                if keep:
                    write_atomically(keep, json.dumps(results, indent=1).encode())

        with ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(one, jobs(arguments)))
    return results


def spread(values: Sequence[float | None]) -> str:
    """Median and range; a dash if it was not reached every time."""
    known = sorted(value for value in values if value is not None)
    if len(known) < len(values) or not known:
        return "-"
    digits = 0 if known[-1] >= 1000 else 2
    middle = f"{statistics.median(known):,.{digits}f}"
    ends = f"{known[0]:,.{digits}f} to {known[-1]:,.{digits}f}"
    return middle if len(known) == 1 else f"{middle} ({ends})"


def table(results: dict[str, dict], arguments: argparse.Namespace) -> Iterator[str]:
    """The rows of a Markdown table."""
    yield "| network | lines of | program | lines to 5 % | unseen: BCER | BWER | true CER |"
    yield "|---|---|---|---|---|---|---|"
    for network in arguments.networks:
        for case in arguments.cases:
            for program, own in (("real", ["real"]), ("ours", map(str, range(arguments.seeds)))):
                names = [key((case, network, seed), arguments) for seed in own]
                rows = [results[name] for name in names if name in results]
                if rows:
                    figures = (
                        spread([row[k] for row in rows]) for k in ("lines", "bcer", "bwer", "cer")
                    )
                    yield f"| {network} | {case} | {program} | {' | '.join(figures)} |"


def main() -> None:
    arguments = parse_arguments()
    data = Path(os.environ.get(DATA, ""), "tesseract-test")
    if not os.environ.get(DATA) or not data.is_dir():
        sys.exit(f"set {DATA} (see README.md, Test data)")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
    print("\n".join(table(measure(arguments, data.absolute()), arguments)))


if __name__ == "__main__":
    main()
