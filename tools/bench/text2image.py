"""Compare lstmjax text2image with the original: the same boxes, the same pixels, lines a second.

    .venv/bin/python tools/bench/text2image.py --text eng.txt:"DejaVu Sans"
        --text heb.txt:"Noto Sans Hebrew"

Each text is rendered by both programs in turn, `--repeat` times, one worker each; ours also with
two. Times are processor time of the process and its children (what a loaded machine changes least)
and, for two workers, elapsed time. The original must be on the path.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lstmjax.formats import box


@dataclass(frozen=True)
class Run:
    """The output of a program, and the time it took."""

    boxes: tuple[box.Box, ...]
    tif: Path
    processor_seconds: float
    elapsed_seconds: float

    @property
    def lines(self) -> int:
        """Lines of text on the pages."""
        return sum(one.text == "\t" for one in self.boxes) + 1


def run(command: list[str], base: Path, flags: list[str]) -> Run:
    """Run a program where it writes (the original leaves its font settings) and read the files."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    environ = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    result = subprocess.run(
        [*command, f"--outputbase={base}", *flags],
        cwd=base.parent, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    elapsed = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(box.load(f"{base}.box").boxes, Path(f"{base}.tif"), seconds, elapsed)


def compare(real: Run, ours: Run) -> None:
    """Print how the files differ."""
    pairs = [
        (one, other)
        for one, other in zip(real.boxes, ours.boxes, strict=False)
        if (one.text, one.page) == (other.text, other.page)
    ]
    edges = np.array(
        [[(b.left, b.bottom, b.right, b.top) for b in pair] for pair in pairs], np.int64
    ).reshape(-1, 2, 4)
    distances = np.abs(edges[:, 0] - edges[:, 1])
    share = len(pairs) / max(len(real.boxes), len(ours.boxes))
    breaks = [[b.page for b in program.boxes] for program in (real, ours)]
    print(f"  box lines with equal text and page: {len(pairs)} of {len(real.boxes)} ({share:.2%})")
    print(f"  edge distance: mean {distances.mean():.4f}, largest {distances.max()} pixels")
    print(f"  page breaks equal: {'yes' if breaks[0] == breaks[1] else 'no'}")
    same = real.tif.read_bytes() == ours.tif.read_bytes()
    print(f"  images: {'the same bytes' if same else pixels(real.tif, ours.tif)}")


def pixels(real: Path, ours: Path) -> str:
    """How many pixels differ."""
    different = ink = 0
    with Image.open(real) as one, Image.open(ours) as other:
        for page in range(min(one.n_frames, other.n_frames)):  # pyright: ignore
            one.seek(page)
            other.seek(page)
            black = ~np.array(one)
            different += int((black == np.array(other)).sum())
            ink += int(black.sum())
    return f"{different} pixels differ, {different / max(ink, 1):.3%} of the ink"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--text", action="append", required=True, metavar="FILE:FONT")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("flags", nargs="*", help="further flags for both programs, after --")
    arguments = parser.parse_args()
    ours = [sys.executable, "-m", "lstmjax", "text2image"]
    for entry in arguments.text:
        path, _, font = entry.rpartition(":")
        flags = [f"--text={Path(path).absolute()}", f"--font={font}", *arguments.flags]
        print(f"{path} in {font}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            runs = []
            for _ in range(max(1, arguments.repeat)):
                theirs = run(["text2image"], folder / "real", flags)
                mine = run(ours, folder / "ours", flags)
                runs.append((theirs, mine, run([*ours, "--workers=2"], folder / "two", flags)))
            theirs, mine, _ = runs[-1]
            compare(theirs, mine)
            lines = theirs.lines
            real, one = (min(r[i].processor_seconds for r in runs) for i in (0, 1))
            print(f"  original: {lines / real:.1f} lines a second of processor time")
            print(f"  lstmjax: {lines / one:.1f} lines a second, {real / one:.1f} x the original")
            single, double = (min(r[i].elapsed_seconds for r in runs) for i in (1, 2))
            print(f"  lstmjax with two workers: {single / double:.2f} x as fast (elapsed time)")


if __name__ == "__main__":
    main()
