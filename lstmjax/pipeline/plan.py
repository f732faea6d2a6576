"""What `tesstrain` is asked for, as a frozen value."""

import os
from dataclasses import dataclass
from typing import Any

from lstmjax.pipeline.groups import SplitBy
from lstmjax.pipeline.languages import LanguageSettings, language_settings
from lstmjax.training.config import RecipeName

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]"
"""The network that the tesstrain Makefile trains from scratch."""

MAX_ITERATIONS = 10_000


@dataclass(frozen=True)
class Rendering:
    """Settings of the pages to render.

    Attributes:
      training_text: file with the text.
      fonts: fontconfig names of the fonts.
      vertical_fonts: fonts for text that runs from top to bottom.
      eval_fonts: fonts of evaluation lines; empty for `fonts`.
      fonts_dir: folder of the fonts; "" for the system's folders.
      exposures: darkness levels, each of which makes a document; empty for the language's own.
      max_pages: largest number of pages per document; 0 for no limit.
      ptsize: size of the text, in points.
      distort: whether pages are warped.
      keep_pages: whether pages (.tif) and box files are kept beside the documents.
    """

    training_text: str
    fonts: tuple[str, ...]
    vertical_fonts: tuple[str, ...] = ()
    eval_fonts: tuple[str, ...] = ()
    fonts_dir: str = ""
    exposures: tuple[int, ...] = ()
    max_pages: int = 0
    ptsize: int = 12
    distort: bool = False
    keep_pages: bool = False


@dataclass(frozen=True)
class Plan:
    """A run of the pipeline: inputs, output folder and settings.

    Attributes:
      name: name of the model.
      output_dir: folder for all output.
      lang: language whose settings and langdata files are used.
      ground_truth: folder with lines; "" if lines are rendered.
      rendering: text and fonts; None if there is ground truth.
      tmp_dir: folder for rendered pages; "" for a folder in `output_dir`.
      langdata_dir: copy of langdata_lstm; "" for none.
      wordlist: word list to use instead of the one in `langdata_dir`.
      start_model: traineddata to fine-tune; "" for a new network.
      norm_mode: norm_mode to use instead of the language's; None for the latter.
      net_spec: description of a new network.
      recipe: training recipe.
      settings: training settings: fields of `TrainConfig` and their values.
      ratio_train: fraction of the lines that is for training.
      split_by: unit of ground truth that is never divided, see `lines.divide`.
      seed: seed of the division.
      data_only: whether to stop after the lines and the starter traineddata.
      overwrite: whether the output folder may hold files of another origin.
    """

    name: str
    output_dir: str
    lang: str = "eng"
    ground_truth: str = ""
    rendering: Rendering | None = None
    tmp_dir: str = ""
    langdata_dir: str = ""
    wordlist: str = ""
    start_model: str = ""
    norm_mode: int | None = None
    net_spec: str = NET_SPEC
    recipe: RecipeName = "fast"
    settings: tuple[tuple[str, Any], ...] = (("max_iterations", MAX_ITERATIONS),)
    ratio_train: float = 0.9
    split_by: SplitBy = "auto"
    seed: int = 0
    data_only: bool = False
    overwrite: bool = False

    @property
    def language(self) -> LanguageSettings:
        """The settings of the language."""
        return language_settings(self.lang)

    def path(self, *parts: str) -> str:
        """A path in the output folder."""
        return os.path.join(self.output_dir, *parts)
