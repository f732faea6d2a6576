"""Character sets and starters from texts in memory."""

from pathlib import Path

import helpers
import pytest

from lstmjax.charset.codec import Codec
from lstmjax.charset.starter import combine_lang_model, make_starter, make_unicharset
from lstmjax.errors import CharsetError, FormatError
from lstmjax.formats import traineddata
from lstmjax.formats import unicharset as unicharset_format

LINES = ["Two magpies, 13 £", "a 1 2 3 4 0", "Straße"]


def test_unicharset_has_the_characters_of_the_texts(tmp_path):
    table = make_unicharset(LINES, tmp_path / "u")
    assert {row.unichar for row in table.rows[3:]} == set("".join(LINES)) - {" "}
    assert unicharset_format.load(tmp_path / "u").rows[5].unichar == table.rows[5].unichar


def test_texts_that_look_like_boxes_are_texts():
    assert {row.unichar for row in make_unicharset(["a 1 2 3 4 0"]).rows[3:]} == set("a12340")


def test_messages_are_passed_on():
    said = []
    make_unicharset(["\u094d"], say=said.append)
    assert any("Normalization failed" in text for text in said)


@pytest.mark.parametrize(
    "texts", [LINES, ["한국어 글"], ["日本語"], ["हिन्दी में"], ["שלום"]], ids=lambda texts: texts[0]
)
def test_starter_encodes_its_texts(tmp_path, texts):
    path = tmp_path / "x.traineddata"
    outputs = make_starter(texts, path, norm_mode=2)
    codec = Codec.from_traineddata(traineddata.load(path))
    assert codec.num_codes == outputs
    for text in texts:
        assert codec.decode(codec.encode(text)) == text


def test_starter_without_characters(tmp_path):
    with pytest.raises(CharsetError, match="none of the"):
        make_starter([" "], tmp_path / "x.traineddata")


@pytest.mark.reference
def test_real_trainer_takes_the_starter(tmp_path):
    examples = Path(__file__).parents[2] / "examples"
    texts = [path.read_text().strip() for path in examples.glob("samples/*.txt")]
    make_starter(texts, tmp_path / "x.traineddata")
    document = examples / "eval" / "FreeSans.lstmf"
    (tmp_path / "list").write_text(f"{document}\n")
    done = helpers.run_real(
        "lstmtraining", "--traineddata", tmp_path / "x.traineddata", "--net_spec",
        "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 O1c1]", "--train_listfile", tmp_path / "list",
        "--model_output", tmp_path / "m", "--max_iterations", 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Finished!" in done.stderr


def test_language_without_langdata(tmp_path):
    make_unicharset(LINES, tmp_path / "u")
    with pytest.raises(FormatError, match="langdata_lstm"):
        combine_lang_model(
            input_unicharset=tmp_path / "u", script_dir=tmp_path, output_dir=tmp_path, lang="x"
        )


def test_language_as_the_tool_makes_it(tmp_path):
    langdata = helpers.testdata("langdata")
    make_unicharset(LINES, tmp_path / "u")
    (tmp_path / "tool").mkdir()
    flags = ["--input_unicharset", tmp_path / "u", "--script_dir", langdata, "--lang", "x"]
    helpers.run_lstmjax("combine_lang_model", *flags, "--output_dir", tmp_path / "tool")
    path = combine_lang_model(
        input_unicharset=tmp_path / "u", script_dir=langdata, output_dir=tmp_path, lang="x"
    )
    assert path.read_bytes() == (tmp_path / "tool" / "x" / "x.traineddata").read_bytes()
