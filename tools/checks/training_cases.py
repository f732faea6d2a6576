"""The cases of compare_training.py: networks and starts, and Tesseract's own training tests."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstmjax.formats import traineddata

ADAM_FOR_ALL = ("--net_mode", "128")
MOMENTUM = ("--net_mode", "0", "--learning_rate", "1e-4", "--momentum", "0.9")
LBX = "[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lbx24 O1c1]"
QUAD = "[1,32,0,1 S4,2 L2xy16 Ct1,1,16 S8,1 Lbx100 O1c1]"
TUTORIAL = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx256 O1c111]"


@dataclass(frozen=True)
class Case:
    """A run of both programs.

    Attributes:
      flags: flags of lstmtraining but for data and number of lines; `{fra}` stands for the float
        model of French, `{fra.lstm}` for its network.
      lines: language and font of the lines.
      charset: name of the traineddata with the characters.
    """

    flags: tuple[str, ...]
    lines: str = "eng.Arial"
    charset: str = "eng.starter"


def _network(net_spec: str, *flags: str) -> Case:
    return Case(("--net_spec", net_spec, *flags))


def _from_french(*flags: str, language: str = "deu", charset: str = "deu.starter") -> Case:
    start = ("--continue_from", "{fra.lstm}")
    return Case((*start, *flags), f"{language}.Arial_Unicode_MS", charset)


SUITE = {
    "tutorial": _network(TUTORIAL, "--learning_rate", "20e-4"),
    "adam": _network(LBX),
    "adam, one rate": _network(LBX, *ADAM_FOR_ALL),
    "momentum": _network(LBX, *MOMENTUM),
    "bidi": _network("[1,1,0,32 Lbx100 O1c1]"),
    "quad": _network(QUAD),
    "encoded": _network("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LE24]"),
    "softmax": _network("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 LS24]"),
    "simple text": _network("[1,32,0,1 Ct3,3,8 Mp3,3 Lfys16 Lfx24 O1s1]"),
    "parallel": _network("[1,1,0,32 (Lfx8 Lrx8) O1c1]"),
    "colour": _network("[1,32,0,3 Ct3,3,4 Mp3,3 Lfys8 O1c1]"),
    "height": _network("[1,0,0,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]"),
    "width": _network("[1,32,500,1 Ct3,3,4 Mp3,3 Lfys8 O1c1]"),
    "fine-tuning": _from_french(language="fra", charset="{fra}"),
    "other characters": _from_french(
        "--old_traineddata", "{fra}", "--reset_learning_rate", "--learning_rate", "5e-4"
    ),
    "appended layers": _from_french("--append_index", "5", "--net_spec", "[Lfx32 O1c1]"),
}


def flags_of(case: Case, directory: Path) -> list[str]:
    """The flags of a case; files it needs beside the test data are written to a directory."""
    root = test_data()
    train_list = directory / "train.list"
    train_list.write_text(f"{root / 'tesseract-test' / case.lines}.exp0.lstmf\n")
    french = root / "tessdata_best" / "fra.traineddata"
    names = {"{fra}": str(french), "{fra.lstm}": str(directory / "fra.lstm")}
    if "{fra.lstm}" in case.flags:
        network = traineddata.load(french).components["lstm"]
        (directory / "fra.lstm").write_bytes(network)
    starter = root / "tesseract-test" / f"{case.charset}.traineddata"
    charset = names.get(case.charset, str(starter))
    flags = [names.get(flag, flag) for flag in case.flags]
    return ["--traineddata", charset, "--train_listfile", str(train_list), *flags]


def test_data() -> Path:
    """The directory of the test data.

    Raises: SystemExit: it is not there.
    """
    data = os.environ.get("LSTMJAX_TESTDATA")
    if not data:
        raise SystemExit("set LSTMJAX_TESTDATA to the directory of the test data (see README)")
    return Path(data)


@dataclass(frozen=True)
class Unit:
    """A training test of Tesseract: unittest/lstm_test.cc.

    iterations: number of lines; below: error in percent that must be reached.
    adam: Adam at 20 times the rate, else momentum; rate: learning rate of momentum.
    """

    net_spec: str
    iterations: int
    below: float
    adam: bool
    rate: float = 5e-4

    def flags(self, recipe: str) -> Sequence[str]:
        """Flags of our lstmtraining; recipe fast has its own optimiser, a rate for few lines."""
        rate, mode = (20 * self.rate, 128) if self.adam else (self.rate, 0)
        optimiser = ("--net_mode", str(mode), "--learning_rate", f"{rate:g}", "--momentum", "0.9")
        if recipe == "fast":
            optimiser = ("--batch", "1", "--learning_rate", "0.004")
        end = ("--sequential_training", "--max_iterations", str(self.iterations))
        return ("--net_spec", self.net_spec, *optimiser, *end)


UNITS = {
    "BasicTest no-lstm": Unit(
        "[1,32,0,1 Ct5,5,16 Mp4,4 Ct1,1,16 Ct3,3,128 Mp4,1 Ct1,1,64 S2,1 Ct1,1,64O1c1]",
        2400, 98, False, 2e-4,
    ),
    "BasicTest 1D-lstm": Unit("[1,1,0,32 Lfx100 O1c1]", 1200, 86, False),
    "ColorTest": Unit("[1,32,0,3 S4,2 L2xy16 Ct1,1,16 S8,1 Lbx100 O1c1]", 600, 85, True),
    "BidiTest": Unit("[1,1,0,32 Lbx100 O1c1]", 600, 75, False),
    "Test2D": Unit(QUAD, 900, 98, False),
    "TestAdam": Unit(QUAD, 600, 70, True),
    "SoftmaxBaselineTest": Unit("[1,1,0,32 Lfx96 O1c1]", 1200, 60, True),
    "SoftmaxTest": Unit("[1,1,0,32 LS96]", 1200, 49, True),
    "EncodedSoftmaxTest": Unit("[1,1,0,32 LE96]", 1200, 62, True),
}  # fmt: skip
