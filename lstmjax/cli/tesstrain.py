"""From ground truth, or from a text and fonts, to models, in one command.

It takes the flags of tesstrain.sh and tesstrain.py. With `--linedata_only` it makes what they make:
lines, a starter traineddata and a list. Without that flag it also trains.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from lstmjax.cli.flags import given, parse
from lstmjax.cli.large_pages import use_large_pages
from lstmjax.errors import UsageError
from lstmjax.training.check import check_config, flag
from lstmjax.training.config import make_config
from lstmjax.training.tesseract.check import check_settings

if TYPE_CHECKING:
    from lstmjax.pipeline.plan import Plan, Rendering

TOOL = "tesstrain"
_SETTINGS = ("max_iterations", "learning_rate", "target_error_rate", "batch", "augment", "seed")
"""Flags that set fields of `TrainConfig` if given."""
_WITH_VALUES = ("fontlist", "vertical_fontlist", "eval_fontlist", "exposures")
"""Flags that take all arguments up to the next flag as values."""
_RENDERING = (
    "fontlist", "vertical_fontlist", "eval_fontlist", "fonts_dir", "exposures", "maxpages",
    "ptsize", "distort_image", "save_box_tiff", "training_text",
)  # fmt: skip
_TRAINING = ("net_spec", "recipe", "ratio_train", "max_iterations", "learning_rate",
             "target_error_rate", "batch", "augment")  # fmt: skip
_NUMBER = re.compile(r"-?\d+(,-?\d+)*")


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    plan = read_plan(argv)
    if not plan.data_only:
        use_large_pages("-m", "lstmjax", TOOL, *argv)
    return _run(plan)


def read_plan(argv: list[str]) -> "Plan":
    """Turn the arguments into a plan.

    Raises: UsageError: flags conflict, or something is missing. SystemExit: see `cli.flags.parse`.
    """
    values, rest = parse(TOOL, _define, list(_spread(argv)))
    if rest:
        raise UsageError(f"what is {rest[0]!r}? All arguments of tesstrain are flags")
    return _plan(values)


def _define(values: flags.FlagValues) -> None:
    def string(name: str, default: str, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def several(name: str, text: str) -> None:
        flags.DEFINE_multi_string(name, None, text, flag_values=values)

    def integer(name: str, default: int, text: str, least: int | None = None) -> None:
        flags.DEFINE_integer(name, default, text, flag_values=values, lower_bound=least)

    def number(name: str, default: float, text: str, least: float, most: float | None) -> None:
        flags.DEFINE_float(
            name, default, text, flag_values=values, lower_bound=least, upper_bound=most
        )

    def boolean(name: str, text: str) -> None:
        flags.DEFINE_bool(name, False, text, flag_values=values)

    string("output_dir", "", "Folder for all output")
    string("model_name", "", "Name of the model; default: --lang")
    string("lang", "", "Language, for its settings and for its lists and text in langdata_dir")
    string("langdata_dir", "", "Copy of tesseract-ocr/langdata_lstm")
    string("ground_truth", "", "Folder with line images and texts, PAGE or ALTO files, or lstmf")
    string("training_text", "", "Text to render; default: <lang>.training_text of langdata_dir")
    several("fontlist", "Names of fonts to render the text in")
    several("vertical_fontlist", "Names of fonts to render the text in from top to bottom")
    several("eval_fontlist", "Names of fonts of evaluation lines; default: those of training")
    string("fonts_dir", "", "Folder of the fonts; default: the system's folders")
    several("exposures", "Darkness levels of pages, such as -1 0 1")
    integer("maxpages", 0, "Largest number of pages per document; 0: no limit", 0)
    integer("ptsize", 12, "Size of the text, in points", 1)
    boolean("distort_image", "Warp the pages")
    boolean("save_box_tiff", "Keep pages and box files in output_dir")
    string("tmp_dir", "", "Folder for pages and other temporary files")
    boolean("linedata_only", "Make lines, a list and a starter traineddata, and stop")
    boolean("overwrite", "Use an output_dir that holds files of another origin")
    boolean("extract_font_properties", "Refused: font properties are for the legacy engine")
    boolean("noextract_font_properties", "No effect: font properties are never extracted")
    string("wordlist", "", "Word list; default: <lang>.wordlist of langdata_dir")
    string("tessdata_dir", "", "Folder of the start model; default: $TESSDATA_PREFIX")
    string("start_model", "", "Model to fine-tune: path, or name in tessdata_dir")
    integer(
        "norm_mode", 0, "Units of the unicharset, see unicharset_extractor; 0: as for --lang", 0
    )
    string("net_spec", "", "Network to build without a start model")
    flags.DEFINE_enum(
        "recipe", "fast", ["fast", "tesseract"],
        "Way of training; tesseract reproduces the original's figures", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_enum(
        "split_by", "auto", ["auto", "line", "page", "book"],
        "Unit of ground truth that is never divided; auto: page, if names show enough pages",
        flag_values=values,
    )  # fmt: skip
    number("ratio_train", 0.9, "Fraction of the lines that is for training", 0.0, 1.0)
    integer("max_iterations", 10_000, "Lines to train on; 0: no limit, -n: n times the documents")
    number(
        "learning_rate", 0.004, "Peak learning rate; 0.001 with a start model or batch < 4",
        0.0, None,
    )  # fmt: skip
    number("target_error_rate", 0.01, "Training error (BCER) to stop at, in percent", 0.0, 100.0)
    integer("batch", 16, "Lines per update", 1)
    string("augment", "0", "Strength of augmentation: 0 off, 1 usual; or by kind, such as noise=1")
    integer("seed", 0, "Seed of the division of lines, of weights and of the order of lines", 0)


def _spread(argv: list[str]) -> Iterator[str]:
    """Write `--fontlist A B` as `--fontlist A --fontlist B`."""
    name = None
    for place, argument in enumerate(argv):
        # -1 is a flag by its form, but a level after --exposures.
        is_number = name == "exposures" and _NUMBER.fullmatch(argument)
        if argument.startswith("-") and not is_number:
            bare = argument.lstrip("-")
            name = bare if bare in _WITH_VALUES else None
            followed = place + 1 < len(argv)
            # A flag without any value behind it goes on as it is, so that parsing complains.
            if name is None or not followed:
                yield argument
        elif name is not None:
            yield f"--{name}={argument}"
        else:
            yield argument


def _plan(values: flags.FlagValues) -> "Plan":
    from lstmjax.pipeline.plan import NET_SPEC, Plan

    _refuse(values, given(values))
    start_model = _start_model(values)
    name = values.model_name or values.lang
    settings = _settings(values, fine_tuned=bool(start_model))
    config = make_config(values.recipe, **dict(settings))
    check_config(config)
    if values.recipe == "tesseract":
        check_settings(config, flag)
    return Plan(
        name=name,
        output_dir=values.output_dir,
        lang=values.lang or name,
        ground_truth=values.ground_truth,
        rendering=None if values.ground_truth else _rendering(values),
        tmp_dir=values.tmp_dir,
        langdata_dir=values.langdata_dir,
        wordlist=values.wordlist,
        start_model=start_model,
        norm_mode=values.norm_mode or None,
        net_spec=values.net_spec or NET_SPEC,
        recipe=values.recipe,
        settings=settings,
        ratio_train=values.ratio_train,
        split_by=values.split_by,
        seed=values.seed,
        data_only=values.linedata_only,
        overwrite=values.overwrite,
    )


def _refuse(values: flags.FlagValues, named: frozenset[str]) -> None:
    if not values.output_dir:
        raise UsageError("--output_dir is missing: the folder for everything that is made")
    if not (values.model_name or values.lang):
        raise UsageError("--model_name is missing: what the model will be called")
    if values.extract_font_properties:
        raise UsageError("--extract_font_properties is for the old engine; leave it out")
    for option, name in (("model_name", values.model_name), ("lang", values.lang)):
        if Path(name).name != name:
            raise UsageError(f"--{option} {name}: expected a plain name such as eng")
    if values.norm_mode not in range(4):
        raise UsageError(f"--norm_mode is {values.norm_mode}, expected 1, 2 or 3")
    if not values.ratio_train:
        raise UsageError("--ratio_train 0 leaves no lines for training")
    if values.ground_truth:
        for flag in sorted(named & set(_RENDERING)):
            raise UsageError(f"--{flag} is for drawing pages; leave it or --ground_truth out")
    elif "split_by" in named:
        raise UsageError("--split_by divides ground truth; a text is divided by its lines")
    if values.linedata_only:
        for flag in sorted(named & set(_TRAINING)):
            raise UsageError(f"--{flag} is for training, but --linedata_only stops before it")
    if values.start_model and values.net_spec:
        raise UsageError("--net_spec builds a new network; --start_model brings its own")


def _rendering(values: flags.FlagValues) -> "Rendering":
    from lstmjax.pipeline.plan import Rendering

    text = values.training_text
    if not text:
        if not (values.langdata_dir and values.lang):
            raise UsageError(
                "there is nothing to train on: give --ground_truth, or --training_text and "
                "--fontlist, or --langdata_dir and --lang with a text there"
            )
        text = os.path.join(values.langdata_dir, values.lang, f"{values.lang}.training_text")
    if not (values.fontlist or values.vertical_fontlist):
        raise UsageError(
            "--fontlist is missing: names of fonts as `lstmjax text2image --list_available_fonts` "
            "prints them"
        )
    return Rendering(
        training_text=text,
        fonts=tuple(values.fontlist or ()),
        vertical_fonts=tuple(values.vertical_fontlist or ()),
        eval_fonts=tuple(values.eval_fontlist or ()),
        fonts_dir=values.fonts_dir,
        exposures=_exposures(values.exposures or []),
        max_pages=values.maxpages,
        ptsize=values.ptsize,
        distort=values.distort_image,
        keep_pages=values.save_box_tiff,
    )


def _exposures(texts: list[str]) -> tuple[int, ...]:
    numbers = [number for text in texts for number in text.split(",")]
    try:
        return tuple(map(int, numbers))
    except ValueError:
        raise UsageError(f"--exposures {' '.join(texts)}: expected whole numbers") from None


def _start_model(values: flags.FlagValues) -> str:
    """The path of the start model."""
    name = values.start_model
    if not name or os.path.isfile(name):
        return name
    folder = values.tessdata_dir or os.environ.get("TESSDATA_PREFIX", "")
    path = os.path.join(folder, f"{name}.traineddata")
    if not os.path.isfile(path):
        raise UsageError(
            f"--start_model {name}: there is no such file, and no {path}; give the path of a "
            "float model (tesseract-ocr/tessdata_best), or its name and --tessdata_dir"
        )
    return path


def _settings(values: flags.FlagValues, *, fine_tuned: bool) -> tuple[tuple[str, Any], ...]:
    """The training settings that were given, and those that differ from training's defaults."""
    chosen = {name: values[name].value for name in _SETTINGS if name in given(values)}
    chosen.setdefault("max_iterations", values.max_iterations)
    if values.recipe == "tesseract":
        chosen.pop("seed", None)
        # The original's Makefile takes these rates.
        chosen.setdefault("learning_rate", 0.0001 if fine_tuned else 0.002)
    elif fine_tuned:  # for new networks training chooses the rate itself
        chosen.setdefault("learning_rate", 0.001)
    return tuple(sorted(chosen.items()))


def _run(plan: "Plan") -> int:
    from lstmjax.pipeline.tesstrain import run
    from lstmjax.training.signals import InterruptedRun

    try:
        run(plan, _say)
    except InterruptedRun as stop:
        print(
            f"\nStopped at iteration {stop.progress.training_iteration}; everything is saved. "
            "Run the same command again to go on.",
            file=sys.stderr,
        )
        return 128 + stop.signal_number
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()
