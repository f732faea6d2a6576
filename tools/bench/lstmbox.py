"""Compare lstmjax lstmbox with the installed tesseract, and character boxes with the truth.

    .venv/bin/python tools/bench/lstmbox.py [--script eng] [--model eng.traineddata] [--lines 20]

Renders lines in five fonts with the real text2image, whose box files are the truth. Prints how many
box files of lstmbox and wordstrbox are the same as tesseract's, and the distance in pixels of the
left and right edges of characters from the truth, for tesseract's makebox and --char_boxes.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lstmf import FONTS, cpu_seconds, render

from lstmjax.formats import box
from lstmjax.pages import Line, Settings, lines_of


class Edges(NamedTuple):
    """A character and its left and right edge."""

    text: str
    left: int
    right: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--script", default="eng", choices=[name for name in FONTS if name != "jpn"]
    )
    parser.add_argument("--model", type=Path, help="default: the installed one for the script")
    parser.add_argument("--lines", type=int, default=20, help="for each font")
    options = parser.parse_args()
    model = options.model or installed_folder() / f"{options.script}.traineddata"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        lines = render_lines(folder, options.script, options.lines)
        compare_files(folder, model, list(lines))
        compare_edges(folder, model, lines)


def installed_folder() -> Path:
    """The folder with the models of the installed tesseract."""
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True)
    found = re.search(r'"(.*)"', listed.stdout + listed.stderr)
    if found is None:
        sys.exit("cannot tell where tesseract has its models; give --model")
    return Path(found[1])


def render_lines(folder: Path, script: str, count: int) -> dict[str, Line]:
    """Line images with their truth, by name."""
    lines: dict[str, Line] = {}
    for number, font in enumerate(FONTS[script]):
        page = render(folder / "pages", script, number, font, count)
        for i, line in enumerate(lines_of(str(page), Settings(psm=6))):
            name = f"{number}-{i}"
            (folder / f"{name}.png").write_bytes(line.crop.png())
            lines[name] = line
    return lines


def real_boxes(folder: Path, model: Path, names: list[str], kind: str) -> dict[str, str]:
    """The box files that tesseract writes, one process for each line."""
    for name in names:
        command = [
            "tesseract", f"{name}.png", f"{name}.{kind}", "--tessdata-dir", model.parent, "-l",
            model.stem, "--psm", "13", "-c", f"tessedit_create_{kind}=1",
        ]  # fmt: skip
        environ = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=True)
    return {name: (folder / f"{name}.{kind}.box").read_text() for name in names}


def our_boxes(folder: Path, model: Path, names: list[str], *form: str) -> dict[str, str]:
    """The box files that lstmjax writes, one process for all lines."""
    target = folder / "ours"
    command = [
        sys.executable, "-m", "lstmjax", "lstmbox", "--model", model, "--output_dir", target,
        "--overwrite", *form, *(f"{name}.png" for name in names),
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    paths = {name: target / f"{name}.box" for name in names}
    return {name: path.read_text() if path.exists() else "" for name, path in paths.items()}


def compare_files(folder: Path, model: Path, names: list[str]) -> None:
    for kind, form in (("lstmbox", ()), ("wordstrbox", ("--wordstr",))):
        start = cpu_seconds()
        real = real_boxes(folder, model, names, kind)
        middle = cpu_seconds()
        ours = our_boxes(folder, model, names, *form)
        end = cpu_seconds()
        same = sum(real[name] == ours[name] for name in names)
        texts = sum(text_of(real[name]) == text_of(ours[name]) for name in names)
        print(
            f"{kind:<10} {same} of {len(names)} box files identical, {texts} with the same text; "
            f"lines a CPU second: tesseract {len(names) / (middle - start):.1f}, lstmjax "
            f"{len(names) / (end - middle):.1f}",
            flush=True,
        )


def text_of(boxes: str) -> str:
    return "".join(one.text for one in box.unpack(boxes.encode()).boxes)


def compare_edges(folder: Path, model: Path, lines: dict[str, Line]) -> None:
    names = list(lines)
    answers = {
        "tesseract makebox": real_boxes(folder, model, names, "boxfile"),
        "lstmjax --char_boxes": our_boxes(folder, model, names, "--char_boxes"),
    }
    for program, found in answers.items():
        errors: list[tuple[int, int]] = []
        total = 0
        for name, line in lines.items():
            truth = [
                Edges(text, int(place[0]), int(place[2]))
                for text, place in zip(line.box_texts, line.boxes, strict=True)
                if text.strip()
            ]
            total += len(truth)
            errors += distances(truth, edges_of(found[name]))
        report(program, np.abs(np.array(errors).reshape(-1, 2)), total)


def edges_of(boxes: str) -> list[Edges]:
    found = box.unpack(boxes.encode()).boxes
    solid = [Edges(one.text, one.left, one.right) for one in found if one.text.strip()]
    return sorted(solid, key=lambda one: one.left)


def distances(truth: list[Edges], found: list[Edges]) -> list[tuple[int, int]]:
    """Distances of left and right edges, of the characters that were read correctly."""
    matcher = difflib.SequenceMatcher(
        a=[one.text for one in truth], b=[one.text for one in found], autojunk=False
    )
    return [
        (found[b + i].left - truth[a + i].left, found[b + i].right - truth[a + i].right)
        for a, b, size in matcher.get_matching_blocks()
        for i in range(size)
    ]


def report(program: str, errors: np.ndarray, total: int) -> None:
    print(f"{program}: {len(errors)} of {total} characters compared, distance in pixels")
    for side, values in zip(("left", "right"), errors.T, strict=True):
        print(
            f"  {side:<6} mean {values.mean():.2f}, median {np.median(values):.1f}, "
            f"95 % {np.percentile(values, 95):.0f}, exact {100 * (values == 0).mean():.0f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
