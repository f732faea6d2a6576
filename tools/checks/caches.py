"""Damage the cache in many ways and see that nothing but time is lost.

    .venv/bin/python tools/checks/caches.py [--damages 200] [--together 1] [--seed 0]
        [--jobs 1] [--full_disk]

A warm cache is made by a short round: training with both recipes, an evaluation, a list of fonts.
Each damage, or a few at once, is done to a copy of that cache and the round is run again in a
process of its own. It must end with status 0, the same output and the same models, at most one line
more, and mend what it names. With --full_disk the round is also run with its cache on a file system
without room, which only root can make.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NET_SPEC = "[1,36,0,1 Ct3,3,4 Mp3,3 Lfys4 Lfx6 O1c1]"
LINES = 24
_TIMEOUT = 900
_WARNING = re.compile(r"^Warning: .*cache.*\n", re.MULTILINE)
ROUND = """
import hashlib, os, sys
from pathlib import Path
from lstmjax.cache import programs
programs._MIN_COMPILE_SECONDS = 0.02  # so that much of this small network is kept
from lstmjax.data import index_cache, lines as line_index
line_index._WORTH_CACHING = -1.0  # seconds; and files as new as they may be
index_cache._SETTLED_NS = -(10**18)
from lstmjax.cli.main import run
data, spec, end = sys.argv[1:]
for recipe in ("fast", "tesseract"):
    status = run([
        "lstmtraining", "--recipe", recipe, "--traineddata", data + "/demo.traineddata",
        "--train_listfile", data + "/train.list", "--net_spec", spec, "--model_output", recipe,
        "--max_iterations", end,
    ])
    assert status == 0, recipe
    print(recipe, hashlib.sha256(Path(recipe + "_checkpoint").read_bytes()).hexdigest())
    status = run([
        "lstmeval", "--model", recipe + "_checkpoint", "--traineddata", data + "/demo.traineddata",
        "--eval_listfile", data + "/eval.list", "--verbosity", "0",
    ])
    assert status == 0, "lstmeval"
from lstmjax.render.catalog import FontCatalog
print(FontCatalog().list_names())
"""


class Outcome(NamedTuple):
    """Result of a round: exit status, output without warnings, number of warnings, stderr."""

    status: int
    output: str
    warnings: int
    errors: str


def run_round(cache: Path) -> Outcome:
    """Run the round with a cache."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "LSTMJAX_NO_REEXEC": "1"}
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(
            [sys.executable, "-c", ROUND, str(EXAMPLES), NET_SPEC, str(LINES)],
            cwd=work, env=environ, capture_output=True, text=True, errors="replace",
            timeout=_TIMEOUT,
        )  # fmt: skip
    plain = _WARNING.sub("", done.stderr)
    return Outcome(
        done.returncode, done.stdout + plain, len(_WARNING.findall(done.stderr)), done.stderr
    )


def _flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 8))):
        changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _zeroed(data: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(data))
    size = min(4096, len(data) - start)
    return data[:start] + bytes(size) + data[start + size :]


BYTES = {
    "bits flipped": _flipped,
    "block of zeros": _zeroed,
    "truncated": lambda data, draw: data[: draw.randrange(len(data))],
    "emptied": lambda data, draw: b"",
    "longer": lambda data, draw: data + draw.randbytes(1 + draw.randrange(4096)),
    "random bytes": lambda data, draw: draw.randbytes(len(data)),
}
"""Damages that change what a file holds."""
OTHERS = ("deleted", "a directory", "exchanged", "unreadable", "a dangling link")


def damage(path: Path, kind: str, others: list[Path], draw: random.Random) -> None:
    """Damage a file.

    Args:
      path: file of the cache.
      kind: one of `BYTES` or `OTHERS`.
      others: files of the cache to exchange it with.
      draw: source of random numbers.
    """
    if kind in BYTES:
        path.write_bytes(BYTES[kind](path.read_bytes(), draw))
    elif kind == "exchanged":
        other = draw.choice([each for each in others if each.parent == path.parent])
        mine = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(mine)
    elif kind == "unreadable":
        path.chmod(0)  # root reads it all the same
    else:
        path.unlink()
        if kind == "a directory":
            (path / "deeper").mkdir(parents=True)
        elif kind == "a dangling link":
            path.symlink_to("nowhere")


def state_of(path: Path) -> str:
    """The content at a path, to see whether it was mended."""
    if path.is_symlink() or not path.exists():
        return "link" if path.is_symlink() else "nothing"
    if path.is_dir():
        return "directory"
    if not os.access(path, os.R_OK):
        return "unreadable"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(cache: Path) -> list[Path]:
    """All files of a cache but the locks, in order."""
    files = [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return sorted(files)


class Damage(NamedTuple):
    """One damage: its kind, the directory of the file, and the file."""

    kind: str
    where: str
    name: str


def try_damages(warm: Path, usual: Outcome, seeds: Sequence[int]) -> tuple[list[Damage], str]:
    """Do some damages to a copy of the cache and run the round.

    Args:
      warm: cache to copy.
      usual: result of the round with that cache.
      seeds: seeds of the damages.
    Returns: the damages, and a description of the failure ("" if there was none).
    """
    done, states = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch, "cache")
        shutil.copytree(warm, cache)
        files = files_of(cache)
        for seed in seeds:
            draw = random.Random(seed)
            folder = draw.choice(sorted({path.parent for path in files}))  # each as often
            path = draw.choice([each for each in files if each.parent == folder])
            kind = draw.choice([*BYTES, *OTHERS])
            if path in states:
                continue
            damage(path, kind, [each for each in files if each not in states], draw)
            states[path] = state_of(path)
            where = re.sub(r"-[0-9a-f]{12}", "", folder.relative_to(cache).as_posix())
            done.append(Damage(kind, where, path.name))
        found = run_round(cache)
        wrong = _wrong(found, usual)
        # What the round does not read stays as it is; what it names, it mends.
        if not wrong and found.warnings and all(s == state_of(p) for p, s in states.items()):
            wrong = "nothing was mended"
    return done, f"seeds {list(seeds)}, {done}: {wrong}" if wrong else ""


def _wrong(found: Outcome, usual: Outcome) -> str:
    if found.status:
        return f"status {found.status}: {found.errors[-400:]}"
    if found.output != usual.output:
        return f"other output: {found.output[-400:]}"
    if found.warnings > 1:
        return f"{found.warnings} warnings"
    return ""


@contextmanager
def full_disk() -> Iterator[Path]:
    """A directory on a file system of its own without room."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", scratch], check=True)
        try:
            with suppress(OSError), open(Path(scratch, "filling"), "wb", buffering=0) as out:
                while True:
                    out.write(bytes(4096))
            yield Path(scratch)
        finally:
            subprocess.run(["umount", "-l", scratch], check=True)


def main() -> int:
    """Run the check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--damages", type=int, default=200)
    parser.add_argument("--together", type=int, default=1, help="damages of a round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--full_disk", action="store_true")
    args = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        warm = Path(scratch, "warm")
        warm.mkdir()
        began = time.monotonic()
        first = run_round(warm)
        usual = run_round(warm)
        if first.status or first.output != usual.output or usual.warnings:
            print(first.errors, usual.errors, sep="\n", file=sys.stderr)
            return 1
        size = sum(path.stat().st_size for path in files_of(warm))
        print(
            f"{len(files_of(warm))} files, {size >> 10} KiB; {time.monotonic() - began:.0f} s",
            flush=True,
        )
        seeds = range(args.seed, args.seed + args.damages)
        groups = [seeds[at : at + args.together] for at in range(0, len(seeds), args.together)]
        done: Counter[tuple[str, str]] = Counter()
        with ThreadPoolExecutor(args.jobs) as pool:
            tried = pool.map(lambda group: try_damages(warm, usual, group), groups)
            for number, (damages, wrong) in enumerate(tried, 1):
                done.update((each.kind, each.where) for each in damages)
                failures += [wrong] if wrong else []
                print(f"round {number} of {len(groups)}: {wrong or 'as usual'}", flush=True)
        for place in sorted({where for _, where in done}):
            kinds = {kind: done[kind, place] for kind in (*BYTES, *OTHERS) if done[kind, place]}
            print(f"{place}: " + ", ".join(f"{kind} {number}" for kind, number in kinds.items()))
        if args.full_disk:
            with full_disk() as disk:
                wrong = _wrong(run_round(disk), usual)
                print(f"full disk: {wrong or 'as without a cache'}")
                failures += [wrong] if wrong else []
    print(f"{sum(done.values())} damages, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
