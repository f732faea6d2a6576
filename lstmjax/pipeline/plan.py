"""What `tesstrain` is asked for, as one frozen value."""

import os
from dataclasses import dataclass
from typing import Any

from lstmjax.pipeline.groups import SplitBy
from lstmjax.pipeline.languages import LanguageSettings, language_settings
from lstmjax.training.config import RecipeName

NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx192 O1c1]"
"""What the tesstrain Makefile trains from scratch."""

MAX_ITERATIONS = 10_000


@dataclass(frozen=True)
class Rendering:
    """Pages that are drawn.

    Attributes:
      training_text: path of the text.
      fonts: names as fontconfig knows them.
      vertical_fonts: fonts of text that runs from top to bottom.
      eval_fonts: fonts of evaluation lines; empty for the same fonts.
      fonts_dir: folder of the fonts; "" for those of the system.
      exposures: how dark pages are, one document for each; empty for what the language has.
      max_pages: most pages of a document; 0 for no bound.
      ptsize: of the text, in points.
      distort: whether pages are bent.
      keep_pages: whether pages (.tif) stay beside the documents.
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
    """What is made from what.

    Attributes:
      name: of the model.
      output_dir: gets everything.
      lang: whose settings and lists are used.
      ground_truth: folder with lines; "" if they are rendered.
      rendering: text and fonts; None if there is ground truth.
      tmp_dir: where pages are drawn; "" for a folder in output_dir.
      langdata_dir: folder as langdata_lstm; "" to do without.
      wordlist: word list in place of that of langdata_dir.
      start_model: traineddata to go on from; "" for a new network.
      norm_mode: in place of the language's; None for that.
      net_spec: of a new network.
      recipe: of training.
      settings: of training: fields of `TrainConfig` and their values.
      ratio_train: part of the lines that is for training.
      split_by: what stays on one side of the division, see `lines.divide`; for ground truth.
      seed: of the division.
      overwrite: whether the output folder may hold files of another origin.
      data_only: stop when lines and starter traineddata are there.
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
        """What is particular to the language."""
        return language_settings(self.lang)

    def path(self, *parts: str) -> str:
        """A path below the output folder."""
        return os.path.join(self.output_dir, *parts)
