"""The tutorial of Tesseract's training guide, rerun with lstmjax: README.md has the results.

    LSTMJAX_TESTDATA=<data> python experiments/tutorial/run.py [scratch small full plusminus layers]

Everything goes below out/tutorial (--out); what is there is not made again, training goes on where
it was. Each experiment prints the commands it runs and ends with a row of results.json.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
FONTS = (
    "DejaVu Sans", "DejaVu Sans Bold", "DejaVu Sans Oblique", "DejaVu Serif", "DejaVu Serif Bold",
    "DejaVu Serif Italic", "DejaVu Sans Mono", "Liberation Sans", "Liberation Sans Bold",
    "Liberation Sans Italic", "Liberation Serif", "Liberation Serif Bold",
    "Liberation Serif Italic", "Liberation Mono", "Liberation Mono Bold", "Open Sans",
)  # fmt: skip
"""Fonts from Debian packages, in place of the guide's thirty Latin fonts."""

CONDENSED = "Open Sans Condensed, Bold Condensed"
"""In place of Impact, which is not free."""

EXPERIMENTS = ("scratch", "small", "full", "plusminus", "layers")
SIGNS = ("±1.84%", "±85¢", "±1.31", "±65°C,", "±14¢", "±90°", "±8.4", "±2.96%", "(±7)", "±500Gb",
         "±18", "(±6)", "±44.01189673355", "±2?")  # fmt: skip
"""The guide's fourteen samples of the character that is added."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("experiments", nargs="*", help=f"of {', '.join(EXPERIMENTS)}; or all")
    parser.add_argument("--data", type=Path, default=os.environ.get("LSTMJAX_TESTDATA"))
    parser.add_argument("--scale", type=float, default=1.0, help="part of the guide's iterations")
    parser.add_argument("--fonts", type=int, default=len(FONTS), help="number of training fonts")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "tutorial")
    return parser.parse_args()


class Tutorial:
    """The experiments.

    Args:
      data: folder with langdata/ and tessdata_best/, see the project's README.
      out: folder for everything.
      fonts: fonts to train on.
      scale: iterations as a share of the guide's.
    """

    def __init__(self, data: Path, out: Path, fonts: tuple[str, ...], scale: float):
        self.langdata = data / "langdata"
        self.best = data / "tessdata_best"
        self.out = out
        self.fonts = fonts
        self.scale = scale

    # -- the data, as tesstrain.sh makes it -------------------------------------------------------

    def lines(self, name: str, lang: str, *fonts: str, text: Path | None = None) -> Path:
        """Draw a text; the folder, with list.train and `<lang>/<lang>.traineddata`."""
        folder = self.out / name
        arguments = ["--training_text", text] if text else []
        lstmjax(
            "tesstrain", "--lang", lang, "--linedata_only", "--langdata_dir", self.langdata,
            "--output_dir", folder, *arguments, "--fontlist", *fonts,
        )  # fmt: skip
        return folder

    def signed_text(self) -> Path:
        """French training text with fourteen plus-minus signs in it."""
        lines = (self.langdata / "fra" / "fra.training_text").read_text("utf-8").splitlines()
        step = len(lines) // len(SIGNS)
        for number, sign in enumerate(SIGNS):
            words = lines[number * step].split(" ")
            words.insert(len(words) // 2, sign)
            lines[number * step] = " ".join(words)
        path = self.out / "plusminus.training_text"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    # -- the experiments --------------------------------------------------------------------------

    def scratch(self) -> dict[str, object]:
        """Training from scratch; over-fitting shows on the font that is not trained on."""
        train, unseen = self.english()
        starter = train / "eng" / "eng.traineddata"
        rates: dict[str, object] = {}
        for iterations in (5000, 10_000):
            seconds = self.train(
                "scratch/base", iterations, "--traineddata", starter, "--net_spec", NET_SPEC,
                "--train_listfile", train / "list.train", "--learning_rate", 0.004,
            )  # fmt: skip
            checkpoint = self.out / "scratch" / "base_checkpoint"
            rates[f"seconds {iterations}"] = seconds
            rates[f"training fonts {iterations}"] = measure(checkpoint, train, starter)
            rates[f"condensed {iterations}"] = measure(checkpoint, unseen, starter)
        return rates

    def small(self) -> dict[str, object]:
        """Fine-tuning the small model of `scratch` for the condensed font."""
        train, condensed = self.english()
        starter = train / "eng" / "eng.traineddata"
        start = self.out / "scratch" / "base_checkpoint"
        if not start.exists():
            sys.exit("small starts from the model of scratch; run that first")
        seconds = self.train(
            "small/condensed", 1200, "--traineddata", starter, "--continue_from", start,
            "--train_listfile", condensed / "list.train",
        )  # fmt: skip
        checkpoint = self.out / "small" / "condensed_checkpoint"
        return {"seconds": seconds, "condensed": measure(checkpoint, condensed, starter)}

    def full(self) -> dict[str, object]:
        """Fine-tuning a published model for the condensed font."""
        train = self.lines("fratrain", "fra", *self.fonts)
        condensed = self.lines("fracondensed", "fra", CONDENSED)
        model = self.best / "fra.traineddata"
        rates: dict[str, object] = {
            "condensed before": measure(model, condensed),
            "training fonts before": measure(model, train),
        }
        rates["seconds"] = self.train(
            "full/condensed", 400, "--traineddata", model, "--continue_from", self.network("fra"),
            "--train_listfile", condensed / "list.train", "--learning_rate", 0.001,
        )  # fmt: skip
        checkpoint = self.out / "full" / "condensed_checkpoint"
        rates["condensed"] = measure(checkpoint, condensed, model)
        rates["training fonts"] = measure(checkpoint, train, model)
        return rates

    def plusminus(self) -> dict[str, object]:
        """Adding a character with fourteen samples; read in a font that is not trained on."""
        text = self.signed_text()
        train = self.lines("plustrain", "fra", *self.fonts, text=text)
        unseen = self.lines("pluscondensed", "fra", CONDENSED, text=text)
        model, starter = self.best / "fra.traineddata", train / "fra" / "fra.traineddata"
        seconds = self.train(
            "plusminus/plusminus", 3600, "--traineddata", starter, "--old_traineddata", model,
            "--continue_from", self.network("fra"), "--train_listfile", train / "list.train",
            "--learning_rate", 0.001, "--batch", 4,
        )  # fmt: skip
        checkpoint = self.out / "plusminus" / "plusminus_checkpoint"
        return {
            "seconds": seconds,
            "training fonts": measure(checkpoint, train, starter),
            "condensed": measure(checkpoint, unseen, starter),
            "signs read in condensed": signs_read(checkpoint, unseen, starter),
        }

    def layers(self) -> dict[str, object]:
        """Cutting off the top layers of a model for Hebrew, and learning English on the rest."""
        train, unseen = self.english()
        starter = train / "eng" / "eng.traineddata"
        seconds = self.train(
            "layers/base", 3000, "--traineddata", starter, "--continue_from", self.network("heb"),
            "--append_index", 5, "--net_spec", "[Lfx256 O1c1]", "--learning_rate", 0.004,
            "--train_listfile", train / "list.train",
        )  # fmt: skip
        checkpoint = self.out / "layers" / "base_checkpoint"
        return {
            "seconds": seconds,
            "training fonts": measure(checkpoint, train, starter),
            "condensed": measure(checkpoint, unseen, starter),
        }

    # -- what several of them need ----------------------------------------------------------------

    def english(self) -> tuple[Path, Path]:
        """Lines of the training fonts, and of the condensed one."""
        return self.lines("engtrain", "eng", *self.fonts), self.lines(
            "engcondensed", "eng", CONDENSED
        )

    def network(self, lang: str) -> Path:
        """The network of a published model."""
        path = self.out / f"{lang}.lstm"
        if not path.exists():
            lstmjax("combine_tessdata", "-e", self.best / f"{lang}.traineddata", path)
        return path

    def train(self, name: str, iterations: int, *arguments: object) -> float:
        """Train, and say how many seconds it took."""
        begin = time.monotonic()
        count = max(1, round(iterations * self.scale))
        lstmjax(
            "lstmtraining", *arguments, "--model_output", self.out / name, "--max_iterations", count
        )
        return round(time.monotonic() - begin, 1)


def lstmjax(*words: object) -> str:
    """Run a command and return what it printed; the log of training goes to the terminal, too."""
    arguments = [str(word) for word in words]
    print(f"\n$ lstmjax {shlex.join(arguments)}", flush=True)
    with subprocess.Popen(
        [sys.executable, "-m", "lstmjax", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=ROOT,
    ) as process:  # fmt: skip
        printed = []
        for line in process.stdout or ():
            printed.append(line)
            if arguments[0] == "lstmtraining":
                print(line, end="", flush=True)
    if process.returncode:
        sys.exit("".join(printed[-10:]))
    return "".join(printed)


def evaluation(checkpoint: Path, lines: Path, charset: Path | None, verbosity: int) -> str:
    arguments = ["--traineddata", charset] if charset else []
    return lstmjax(
        "lstmeval", "--model", checkpoint, *arguments, "--eval_listfile", lines / "list.train",
        "--verbosity", verbosity,
    )  # fmt: skip


def measure(checkpoint: Path, lines: Path, charset: Path | None = None) -> str:
    """Tesseract's error rates in percent: characters / words; and the true ones."""
    text = evaluation(checkpoint, lines, charset, 0)
    rates = {name: float(rate) for name, rate in re.findall(r"(\w+) eval=([\d.]+)", text)}
    return (
        f"{rates['BCER']:.2f} / {rates['BWER']:.2f} (CER {rates['CER']:.2f}, WER "
        f"{rates['WER']:.2f})"
    )


def signs_read(checkpoint: Path, lines: Path, charset: Path) -> str:
    """How many of the new characters are read where they are, and how many are read elsewhere."""
    text = evaluation(checkpoint, lines, charset, 2)
    truths = re.findall(r"^Truth:(.*)$", text, re.M)
    readings = re.findall(r"^OCR  :(.*)$", text, re.M)
    pairs = [(t.count("±"), r.count("±")) for t, r in zip(truths, readings, strict=True)]
    right = sum(min(pair) for pair in pairs)
    return f"{right} of {sum(t for t, _ in pairs)}, {sum(r for _, r in pairs) - right} elsewhere"


def main() -> None:
    arguments = parse_arguments()
    if not arguments.data:
        sys.exit("name the folder of the test data: --data, or LSTMJAX_TESTDATA")
    out: Path = arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    fonts = FONTS[: arguments.fonts]
    tutorial = Tutorial(Path(arguments.data).absolute(), out, fonts, arguments.scale)
    results = out / "results.json"
    for name in arguments.experiments or EXPERIMENTS:
        row = getattr(tutorial, name)()
        rows = json.loads(results.read_text()) if results.exists() else {}
        rows[name] = {"scale": arguments.scale, "fonts": len(fonts), **row}
        results.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
        print(f"\n{name}: {json.dumps(rows[name], indent=1, ensure_ascii=False)}", flush=True)


if __name__ == "__main__":
    main()
