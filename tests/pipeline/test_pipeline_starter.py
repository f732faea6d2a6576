"""Starters from texts, with and without langdata, from scratch and as extensions of a model."""

import helpers
import pytest

from lstmjax.charset.codec import Codec
from lstmjax.errors import CharsetError, FormatError
from lstmjax.formats import traineddata, unicharset
from lstmjax.pipeline.starter import StarterRequest, make_starter


def request(tmp_path, text: str, **changes) -> StarterRequest:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return StarterRequest((str(path),), "mine", changes.pop("lang", "eng"), **changes)


def make(tmp_path, text: str, **changes):
    said: list[str] = []
    result = make_starter(request(tmp_path, text, **changes), tmp_path / "out", said.append)
    return result, traineddata.load(result.traineddata), said


@pytest.fixture
def start(tmp_path):
    """A start model: a starter with a configuration and a stand-in for a word list."""
    result, trained, _ = make(tmp_path, "abc def\n")
    trained = trained.with_component("config", b"some setting\n")
    trained = trained.with_component("lstm-word-dawg", b"words")
    path = tmp_path / "start.traineddata"
    traineddata.save(trained, path)
    return str(path), result


def test_texts_alone_are_enough(tmp_path):
    result, trained, said = make(tmp_path, "Some text: 12.\n")
    codec = Codec.from_traineddata(trained)
    assert codec.decode(codec.encode("text 21 Some")) == "text 21 Some"
    assert result.size == len(unicharset.load(result.unicharset).rows)
    assert any("Without --langdata_dir" in text for text in said)


def test_han_needs_langdata(tmp_path):
    with pytest.raises(CharsetError, match=r"give --langdata_dir"):
        make(tmp_path, "漢字\n")
    result, trained, _ = make(tmp_path, "漢字\n", pass_through=True)
    assert Codec.from_traineddata(trained).num_codes == result.size


@pytest.mark.parametrize("text", ["", "\n\n  \n"], ids=["empty", "blank"])
def test_a_text_without_characters_is_an_error(tmp_path, text):
    with pytest.raises(CharsetError, match="no characters in these texts"):
        make(tmp_path, text)


def test_a_missing_text_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"nowhere\.txt"):
        make_starter(StarterRequest((str(tmp_path / "nowhere.txt"),), "a", "a"), tmp_path, print)


def test_a_start_model_with_all_characters_serves_as_it_is(tmp_path, start):
    path, _ = start
    result, _, _ = make(tmp_path, "fed cab\n", start_model=path)
    assert (result.traineddata, result.added) == (path, ())


def test_new_characters_come_after_those_of_the_start_model(tmp_path, start):
    path, before = start
    result, trained, _ = make(tmp_path, "fed ± cab\n", start_model=path)
    assert result.added == ("±",)
    assert result.size == before.size + 1
    old = Codec.from_traineddata(traineddata.load(path)).unicharset
    new = Codec.from_traineddata(trained).unicharset
    for number in range(len(old)):
        assert old.unichar(number) == new.unichar(number)
    assert trained.components["config"] == b"some setting\n"
    assert trained.components["lstm-word-dawg"] == b"words"


def test_a_word_list_of_the_users_own_takes_the_place_of_the_models(tmp_path, start):
    path, _ = start
    words = tmp_path / "words"
    words.write_text("fed\ncab\n")
    _, trained, _ = make(tmp_path, "fed ±\n", start_model=path, wordlist=str(words))
    assert trained.components["lstm-word-dawg"] != b"words"
    assert {"lstm-word-dawg", "lstm-punc-dawg"} <= trained.components.keys()


def test_lists_of_langdata_are_used(tmp_path):
    langdata = tmp_path / "langdata"
    (langdata / "tst").mkdir(parents=True)
    (langdata / "radical-stroke.txt").write_text("# none\n")
    (langdata / "tst" / "tst.wordlist").write_text("abc\n")
    (langdata / "tst" / "tst.punc").write_text(" \n")
    (langdata / "tst" / "tst.config").write_text("a 1\n")
    asked = request(tmp_path, "abc\n", lang="tst", langdata_dir=str(langdata))
    assert {path.rsplit("/", 1)[1] for path in asked.files()} == {
        "text.txt", "tst.wordlist", "tst.punc", "radical-stroke.txt", "tst.config",
    }  # fmt: skip
    trained = traineddata.load(make_starter(asked, tmp_path, print).traineddata)
    assert {"config", "lstm-word-dawg", "lstm-punc-dawg"} <= trained.components.keys()
    assert "lstm-number-dawg" not in trained.components


@pytest.mark.reference
def test_the_starter_is_that_of_the_real_tools(tmp_path):
    langdata = helpers.testdata("langdata")
    heb = langdata / "heb"
    text = (heb / "heb.training_text").read_text(encoding="utf-8")
    _, ours, _ = make(
        tmp_path, text, lang="heb", langdata_dir=str(langdata), norm_mode=2, rtl=True,
        pass_through=True,
    )  # fmt: skip
    real = tmp_path / "real"
    real.mkdir()
    helpers.run_real(
        "unicharset_extractor", "--output_unicharset", real / "unicharset", "--norm_mode", "2",
        tmp_path / "text.txt",
    )  # fmt: skip
    helpers.run_real(
        "combine_lang_model", "--input_unicharset", real / "unicharset", "--script_dir", langdata,
        "--puncs", heb / "heb.punc", "--numbers", heb / "heb.numbers", "--output_dir", real,
        "--lang", "mine", "--lang_is_rtl", "--pass_through_recoder",
    )  # fmt: skip
    theirs = traineddata.load(real / "mine" / "mine.traineddata").components
    for name in ("lstm-unicharset", "lstm-recoder", "version"):
        assert ours.components[name] == theirs[name], name
    assert ours.components.keys() == theirs.keys()


def test_a_published_model_gets_a_character_more(tmp_path):
    path = str(helpers.testdata("tessdata_best", "fra.traineddata"))
    result, trained, said = make(tmp_path, "été ± 5 ⅗\n", start_model=path)
    assert set(result.added) == {"±", "⅗"}
    old = traineddata.load(path).components
    for name in ("lstm-word-dawg", "lstm-punc-dawg", "lstm-number-dawg"):
        assert trained.components[name] == old[name]
    assert not any("do not fit" in text for text in said)
