"""Run the public tesstrain Makefile, unmodified, with lstmjax's executables or the real tools.

    .venv/bin/python tools/demonstration/tesstrain_makefile.py --tesstrain DIR --langdata DIR
        --tools ours --out out/m

Lines are rendered, `make training` goes its whole way; the times of its parts (wall clock and CPU)
and the error rates of the model on the evaluation lines (read by `lstmjax lstmeval`) are printed as
a JSON object. With `--tools ours` PATH has no tool of Tesseract but ours. Run both in turn to
compare times; OMP_THREAD_LIMIT counts for the real tools.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from demo_text import make_lines
from make_demo_data import render

from lstmjax.pipeline.shims import NAMES, write_shims

SCRIPTS = (
    "Arabic Armenian Bengali Bopomofo Canadian_Aboriginal Cherokee Cyrillic Devanagari Ethiopic "
    "Georgian Greek Gujarati Gurmukhi Hangul Han Hebrew Hiragana Kannada Katakana Khmer Lao Latin "
    "Malayalam Myanmar Ogham Oriya Runic Sinhala Syriac Tamil Telugu Thai"
)
"""The Makefile wants a file for each; only those of the texts are read."""

FONTS = ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSerif.ttf", "freefont/FreeSerif.ttf",
         "liberation/LiberationSerif-Regular.ttf")  # fmt: skip
SEED = 5
PARTS = ("unicharset", "lists", "proto-model", "training")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tesstrain", type=Path, required=True, help="checkout with the Makefile")
    parser.add_argument("--langdata", type=Path, required=True, help="folder as langdata_lstm")
    parser.add_argument("--tools", choices=("ours", "real"), required=True)
    parser.add_argument("--out", type=Path, required=True, help="new folder for everything")
    parser.add_argument("--start_model", type=Path, help="float traineddata to fine-tune")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--max_iterations", type=int, default=1000)
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts/truetype"))
    return parser.parse_args()


def make_ground_truth(count: int, fonts: Path, folder: Path) -> None:
    """Render lines, each an image with its text beside it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    for i, text in enumerate(make_lines(count, SEED)):
        image = render(text, fonts / FONTS[i % len(FONTS)], int(rng.integers(36, 49)), rng)
        image.save(folder / f"line{i:04d}.png")
        (folder / f"line{i:04d}.gt.txt").write_text(text + "\n", encoding="utf-8")


def make_langdata(source: Path, folder: Path) -> None:
    """A folder with everything the Makefile would otherwise download."""
    folder.mkdir(parents=True)
    names = [f"{script}.unicharset" for script in SCRIPTS.split()]
    for name in (*names, "radical-stroke.txt"):
        if (source / name).exists():
            (folder / name).symlink_to((source / name).resolve())
        else:
            (folder / name).touch()


def make_path(out: Path, tools: str) -> str:
    """A search path with every program of the system but, for ours, the tools of Tesseract."""
    system = out / "system"
    system.mkdir()
    hidden = {*NAMES, "python3", "python"} if tools == "ours" else {"python3", "python"}
    for folder in ("/usr/local/bin", "/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            link = system / program.name
            if program.name not in hidden and not link.is_symlink():
                link.symlink_to(program)
    # The Makefile's own scripts need Pillow.
    python = system / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    if tools == "real":
        return str(system)
    write_shims(out / "shims")
    return os.pathsep.join([str(out / "shims"), str(system)])


def main() -> None:
    arguments = parse_arguments()
    out: Path = arguments.out.absolute()
    data = out / "data"
    make_ground_truth(arguments.lines, arguments.fonts, data / "mine-ground-truth")
    make_langdata(arguments.langdata.absolute(), data / "langdata")
    env = {**os.environ, "PATH": make_path(out, arguments.tools)}
    settings = [f"DATA_DIR={data}", "MODEL_NAME=mine", f"MAX_ITERATIONS={arguments.max_iterations}"]
    if arguments.start_model:
        start: Path = arguments.start_model.absolute()
        settings += [f"START_MODEL={start.stem}", f"TESSDATA={start.parent}"]
    seconds, cpu = {}, {}
    with (out / "make.log").open("w") as log:
        for part in PARTS:
            begin, begin_cpu = time.monotonic(), cpu_seconds()
            done = subprocess.run(
                ["make", *settings, part], cwd=arguments.tesstrain, env=env, stdout=log, stderr=log
            )
            seconds[part] = round(time.monotonic() - begin, 1)
            cpu[part] = round(cpu_seconds() - begin_cpu, 1)
            if done.returncode:
                sys.exit(f"make {part} failed with {done.returncode}; see {out / 'make.log'}")
    print(json.dumps({"tools": arguments.tools, "seconds": seconds, "cpu": cpu, **measure(data)}))


def cpu_seconds() -> float:
    """CPU time of all processes that ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(data: Path) -> dict[str, float]:
    """The error rates of the model on the evaluation lines, in percent."""
    done = subprocess.run(
        [
            sys.executable, "-m", "lstmjax", "lstmeval", "--verbosity", "0",
            "--model", data / "mine.traineddata", "--eval_listfile", data / "mine" / "list.eval",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rates = re.findall(r"(\w+ eval)=([\d.]+)", done.stdout + done.stderr)
    return {name: float(rate) for name, rate in rates}


if __name__ == "__main__":
    main()
