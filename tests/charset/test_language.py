import hashlib
import json
from dataclasses import replace
from pathlib import Path

import helpers
import pytest
from charset.charset_samples import SPECIALS

from lstmjax.charset.codec import Codec
from lstmjax.charset.language import Language, build_starter
from lstmjax.errors import CharsetError, FormatError, LstmjaxError
from lstmjax.formats import dawg, traineddata, unicharset
from lstmjax.formats.unicharset import UnicharRow, UnicharsetTable


@pytest.fixture
def folder(tmp_path):
    """Everything a small language needs."""
    save_unicharset(tmp_path / "u", *"abAB().")
    (tmp_path / "radical-stroke.txt").write_text("19968 1 0\n")
    (tmp_path / "words").write_text("ab\nba\nAb\nxyz\n")
    (tmp_path / "puncs").write_text(" \n .\n( )\n")
    (tmp_path / "numbers").write_text(" .\n")
    return tmp_path


def save_unicharset(path: Path, *unichars: str) -> None:
    rows = (UnicharRow(text, 0, normed=text) for text in (*SPECIALS, *unichars))
    unicharset.save(UnicharsetTable(tuple(rows)), path)


def build(folder, *lists: str, **options):
    said = []
    paths = {name: str(folder / name) for name in lists}
    language = Language("tst", folder / "u", folder, **paths, **options)
    return build_starter(language, said.append), said


def words_of(starter, component):
    codec = Codec.from_traineddata(starter.traineddata)
    graph = dawg.unpack(starter.traineddata.components[component])
    return {"".join(map(codec.unicharset.unichar, word)) for word in dawg.iterate_words(graph)}


def test_components_and_files(folder):
    starter, said = build(folder, "words", "puncs", "numbers", version="v1")
    starter.save(folder)
    assert sorted(path.name for path in (folder / "tst").iterdir()) == [
        "tst.charset_size=9.txt", "tst.traineddata", "tst.unicharset",
    ]  # fmt: skip
    trained = traineddata.load(folder / "tst/tst.traineddata")
    assert trained.version == "5.3.0:v1"
    assert set(trained.components) == {
        "lstm-punc-dawg", "lstm-word-dawg", "lstm-number-dawg", "lstm-unicharset",
        "lstm-recoder", "version",
    }  # fmt: skip
    assert trained.components["lstm-unicharset"] == (folder / "tst/tst.unicharset").read_bytes()
    assert (folder / "tst/tst.charset_size=9.txt").read_text().startswith("0\t \n8\t<nul>\n1\ta\n")
    codec = Codec.from_traineddata(trained)
    assert codec.decode(codec.encode("ab A.")) == "ab A."
    assert words_of(starter, "lstm-word-dawg") == {"ab", "ba", "Ab"}
    assert words_of(starter, "lstm-punc-dawg") == {" ", " .", "( )"}
    assert words_of(starter, "lstm-number-dawg") == {" ."}
    assert f"{folder}/words: left out 1 of 4 words" in "\n".join(said)


def test_properties_are_completed(folder):
    starter, _ = build(folder)
    rows = unicharset.unpack(starter.unicharset).rows
    assert (rows[3].script, rows[3].other_case, rows[3].properties) == ("Latin", 5, 3)
    assert (rows[7].mirror, rows[8].mirror) == (8, 7)
    assert (b"\n. 16 " in starter.unicharset, rows[9].properties) == (True, 22)  # read as hex


def test_punctuation_is_reversed_for_right_to_left(folder):
    starter, _ = build(folder, "puncs", "words", rtl=True)
    assert words_of(starter, "lstm-punc-dawg") == {" ", ". ", "( )"}
    assert words_of(starter, "lstm-word-dawg") == {"ab", "ba", "Ab"}


def test_hebrew_words_are_reversed(folder):
    save_unicharset(folder / "u", *"אב()1")
    (folder / "words").write_text("אב1\n(אב\n11\n")
    starter, _ = build(folder, "puncs", "words")
    assert words_of(starter, "lstm-word-dawg") == {"1בא", "בא)", "11"}


def test_pass_through(folder):
    starter, said = build(folder, pass_through=True)
    assert Codec.from_traineddata(starter.traineddata).null_char == 2
    assert starter.num_codes == 10
    assert not any(line.startswith("Null char") for line in said)


def test_config_is_taken_along(folder):
    (folder / "tst").mkdir()
    (folder / "tst/tst.config").write_text("preserve_interword_spaces 1\n")
    starter, said = build(folder)
    assert starter.traineddata.components["config"] == b"preserve_interword_spaces 1\n"
    assert not any(line.startswith("Failed to read data") for line in said)


def test_missing_and_empty_lists_are_reported_and_left_out(folder):
    (folder / "words").write_bytes(b"")
    (folder / "numbers").unlink()
    starter, said = build(folder, "words", "puncs", "numbers")
    assert said[:2] == [f"Failed to read data from: {folder / n}" for n in ("words", "numbers")]
    dawgs = {name for name in starter.traineddata.components if "dawg" in name}
    assert dawgs == {"lstm-punc-dawg"}


def test_words_without_punctuation_fail(folder):
    (folder / "puncs").write_text("\n\n")
    for lists in (["words"], ["numbers"], ["words", "puncs"]):
        with pytest.raises(CharsetError, match="--puncs"):
            build(folder, *lists)
    assert build(folder, "puncs")[0].traineddata.components.keys() == {
        "lstm-unicharset", "lstm-recoder", "version",
    }  # fmt: skip


def test_a_list_without_a_usable_word_fails(folder):
    (folder / "words").write_text("xyz\nx\n")
    with pytest.raises(CharsetError, match=r"words: no word is left"):
        build(folder, "words", "puncs")


def test_what_cannot_be_coded_is_named(folder):
    save_unicharset(folder / "u", "aא", "bב", "cג", "dד")
    with pytest.raises(CharsetError, match=r"Code space expanded.*Unichar 5=cג .*GIMEL"):
        build(folder)
    assert build(folder, pass_through=True)[0].num_codes == 7


def test_a_unichar_without_codes_is_reported(folder):
    save_unicharset(folder / "u", "a", "ـ")
    assert any("unichar 4 = ـ gets no code" in line for line in build(folder)[1])


@pytest.mark.parametrize("pass_through", [False, True])
def test_radical_stroke_table_is_needed(folder, pass_through):
    (folder / "radical-stroke.txt").write_bytes(b"")
    with pytest.raises(FormatError, match=r"radical-stroke.txt: the file is empty; .*langdata"):
        build(folder, pass_through=pass_through)
    (folder / "radical-stroke.txt").unlink()
    with pytest.raises(FormatError, match=r"radical-stroke.txt: cannot be read: No such file"):
        build(folder, pass_through=pass_through)


def test_damaged_inputs(folder):
    (folder / "radical-stroke.txt").write_text("19968 1\n19969 x\n")
    with pytest.raises(CharsetError, match="Invalid format in radical table at line 2"):
        build(folder)
    (folder / "u").write_text("9\nNULL 0 NULL 0\n")
    with pytest.raises(FormatError, match=r"/u: line 1 promises 9 unichars"):
        build(folder)
    (folder / "u").write_bytes(b"2\nNULL 0 NULL 0\n\xff 0 NULL 1\n")
    with pytest.raises(CharsetError, match="not valid UTF-8"):
        build(folder)


def test_unwritable_folder(folder):
    starter, _ = build(folder)
    (folder / "tst").write_text("in the way")
    with pytest.raises(LstmjaxError, match="tst: cannot be made: File exists"):
        starter.save(folder)
    with pytest.raises(LstmjaxError, match="cannot be made: No such file"):
        starter.save(folder / "nowhere")


CASES = {
    "eng": ("tesseract-test/eng.unicharset", {}),
    "deu pass-through": ("tesseract-test/deu.unicharset", {"pass_through": True}),
    "ara": ("tesseract-test/ara.unicharset", {}),
    "mar": ("tesseract-test/mar.unicharset", {}),
    "mar pass-through": ("tesseract-test/mar.unicharset", {"pass_through": True}),
    "chi_sim": ("tesseract-test/chi_sim.unicharset", {}),
    "jpn": ("tesseract-test/jpn.unicharset", {}),
    "kor": ("langdata/kor/kor.unicharset", {}),
    "hin": ("langdata/hin/hin.unicharset", {"lists": True}),
    "heb": ("langdata/heb/heb.unicharset", {"lists": True, "rtl": True}),
}


@pytest.mark.reference
@pytest.mark.parametrize("case", CASES)
def test_files_are_those_of_the_real_tool(case, tmp_path):
    """All bytes, but for dawgs, which hold the same words."""
    name, options = CASES[case]
    options = {"version": "v1", **options}
    path, scripts = helpers.testdata(name), helpers.testdata("langdata")
    lists = dict.fromkeys(("words", "puncs", "numbers"), "")
    if options.pop("lists", False):
        for kind, suffix in (("words", "wordlist"), ("puncs", "punc"), ("numbers", "numbers")):
            file = path.with_suffix(f".{suffix}")
            lists[kind] = str(file) if file.exists() else ""
    language = Language(path.stem, path, str(scripts), **lists, **options)
    flags = [f"--{kind}={file}" for kind, file in lists.items() if file]
    flags += [f"--lang_is_rtl={json.dumps(language.rtl)}"]
    flags += [f"--pass_through_recoder={json.dumps(language.pass_through)}"]
    (tmp_path / "real").mkdir()
    (tmp_path / "ours").mkdir()
    helpers.run_real(
        "combine_lang_model", "--input_unicharset", path, "--script_dir", scripts, "--lang",
        path.stem, "--output_dir", tmp_path / "real", "--version_str", "v1", *flags,
    )  # fmt: skip
    build_starter(language, lambda text: None).save(tmp_path / "ours")
    real, ours = (
        {file.name: file.read_bytes() for file in (tmp_path / who / path.stem).iterdir()}
        for who in ("real", "ours")
    )
    model = f"{path.stem}.traineddata"
    real_parts, our_parts = (
        dict(traineddata.unpack(files.pop(model)).components) for files in (real, ours)
    )
    assert ours == real
    for kind in ("word", "punc", "number"):
        graphs = [parts.pop(f"lstm-{kind}-dawg", b"") for parts in (real_parts, our_parts)]
        if any(graphs):
            theirs, own = (set(dawg.iterate_words(dawg.unpack(data))) for data in graphs)
            assert own == theirs
            assert len(graphs[1]) <= len(graphs[0])
    assert our_parts == real_parts


LINES = {  # text: hash of the unicharset, code range and hash of the codes, hash passed through
    "The “fox” — it’s a ﬁne day": ("8a189a6476480f87", 19, "b066e207816c2b04", "fb74e5e623ce3bd1"),
    "cafe\u0301 naïve A\u0301B x\u0323\u0307": (
        "45bf1adcb22eb483", 14, "5fc54cb46f89817d", "93c969f65e68ba95"),
    "한국어 쓴다 값": ("00dbe68b3558f1d4", 15, "c39bb182041f63d4", "c7a3ce1008930653"),
    "漢字木林鬱 一": ("8f7ee5f1fb0da3b6", 18, "6f37a7d278ba4d88", "360d82eb2c5656d8"),
    "हिन्दी क्षत्रिय र्क ड़ का॑": ("a15e2d2627b99aed", None, "", "5eaa7d106c942f0c"),
    "العربيّة ٣ لاـم": ("f7eac4c8ad7f1386", 12, "6f788529ffe70a18", "c0f8b33791b62d07"),
    "עברית שָׁלוֹם": ("768ab1d2686d5c6b", None, "", "59be8df04de9266d"),
}  # fmt: skip
ALL_LINES = "\n".join([*LINES, "ไทย น้ำ กำ", "ខ្មែរ កុំ", "မြန်မာ က္က"]) + "\n"
TEN_SCRIPTS = {  # norm_mode: code range and hash of the codes, both passed through
    1: (None, "", 78, "2af3a59ec7b1053d"),
    2: (116, "191a0db267c9bf1d", 98, "b59eb53694b67302"),
    3: (115, "31e13cd5de29d9dc", 99, "5fcf32bc40b62938"),
}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def extract(tmp_path, text: str, norm_mode: int) -> Language:
    """Write the real tool's unicharset of a text; texts and hashes below were recorded with it."""
    (tmp_path / "t").write_text(text)
    flags = ("--norm_mode", norm_mode, "--output_unicharset", tmp_path / "u")
    helpers.run_real("unicharset_extractor", *flags, tmp_path / "t")
    return Language("x", tmp_path / "u", str(helpers.testdata("langdata")))


def codes_of(language: Language) -> tuple[int | None, str]:
    try:
        starter = build_starter(language, lambda text: None)
    except CharsetError:
        return None, ""
    return starter.num_codes, digest(starter.codes)


@pytest.mark.reference
@pytest.mark.parametrize("text", LINES, ids=lambda text: text.split()[0])
def test_single_lines(text, tmp_path):
    properties, num_codes, codes, passed = LINES[text]
    language = extract(tmp_path, text + "\n", 1)
    assert codes_of(language) == (num_codes, codes)
    starter = build_starter(replace(language, pass_through=True), lambda text: None)
    assert (digest(starter.unicharset), digest(starter.codes)) == (properties, passed)


@pytest.mark.reference
@pytest.mark.parametrize("norm_mode", TEN_SCRIPTS)
def test_ten_scripts(norm_mode, tmp_path):
    assert digest(ALL_LINES.encode()) == "156a091cfefd4f50"
    language = extract(tmp_path, ALL_LINES, norm_mode)
    passed = replace(language, pass_through=True)
    assert (*codes_of(language), *codes_of(passed)) == TEN_SCRIPTS[norm_mode]
