"""The demonstration data is complete, small, and usable by the real tools and by ours."""

from pathlib import Path

import helpers
import numpy as np
import pytest

import lstmjax
from lstmjax.charset.codec import Codec
from lstmjax.data.decode import decode
from lstmjax.data.image import InputShape
from lstmjax.data.lines import build_index
from lstmjax.data.listing import read_list
from lstmjax.data.skips import Geometry, classify
from lstmjax.formats import traineddata

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def training():
    return build_index(read_list(EXAMPLES / "train.list"))


@pytest.fixture(scope="module")
def evaluation():
    return build_index(read_list(EXAMPLES / "eval.list"))


def test_there_are_lines_of_the_promised_kind(training, evaluation):
    assert (len(training), len(evaluation)) == (400, 60)
    assert training.pages.tolist() == [80] * 5
    for index in (training, evaluation):
        assert not index.unusable
        assert all(15 <= len(line.text) <= 35 for line in index)
        assert all(36 <= line.height <= 48 and line.has_boxes for line in index)


def test_the_data_is_small():
    files = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000


def test_evaluation_lines_are_new_and_use_known_characters(training, evaluation):
    texts = {line.text for line in training}
    assert len(texts) == 400
    characters = set("".join(texts))
    assert 60 <= len(characters) <= 75
    assert not texts & {line.text for line in evaluation}
    assert set("".join(line.text for line in evaluation)) <= characters


def test_evaluation_has_a_font_of_its_own():
    fonts = {Path(path).stem for path in read_list(EXAMPLES / "train.list")}
    assert len(fonts) == 5
    assert "FreeSans" not in fonts


def test_every_line_can_be_encoded_and_fits(training, evaluation):
    codec = Codec.from_traineddata(traineddata.load(EXAMPLES / "demo.traineddata"))
    geometry = Geometry(InputShape(36, 0, 1), 3, lambda width: width // 3)
    for index in (training, evaluation):
        assert all(isinstance(classify(line, codec, geometry), np.ndarray) for line in index)
        assert all(decode(index.image(i)).shape == tuple(index.sizes[i][::-1]) for i in (0, 59))


def test_the_starter_is_made_of_the_training_lines(training, tmp_path):
    script_dir = helpers.testdata("langdata")
    texts = [[training.text(d.first + i) for i in range(d.count)] for d in training.documents]
    lines = [text for row in zip(*texts, strict=True) for text in row]  # as they were dealt out
    lstmjax.make_unicharset(lines, tmp_path / "unicharset")
    made = lstmjax.combine_lang_model(
        input_unicharset=tmp_path / "unicharset", script_dir=script_dir, output_dir=tmp_path,
        lang="demo",
    )  # fmt: skip
    assert made.read_bytes() == (EXAMPLES / "demo.traineddata").read_bytes()


def test_samples_have_their_texts():
    index = build_index(map(str, sorted((EXAMPLES / "samples").glob("*.png"))))
    assert len(index) == 4
    kinds = [decode(index.image(i)) for i in range(4)]
    assert [pixels.ndim for pixels in kinds] == [3, 2, 2, 2]
    assert kinds[2].dtype == np.bool_


@pytest.mark.reference
def test_the_real_tool_trains_on_it(tmp_path):
    result = helpers.run_real(
        "lstmtraining", "--traineddata", "demo.traineddata", "--train_listfile", "train.list",
        "--model_output", tmp_path / "demo", "--net_spec", "[1,36,0,1 Ct3,3,8 Mp3,3 Lfys16 O1c1]",
        "--max_iterations", "100", cwd=EXAMPLES,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "At iteration 100/100/100" in result.stderr
    assert "skip ratio=0.000000%" in result.stderr
    assert "Loaded 80/80 lines (1-80) of document train/DejaVuSans.lstmf" in result.stderr
