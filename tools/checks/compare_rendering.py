"""Train on what the original text2image draws and on what ours draws, and swap what is read.

    .venv/bin/python tools/checks/compare_rendering.py --text eng.training_text
        [--text fra.training_text] [--fonts "DejaVu Sans" "Liberation Serif"]
        [--lines 2000] [--iterations 12000]

Both programs draw the same lines in the same fonts; a fifth of the words is kept for the lines that
are only read. Networks are trained on the lines of each program with the same flags and seeds, and
read the held-out lines of both. If our pages are as good as the original's, it makes no difference
who drew them. The original must be on the path. The exit status is 1 if true error rates (CER)
differ by more than --bound, between lines of both programs or between both networks.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import lstmjax
from lstmjax.formats import lstmf

OURS = [sys.executable, "-m", "lstmjax"]
PROGRAMS = {"original": ["text2image"], "lstmjax": [*OURS, "text2image"]}
FONTS = ["DejaVu Sans", "DejaVu Serif", "Liberation Sans", "Liberation Serif", "DejaVu Sans Bold"]
NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
EXPOSURES = (-1, 0, 1)
SHORTEST, LONGEST = 18, 32  # characters
HELD_OUT = 5  # one word of so many is for lines that are read only
PARTS = ("train", "read")


@dataclass
class Drawn:
    """The lines of one program.

    Attributes:
      lists: list files of the documents to train on and to read.
      images: pages of each document, in the order of the lists.
      texts: texts of all lines.
    """

    lists: dict[str, Path] = field(default_factory=dict)
    images: list[Path] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--text", action="append", type=Path, required=True, help="may be repeated")
    parser.add_argument("--fonts", nargs="+", default=FONTS)
    parser.add_argument("--lines", type=int, default=2000, help="to train on")
    parser.add_argument("--read_lines", type=int, default=300, help="to read")
    parser.add_argument("--iterations", type=int, default=12000)
    parser.add_argument("--net_spec", default=NET_SPEC)
    parser.add_argument(
        "--seeds", type=int, default=1, help="networks to train on each; means count"
    )
    parser.add_argument("--norm_mode", type=int, default=1, help="units of the character set")
    parser.add_argument("--bound", type=float, default=0.5, help="percent points")
    parser.add_argument("--folder", type=Path, help="keep everything here")
    parser.add_argument("flags", nargs="*", help="further flags for both text2image, after --")
    return parser.parse_args()


def divided(paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """The words to train on and those of the lines that are only read."""
    words = [word for path in paths for word in path.read_text("utf-8").split()]
    held_out = words[HELD_OUT - 1 :: HELD_OUT]
    del words[HELD_OUT - 1 :: HELD_OUT]
    return words, held_out


def make_lines(words: Sequence[str], count: int, seed: str) -> list[str]:
    """Lines of words in any order, so that there is nothing to learn by heart."""
    rng = random.Random(seed)
    usable = [word for word in words if len(word) <= LONGEST]
    lines: list[str] = []
    while len(lines) < count:
        length, line = rng.randint(SHORTEST, LONGEST), rng.choice(usable)
        while len(line) < length:
            line += " " + rng.choice(usable)
        lines.append(line)
    return lines


def run(command: Sequence[object], folder: Path) -> None:
    """Run a program in a folder, where the original leaves its font settings.

    Raises: SystemExit: it failed.
    """
    words = [str(word) for word in command]
    environ = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:].decode(errors='replace')}")


def draw(program: str, lines: dict[str, list[str]], arguments, folder: Path) -> Drawn:
    """Draw the lines of both parts, a document for each font, and cut them out."""
    folder.mkdir(parents=True)
    drawn = Drawn()
    for part, texts in lines.items():
        names = []
        for number, font in enumerate(arguments.fonts):
            name = f"{part}{number}"
            (folder / f"{name}.txt").write_text("\n".join(texts[number :: len(arguments.fonts)]))
            run(
                [*PROGRAMS[program], f"--text={name}.txt", f"--outputbase={name}", f"--font={font}",
                 f"--exposure={EXPOSURES[number % len(EXPOSURES)]}", *arguments.flags],
                folder,
            )  # fmt: skip
            command = [*OURS, "lstmf", "--psm=6", f"--output={name}.lstmf", f"{name}.tif"]
            run(command, folder)
            names.append(name)
        drawn.lists[part] = folder / f"{part}.list"
        drawn.lists[part].write_text("".join(f"{folder / name}.lstmf\n" for name in names))
        drawn.images += [folder / f"{name}.tif" for name in names]
        drawn.texts += [page.transcription for name in names for page in pages(folder, name)]
    return drawn


def pages(folder: Path, name: str) -> tuple[lstmf.Page, ...]:
    """The lines of a document."""
    return lstmf.load(folder / f"{name}.lstmf")


def different_ink(one: Drawn, other: Drawn) -> tuple[int, int]:
    """How many pixels of the pages differ, and how many of the first are ink."""
    different = ink = 0
    for first, second in zip(one.images, other.images, strict=True):
        with Image.open(first) as a, Image.open(second) as b:
            for page in range(min(a.n_frames, b.n_frames)):  # pyright: ignore
                a.seek(page)
                b.seek(page)
                black = ~np.array(a)
                different += int((black == np.array(b)).sum())
                ink += int(black.sum())
    return different, ink


def train(drawn: Drawn, starter: Path, seed: int, arguments, folder: Path) -> Path:
    """Train a network on lines; its last state."""
    folder.mkdir()
    run(
        [*OURS, "lstmtraining", "--traineddata", starter, "--net_spec", arguments.net_spec,
         "--train_listfile", drawn.lists["train"], "--max_iterations", arguments.iterations,
         "--target_error_rate", "-1", "--seed", seed, "--model_output", folder / "m"],
        folder,
    )  # fmt: skip
    return folder / "m_checkpoint"


def error_rate(model: Path, starter: Path, drawn: Drawn, report: Path) -> float:
    """True CER on the lines that are read only, in percent."""
    run(
        [*OURS, "lstmeval", "--model", model, "--traineddata", starter, "--verbosity", "0",
         "--eval_listfile", drawn.lists["read"], "--report", report],
        report.parent,
    )  # fmt: skip
    return 100 * json.loads(report.read_text())["models"][0]["cer"]["value"]


def measure(arguments, folder: Path) -> dict[tuple[str, str], float]:
    """Mean CER by who drew the lines trained on and who drew the lines read."""
    counts = (arguments.lines, arguments.read_lines)
    parts = zip(PARTS, divided(arguments.text), counts, strict=True)
    lines = {part: make_lines(words, n, part) for part, words, n in parts}
    drawn = {name: draw(name, lines, arguments, folder / name) for name in PROGRAMS}
    for name, one in drawn.items():
        print(f"{name}: {len(one.texts)} lines")
    different, ink = different_ink(drawn["original"], drawn["lstmjax"])
    print(f"{different} pixels of the pages differ, {different / max(ink, 1):.3%} of the ink")
    same = sum(a == b for a, b in zip(*(one.texts for one in drawn.values()), strict=False))
    print(f"{same} lines have the same text\n", flush=True)
    starter = folder / "starter.traineddata"
    texts = [text for one in drawn.values() for text in one.texts]
    lstmjax.make_starter(texts, starter, norm_mode=arguments.norm_mode)
    found: dict[tuple[str, str], list[float]] = {}
    for seed in range(arguments.seeds):
        for name in PROGRAMS:
            model = train(drawn[name], starter, seed, arguments, folder / f"on-{name}-{seed}")
            for read, one in drawn.items():
                rate = error_rate(model, starter, one, folder / f"{name}-{read}-{seed}.json")
                found.setdefault((name, read), []).append(rate)
                print(f"seed {seed}, on lines of {name}, reads those of {read}: {rate:.2f}")
    return {pair: statistics.fmean(rates) for pair, rates in found.items()}


def gaps(rates: dict[tuple[str, str], float]) -> Iterator[tuple[str, float]]:
    """Differences of error rates in points: by the lines read, by the lines trained on."""
    ours, real = "lstmjax", "original"
    yield "trained on the original's: our lines or its own", rates[real, ours] - rates[real, real]
    yield "trained on ours: the original's lines or our own", rates[ours, real] - rates[ours, ours]
    yield "lines of the original: trained on ours or its own", rates[ours, real] - rates[real, real]
    yield "our lines: trained on our own or the original's", rates[ours, ours] - rates[real, ours]
    yield "lines of the other program, both ways", rates[ours, real] - rates[real, ours]


def table(rates: dict[tuple[str, str], float]) -> Iterator[str]:
    """Rows of Markdown."""
    yield f"| trained on | {' | '.join(f'lines of {name}' for name in PROGRAMS)} |"
    yield f"|---|{'---|' * len(PROGRAMS)}"
    for trained in PROGRAMS:
        yield f"| {trained} | {' | '.join(f'{rates[trained, name]:.2f}' for name in PROGRAMS)} |"


def main() -> None:
    arguments = parse_arguments()
    arguments.text = [path.absolute() for path in arguments.text]
    with tempfile.TemporaryDirectory() as scratch:
        rates = measure(arguments, (arguments.folder or Path(scratch)).absolute())
    print("\n".join(["CER in percent", "", *table(rates), ""]))
    differences = list(gaps(rates))
    for name, points in differences:
        print(f"{name}: {points:+.2f} points")
    if any(abs(points) > arguments.bound for _, points in differences):
        sys.exit(1)


if __name__ == "__main__":
    main()
