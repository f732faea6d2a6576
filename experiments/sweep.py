"""Try many settings of training, on several processes or machines; see docs/sweeps.md.

python experiments/sweep.py run SPACE.toml --study out/a.journal --trials 20 --workers 2
python experiments/sweep.py report --study out/a.journal
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sweeps.training import child

from lstmjax.errors import LstmjaxError, UsageError

GRACE = 60.0
PROGRAM = str(Path(__file__).resolve())


def main(argv: list[str]) -> int:
    """Run a command; returns the exit status."""
    if argv == ["_train"]:
        return child()
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except LstmjaxError as err:
        print(f"sweep: error: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more on its way out; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sweep.py", description="Try many settings of training.")
    commands = parser.add_subparsers(required=True, metavar="run | report")
    for name, command in (("run", _run), ("_work", _work)):
        one = commands.add_parser(name, help="begin a study, continue it or help with it")
        one.add_argument("space", help="TOML file with the search space")
        one.add_argument("--study", required=True, help="file, or URL of a database")
        one.add_argument("--trials", type=_count, help="configurations; default: the whole grid")
        one.add_argument("--workers", type=_count, default=1, help="processes on this machine")
        one.add_argument("--runs", help="folder of the training runs; default: beside the study")
        one.add_argument(
            "--grace", type=float, default=GRACE,
            help="seconds of silence after which a worker on another machine counts as gone",
        )  # fmt: skip
        one.set_defaults(command=command)
    one = commands.add_parser("report", help="write the results so far")
    one.add_argument("--study", required=True, help="file, or URL of a database")
    one.add_argument("--out", help="base name of the .md, .csv and .png; default: the study's")
    one.set_defaults(command=_report)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, found {text!r}")
    return int(text)


def _job(arguments: argparse.Namespace) -> Any:
    import optuna
    from sweeps.space import load_space
    from sweeps.study import base_of, open_study
    from sweeps.worker import Job

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = load_space(arguments.space)
    count = arguments.trials
    if space.study["sampler"] == "grid":
        size = len(space.grid())
        count = min(count or size, size)
    if count is None:
        raise UsageError("--trials is needed: how many configurations to try")
    study = open_study(arguments.study, space)
    runs = arguments.runs or f"{base_of(arguments.study)}.runs"
    return Job(study, space, count, runs, PROGRAM, arguments.grace)


def _run(arguments: argparse.Namespace) -> int:
    from sweeps import slots
    from sweeps.results import text_of

    job = _job(arguments)
    slots.Watch(job.grace).release(job.study)
    slots.fill(job.study, job.space, job.count)
    options = [arguments.space, "--study", arguments.study, "--trials", str(job.count)]
    options += ["--runs", job.runs, "--grace", str(arguments.grace)]
    workers = [
        subprocess.Popen([sys.executable, PROGRAM, "_work", *options])
        for _ in range(arguments.workers)
    ]
    signal.signal(signal.SIGTERM, lambda *_: _stop(workers, signal.SIGTERM))
    try:
        statuses = [worker.wait() for worker in workers]
    except KeyboardInterrupt:
        _stop(workers, signal.SIGTERM)
        for worker in workers:
            worker.wait()
        raise
    for number, status in enumerate(statuses):
        if status:
            print(f"worker {number} ended with status {status}", file=sys.stderr)
    print(text_of(job.study), file=sys.stderr)
    if all(statuses):
        print("No worker came to the end; the same command goes on.", file=sys.stderr)
        return 1
    return 0


def _stop(workers: list[subprocess.Popen[bytes]], number: int) -> None:
    for worker in workers:
        if worker.poll() is None:
            os.kill(worker.pid, number)


def _work(arguments: argparse.Namespace) -> int:
    from sweeps.worker import work

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work(_job(arguments))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    import optuna
    from sweeps.results import markdown, rows, text_of, write_results
    from sweeps.study import base_of, load_study

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = load_study(arguments.study)
    written = write_results(study, arguments.out or base_of(arguments.study))
    print(text_of(study))
    print(markdown(rows(study)), end="")
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
