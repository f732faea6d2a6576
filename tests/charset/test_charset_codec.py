from dataclasses import replace

import helpers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmjax.charset.codec import UNDECODABLE, Codec, pass_through
from lstmjax.charset.failures import BlankTextError, EmptyTextError, TextError, UnencodableError
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import CharsetError, FormatError
from lstmjax.formats import lstmf, recoder, traineddata
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.recoder import Recoder
from lstmjax.formats.traineddata import TrainedData
from lstmjax.formats.unicharset import BROKEN, UnicharRow, UnicharsetTable

NULL = 9
KOREAN = {
    " ": (0,), "Joined": (NULL,), BROKEN: (NULL,), "a": (1,), "b": (2,), "ab!": (1, 2),
    "가": (3, 5, 7), "각": (3, 5, 8), "고": (3, 6, 7), "나": (4, 5, 7), "ㄱ": (3,),
}  # fmt: skip


def codec_of(codes: dict[str, tuple[int, ...]], extra: tuple[int, ...] | None = None) -> Codec:
    rows = tuple(UnicharRow(text, 0, normed=text) for text in codes)
    sequences = (*codes.values(), *([extra] if extra else []))
    return Codec(Unicharset(UnicharsetTable(rows)), Recoder(sequences))


def load(*parts: str) -> Codec:
    return Codec.from_traineddata(traineddata.load(helpers.testdata(*parts)))


@pytest.fixture(scope="module")
def korean() -> Codec:
    return codec_of(KOREAN)


def test_sizes(korean):
    assert (korean.num_codes, korean.null_char) == (10, 9)
    plain = codec_of({" ": (0,), "a": (1,)}, extra=(2,))
    assert (plain.num_codes, plain.null_char) == (3, 2)


def test_encode_spells_unichars(korean):
    codes = korean.encode("각 나a")
    assert codes.dtype == np.int32
    assert codes.tolist() == [3, 5, 8, 0, 4, 5, 7, 1]


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([3, 5, 8, 0, 4, 5, 7], "각 나"),
        ([9, 3, 9, 5, 9, 7, 9, 9, 1, 9], "가a"),
        ([3], "ㄱ"),
        ([3, 1], "ㄱa"),
        ([3, 3, 5, 7], "ㄱ가"),
        ([1, 2], "ab"),
        ([5, 1], f"{UNDECODABLE}a"),
        ([3, 5], UNDECODABLE * 2),
        ([3, 5, 1], UNDECODABLE * 2 + "a"),
        ([77, 1], f"{UNDECODABLE}a"),
        ([9, 9], ""),
        ([], ""),
    ],
    ids=lambda value: ",".join(map(str, value)) if isinstance(value, list) else "",
)
def test_decode_groups_codes_greedily(korean, codes, text):
    assert korean.decode(codes) == text
    assert korean.decode(np.array(codes, np.int32)) == text


def test_decode_prints_the_last_of_equal_spellings_and_its_normed_form():
    rows = [UnicharRow(" ", 0), *(UnicharRow(text, 0, normed="'") for text in "‘’")]
    codec = Codec(Unicharset(UnicharsetTable(tuple(rows))), Recoder(((0,), (1,), (1,), (2,))))
    assert codec.decode([1, 0, 1]) == "' '"
    assert codec.unicharset.ids["’"] == codec.beam_tables().unichar_ids[1]


SYLLABLES = st.lists(st.sampled_from([" ", "a", "b", "가", "각", "고", "나"]), min_size=1)


@given(SYLLABLES.map("".join).filter(str.strip))
def test_decode_undoes_encode(text):
    codec = codec_of(KOREAN)
    assert codec.decode(codec.encode(text)) == text


def needs(codes: list[int], null: int) -> int:
    """The fewest time steps for which Tesseract's limits of the labels leave a way."""
    labels = [null]
    for code in codes:
        labels += [code, null]

    def skippable(i: int) -> bool:
        return labels[i] == null and i > 0 and labels[i - 1] != labels[i + 1]

    steps, at = 1, len(labels) - 2
    while at > 1:
        at -= 1
        if skippable(at):
            at -= 1
        steps += 1
    return steps


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_min_timesteps_is_what_the_limits_of_ctc_ask_for(codes):
    assert codec_of(KOREAN).min_timesteps(codes) == needs(codes, NULL)
    assert codec_of(KOREAN).min_timesteps(np.array(codes)) == needs(codes, NULL)


def test_min_timesteps_of_nothing():
    assert codec_of(KOREAN).min_timesteps([]) == 0


@pytest.mark.parametrize(
    ("text", "error", "log"),
    [
        ("", EmptyTextError, "Empty truth string!\nCan't encode transcription: '' in language 'x'"),
        ("  ", BlankTextError, "Blank transcription:   "),
        ("\u0640 ", BlankTextError, "Blank transcription: \u0640 "),
        ("Joined", BlankTextError, "Blank transcription: Joined"),
        (
            "a☃b",
            UnencodableError,
            "Encoding of string failed! Failure bytes: e2 98 83 62\n"
            "Can't encode transcription: 'a☃b' in language 'x'",
        ),
        (
            "aﬁ",
            UnencodableError,
            "Encoding of string failed! Failure bytes: 66 69\n"
            "Can't encode transcription: 'aﬁ' in language 'x'",
        ),
        (
            "a\udce9",
            UnencodableError,
            "Encoding of string failed! Failure bytes: e9\n"
            "Can't encode transcription: 'a\udce9' in language 'x'",
        ),
    ],
    ids=["empty", "spaces", "deleted", "special", "unknown", "ligature", "not-utf8"],
)
def test_unusable_texts(korean, text, error, log):
    with pytest.raises(error) as caught:
        korean.encode(text)
    assert caught.value.log("x") == log
    assert caught.value.text == text
    assert caught.value.reason


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({" ": (0,), "a": (1,)}, "2 entries for a unicharset of 2, expected 3"),
        ({" ": (1,), "Joined": (2,), BROKEN: (2,)}, "the space has codes"),
        ({" ": (0,), "Joined": (2,), BROKEN: (2,), "a": (1, 2)}, "unichar 3 'a' .* CTC null"),
        ({" ": (0,), "Joined": (1,), BROKEN: (0,)}, "unichar 0 .* CTC null"),
    ],
    ids=["entries", "space", "null-inside", "null-is-space"],
)
def test_parts_that_do_not_belong_together(codes, message):
    with pytest.raises(CharsetError, match=message):
        codec_of(codes)


def test_errors_of_damaged_parts_name_the_component():
    table = unicharset_format.pack(UnicharsetTable((UnicharRow(" ", 0),)))
    with pytest.raises(FormatError, match="lstm-unicharset"):
        Codec.from_parts(b"x", b"")
    with pytest.raises(FormatError, match="lstm-recoder"):
        Codec.from_parts(table, b"\x01")
    with pytest.raises(CharsetError, match="no lstm-unicharset and no lstm-recoder"):
        Codec.from_traineddata(TrainedData({}))
    with pytest.raises(CharsetError, match="no lstm-recoder;"):
        Codec.from_traineddata(TrainedData({"lstm-unicharset": table}))


def test_parts_round_trip(korean):
    table = unicharset_format.pack(korean.unicharset.table)
    again = Codec.from_parts(table, recoder.pack(korean.recoder))
    assert again.encode("각a").tolist() == korean.encode("각a").tolist()
    plain = Codec.from_parts(table)
    assert plain.encode("b나").tolist() == [4, 9]
    assert plain.recoder == pass_through(plain.unicharset)
    assert plain.null_char == 2


STARTERS = ["eng", "fra", "deu"]


@pytest.mark.parametrize(
    ("parts", "num_codes", "null_char"),
    [
        (("tesseract-test", "eng.starter.traineddata"), 111, 110),
        (("tesseract-test", "deu.starter.traineddata"), 116, 115),
        (("tessdata_best", "fra.traineddata"), 140, 139),
        (("tessdata_best", "heb.traineddata"), 69, 2),
    ],
    ids=["eng", "deu", "fra-best", "heb"],
)
def test_real_character_sets(parts, num_codes, null_char):
    codec = load(*parts)
    assert (codec.num_codes, codec.null_char) == (num_codes, null_char)
    tables = codec.beam_tables()
    assert set(tables.codes.tolist()) == set(range(num_codes))


@pytest.mark.parametrize("language", STARTERS)
def test_every_line_of_the_own_language_encodes(language):
    codec = load("tesseract-test", f"{language}.starter.traineddata")
    fonts = ["Arial", "Arial_Unicode_MS"] if language == "eng" else ["Arial_Unicode_MS"]
    for font in fonts:
        for page in lstmf.load(helpers.testdata("tesseract-test", f"{language}.{font}.exp0.lstmf")):
            ids = codec.unicharset.encode(page.transcription)
            normed = "".join(map(codec.unicharset.normed, ids))
            assert codec.decode(codec.encode(page.transcription)) == normed


def test_lines_of_another_language_fail_at_characters_the_set_has_not():
    codec = load("tessdata_best", "fra.traineddata")
    known = set("".join(codec.unicharset.ids))
    failures = {}
    pages = lstmf.load(helpers.testdata("tesseract-test", "deu.Arial_Unicode_MS.exp0.lstmf"))
    for page in pages:
        try:
            codec.encode(page.transcription)
            assert set(codec.unicharset.cleanup(page.transcription)) <= known
        except UnencodableError as err:
            failures[err.character] = failures.get(err.character, 0) + 1
    assert failures
    assert not set(failures) & known


@pytest.mark.parametrize("language", STARTERS)
def test_decode_undoes_encode_on_real_sets(language):
    codec = load("tesseract-test", f"{language}.starter.traineddata")
    texts = [text for text in codec.unicharset.ids if text not in ("Joined", BROKEN)]

    @given(st.lists(st.sampled_from(texts), min_size=1, max_size=30).map("".join))
    def check(text):
        if text.strip():
            ids = codec.unicharset.encode(text)
            assert codec.decode(codec.encode(text)) == "".join(map(codec.unicharset.normed, ids))

    check()


@pytest.mark.reference
def test_the_real_tool_prints_the_same_failures(tmp_path):
    texts = ["a☃b", "", "   ", "\u0640 ", "ﬁx一y", "tail ☃", "Œuvre d’art"]
    page = lstmf.load(helpers.testdata("tesseract-test", "fra.Arial_Unicode_MS.exp0.lstmf"))[0]
    pages = tuple(replace(page, transcription=text, language="xx") for text in texts)
    (tmp_path / "lines.lstmf").write_bytes(lstmf.pack(pages))
    (tmp_path / "list").write_text(f"{tmp_path / 'lines.lstmf'}\n")
    model = helpers.testdata("tessdata_fast", "fra.traineddata")
    run = helpers.run_real("lstmeval", "--model", model, "--eval_listfile", tmp_path / "list")
    codec = Codec.from_traineddata(traineddata.load(model))
    logs = []
    for text in texts[:-1]:
        with pytest.raises(TextError) as caught:
            codec.encode(text)
        logs.append(caught.value.log("xx"))
    assert codec.encode(texts[-1]).size
    assert "\n".join(logs) + "\nTruth:" in run.stderr


@pytest.mark.reference
@pytest.mark.parametrize(
    ("parts", "longest"),
    [
        (("tesseract-test", "jpn.unicharset"), 5),
        (("tesseract-test", "chi_sim.unicharset"), 5),
        (("langdata", "kor", "kor.unicharset"), 3),
    ],
    ids=["jpn", "chi_sim", "kor"],
)
def test_multi_code_sets_made_by_the_real_tool(parts, longest, tmp_path):
    language = parts[-1].split(".")[0]
    run = helpers.run_real(
        "combine_lang_model", "--input_unicharset", helpers.testdata(*parts),
        "--script_dir", helpers.testdata("langdata"), "--lang", language,
        "--output_dir", tmp_path,
    )  # fmt: skip
    made = tmp_path / language / f"{language}.traineddata"
    assert made.exists(), run.stderr
    codec = Codec.from_traineddata(traineddata.load(made))
    assert max(map(len, codec.recoder.codes)) == longest
    assert codec.null_char == codec.num_codes - 1
    charset = codec.unicharset
    ids = [i for i in range(3, len(charset)) if charset.encode(charset.unichar(i)) == (i,)]
    assert len(ids) > 0.9 * len(charset)
    spelled = {codes: i for i, codes in enumerate(codec.recoder.codes)}
    for i in ids:
        twice = codec.decode(codec.encode(charset.unichar(i) * 2))
        assert twice == charset.normed(spelled[codec.recoder.codes[i]]) * 2
    assert len(codec.beam_tables().lengths) > 20
