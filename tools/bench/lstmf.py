"""Compare lstmjax lstmf with the installed tesseract: bytes and speed.

    .venv/bin/python tools/bench/lstmf.py [--lines 200] [--folder DIR]

Renders pages with the real text2image in five fonts for each of several scripts, makes line images,
WordStr boxes and vertical pages of them, converts everything with both programs and prints for each
group how many lines are the same byte for byte, and lines per second of processor time: tesseract
with a process an image, as tesstrain's Makefile runs it, lstmjax with one process for all.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lstmjax.formats import box, lstmf
from lstmjax.formats.box import Box
from lstmjax.pages import Settings, lines_of
from lstmjax.pages.ground_truth import visual_order

WORDS = {
    "eng": "The small boat left harbour at nine; rain (and wind) came “early” on 17 May, by $3.50 "
    "they said no one would buy fresh bread in Market Street before noon, yet everyone did!",
    "ell": "Το μικρό πλοίο έφυγε από το λιμάνι στις εννέα· η βροχή ήρθε νωρίς στις 17 Μαΐου, και "
    "όλοι αγόρασαν φρέσκο ψωμί πριν από το μεσημέρι!",
    "hin": "छोटी नाव नौ बजे बंदरगाह से निकली और बारिश जल्दी आ गई। सब लोगों ने १७ मई को बाज़ार में "
    "ताज़ी रोटी खरीदी, क्षमा और विज्ञान की पुस्तक भी।",
    "heb": "הסירה הקטנה יצאה מן הנמל בתשע והגשם (והרוח) בא מוקדם ב-17 במאי, וכולם קנו לחם טרי "
    "לפני הצהריים!",
    "jpn": "小さな船は九時に港を出て雨が早く降った市場でみんなが新しいパンを買いました東京都",
}
FONTS = {
    "eng": ["DejaVu Sans", "DejaVu Serif", "Liberation Serif", "FreeSans", "Noto Sans"],
    "ell": ["DejaVu Sans", "DejaVu Serif", "FreeSerif", "Noto Sans", "Noto Serif"],
    "hin": ["Noto Sans Devanagari", "Noto Serif Devanagari", "Noto Sans Devanagari Bold",
            "FreeSans", "FreeSerif"],
    "heb": ["Noto Sans Hebrew", "Noto Serif Hebrew", "DejaVu Sans", "FreeSerif", "FreeSans"],
    "jpn": ["Noto Sans CJK JP", "Noto Serif CJK JP"],
}  # fmt: skip
VERTICAL = "jpn"


@dataclass
class Group:
    """Images that are converted with the same options, and the results."""

    name: str
    psm: int
    images: list[Path] = field(default_factory=list)
    same: int = 0
    lines: int = 0
    same_files: int = 0
    real_seconds: float = 0.0
    our_seconds: float = 0.0

    def __str__(self) -> str:
        speeds = [self.lines / max(s, 1e-9) for s in (self.real_seconds, self.our_seconds)]
        return (
            f"{self.name:<34} {self.same:5} of {self.lines:5} lines, {self.same_files:4} of "
            f"{len(self.images):4} files byte-identical; lines a CPU second: "
            f"tesseract {speeds[0]:6.1f}, lstmjax {speeds[1]:6.1f}, "
            f"ratio {speeds[1] / max(speeds[0], 1e-9):5.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200, help="lines of text for each font")
    parser.add_argument("--folder", type=Path, help="keep what is rendered here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).absolute()
        groups = make_groups(folder, options.lines)
        for group in groups:
            compare(group)
            print(group, flush=True)
    if any(group.same < group.lines or not group.lines for group in groups):
        sys.exit(1)


def make_groups(folder: Path, count: int) -> list[Group]:
    groups: list[Group] = []
    for script in (name for name in FONTS if name != VERTICAL):
        pages = Group(f"{script} pages, character boxes", 6)
        whole = Group(f"{script} pages, WordStr boxes", 6)
        lines = Group(f"{script} line images", 13)
        for number, font in enumerate(FONTS[script]):
            page = render(folder / "pages", script, number, font, count)
            pages.images.append(page)
            whole.images.append(with_wordstr_boxes(page, folder / "wordstr"))
            lines.images += as_line_images(page, folder / "lines", count // 4, script)
        groups += [pages, whole, lines]
    for psm in (5, 6):
        vertical = Group(f"vertical pages, mode {psm}", psm)
        for number, font in enumerate(FONTS[VERTICAL]):
            target = folder / f"vertical{psm}"
            vertical.images.append(render(target, VERTICAL, number, font, count // 4))
        groups.append(vertical)
    return groups


def render(folder: Path, script: str, number: int, font: str, count: int) -> Path:
    """Make pages of random words with the real text2image."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(f"{script}{number}")
    words = WORDS[script].split() if script != VERTICAL else list(WORDS[script])
    gap = "" if script == VERTICAL else " "
    text = "\n".join(gap.join(draw.choices(words, k=draw.randint(3, 9))) for _ in range(count))
    base = folder / f"{script}{number}"
    base.with_suffix(".txt").write_text(text + "\n")
    mode = ["--writing_mode=vertical"] if script == VERTICAL else []
    command = [
        "text2image", f"--text={base}.txt", f"--outputbase={base}", f"--font={font}",
        "--xsize=2000", "--ysize=1600", f"--ptsize={10 + number}", *mode,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)  # leaves fonts.conf
    if done.returncode or not base.with_suffix(".tif").exists():
        sys.exit(f"text2image failed for {font}: {done.stderr}")
    return base.with_suffix(".tif")


def with_wordstr_boxes(page: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / page.name
    shutil.copy(page, copy)
    boxes = box.load(page.with_suffix(".box")).boxes
    lines: list[Box] = []
    for number in sorted({one.page for one in boxes}):
        for line in box.text_lines(boxes, number):
            left, bottom, right, top = line.bounds
            lines.append(Box(line.text, left, bottom, right, top, number))
            lines.append(Box("\t", right + 1, bottom, right + 5, top, number))
    box.save(lines, copy.with_suffix(".box"))
    return copy


def as_line_images(page: Path, folder: Path, count: int, script: str) -> list[Path]:
    """Cut lines into images of their own, with boxes like those of tesstrain."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for number, line in enumerate(lines_of(str(page), Settings(psm=6))):
        if number == count:
            break
        image = folder / f"{page.stem}-{number}.png"
        image.write_bytes(line.crop.png())
        height, width = line.crop.pixels.shape[:2]
        if script in ("hin", "heb"):
            boxes = [Box(visual_order(line.text), 0, 0, width, height)]
        else:
            boxes = [Box(char, 0, 0, width, height) for char in line.text]
        box.save([*boxes, Box("\t", 0, 0, width, height)], image.with_suffix(".box"))
        images.append(image)
    return images


def compare(group: Group) -> None:
    """Convert with both programs, in one folder, because a file's name decides on its order."""
    folder = group.images[0].parent
    start = cpu_seconds()
    for image in group.images:
        command = ["tesseract", image.name, image.stem, "--psm", str(group.psm), "lstm.train"]
        environ = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
    group.real_seconds = cpu_seconds() - start
    expected = {image: take(image.with_suffix(".lstmf")) for image in group.images}
    names = [image.name for image in group.images]
    command = [sys.executable, "-m", "lstmjax", "lstmf", f"--psm={group.psm}", "--workers=1"]
    start = cpu_seconds()
    subprocess.run([*command, *names], cwd=folder, capture_output=True, check=False)
    group.our_seconds = cpu_seconds() - start
    for image in group.images:
        count(group, expected[image], take(image.with_suffix(".lstmf")))


def cpu_seconds() -> float:
    """Processor time of all programs run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def take(path: Path) -> bytes:
    """Read a file and remove it."""
    if not path.exists():
        return b""
    data = path.read_bytes()
    path.unlink()
    return data


def count(group: Group, expected: bytes, found: bytes) -> None:
    wanted, made = (lstmf.unpack(data) if data else () for data in (expected, found))
    group.lines += len(wanted)
    group.same += sum(
        lstmf.pack((a,)) == lstmf.pack((b,)) for a, b in zip(wanted, made, strict=False)
    )
    group.same_files += expected == found


if __name__ == "__main__":
    main()
