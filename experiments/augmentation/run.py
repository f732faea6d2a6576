"""The effect of `--augment`: from one font to others, and few lines on top of a model.

    export LSTMJAX_TESTDATA=...        # see README.md of the project, Test data
    python experiments/augmentation/run.py

It writes below out/augmentation/, and goes on there when it is started again.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import lstmjax
from lstmjax.formats import lstmf

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c1]"
STRENGTHS = (0, 1)
SEEDS = (0, 1)
FEW = 100  # lines to fine-tune on
FONTS = {
    "DejaVu Sans": ["--font", "DejaVu Sans"],
    "Liberation Serif": ["--font", "Liberation Serif"],
    "Liberation Sans Italic": ["--font", "Liberation Sans Italic"],
    "Liberation Sans, rough": [
        "--font", "Liberation Sans", "--exposure", "-2", "--distort_image", "--invert=false",
    ],
}  # fmt: skip
"""Fonts that the model of one font is tried on, with flags of `text2image`."""
DATA = Path(os.environ.get("LSTMJAX_TESTDATA", "."))
OUT = Path("out/augmentation")
BEST = DATA / "tessdata_best" / "fra.traineddata"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure --augment.")
    parser.add_argument("--iterations", type=int, default=10_000, help="lines from scratch")
    parser.add_argument("--few_iterations", type=int, default=2_000, help="lines of fine-tuning")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    fine_tuned(arguments.few_iterations)
    from_scratch(arguments.iterations)


def from_scratch(iterations: int) -> None:
    """Train on Arial, evaluate on other fonts."""
    lines = DATA / "tesseract-test"
    starter, other = lines / "eng.starter.traineddata", lines / "eng.Arial_Unicode_MS.exp0.lstmf"
    text = "\n".join(lstmjax.read_lines(other).texts[:400]) + "\n"
    evaluations = {"Arial Unicode MS": other}
    evaluations |= {name: drawn(name, text, flags) for name, flags in FONTS.items()}
    for seed in SEEDS:
        for strength in STRENGTHS:
            result = lstmjax.train(
                traineddata=starter, train_listfile=lines / "eng.Arial.exp0.lstmf",
                net_spec=NET_SPEC, model_output=OUT / f"scratch_{strength}_{seed}",
                learning_rate=2e-3, batch=8, max_iterations=iterations, target_error_rate=-1.0,
                augment=strength, seed=seed, show="nothing",
            )  # fmt: skip
            show(f"from scratch, augment {strength}, seed {seed}", result, evaluations)


def fine_tuned(iterations: int) -> None:
    """Train the French model further on few lines: of a font it knows, and of one it does not."""
    known = DATA / "tesseract-test" / "fra.Arial_Unicode_MS.exp0.lstmf"
    text = "\n".join(lstmjax.read_lines(known).texts) + "\n"
    new = drawn("Bebas Neue", text.upper(), ["--font", "Bebas Neue", "--exposure", "-1"])
    apart = drawn(
        "Open Sans Condensed Light", text,
        ["--font", "Open Sans Condensed Light", "--exposure", "-1"],
    )  # fmt: skip
    for name, document in (("Arial Unicode MS", known), ("Bebas Neue", new)):
        few, rest = divided(document)
        for seed in SEEDS:
            for strength in STRENGTHS:
                result = lstmjax.train(
                    traineddata=BEST, continue_from=BEST, train_listfile=few,
                    model_output=OUT / f"{few.stem}_{strength}_{seed}", learning_rate=5e-4, batch=8,
                    max_iterations=iterations, target_error_rate=-1.0, augment=strength,
                    seed=seed, show="nothing",
                )  # fmt: skip
                title = f"{FEW} lines of {name}, augment {strength}, seed {seed}"
                show(title, result, {"other lines of it": rest, "another font": apart})


def drawn(name: str, text: str, flags: list[str]) -> Path:
    """Lines of a text, drawn as the flags say."""
    base = OUT / name.replace(" ", "_").replace(",", "")
    document = base.with_suffix(".lstmf")
    if not document.exists():
        base.with_suffix(".txt").write_text(text, encoding="utf-8")
        run("text2image", "--text", f"{base}.txt", "--outputbase", str(base), *flags)
        run("lstmf", "--output", str(document), f"{base}.tif")
    return document


def run(*arguments: str) -> None:
    """Run a command of the project."""
    subprocess.run([sys.executable, "-m", "lstmjax", *arguments], check=True, capture_output=True)


def divided(document: Path) -> tuple[Path, Path]:
    """The first lines of a document, and the others."""
    pages = lstmf.load(document)
    few, rest = OUT / f"{document.stem}.few.lstmf", OUT / f"{document.stem}.rest.lstmf"
    lstmf.save(pages[:FEW], few)
    lstmf.save(pages[FEW:], rest)
    return few, rest


def show(title: str, result: lstmjax.TrainingResult, evaluations: dict[str, Path]) -> None:
    """Print the character error rates of the last state, in percent."""
    model = result.load(best=False)
    rates = [
        f"{name} {100 * lstmjax.evaluate(model, lines).cer.rate:.2f}"
        for name, lines in evaluations.items()
    ]
    print(f"{title}: {', '.join(rates)}", flush=True)


if __name__ == "__main__":
    main()
