import hashlib

import helpers
import pytest
from charset.charset_samples import charset_of

from lstmjax.charset.codec import Codec
from lstmjax.charset.radicals import parse_radicals
from lstmjax.charset.recode import build_recoder, codes_as_text, null_id
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import CharsetError
from lstmjax.formats import recoder as recoder_format
from lstmjax.formats import traineddata
from lstmjax.formats import unicharset as unicharset_format

SHAPES = {0x4E00: (3, 0), 0x6728: (5, 2, 1), 0x6797: (5, 2, 1)}


def codes_of(charset: Unicharset, shapes=SHAPES) -> dict[str, tuple[int, ...]]:
    codes = build_recoder(charset, shapes).codes
    return {charset.unichar(i): sequence for i, sequence in enumerate(codes[: len(charset)])}


def test_letters_get_codes_in_order_of_first_use():
    charset = charset_of("b", "a", "ab", "ẋ̣", "c")
    codes = codes_of(charset)
    assert codes == {
        " ": (0,), "Joined": (6,), "|Broken|0|1": (6,),
        "b": (1,), "a": (2,), "ab": (2, 1), "ẋ̣": (3, 4), "c": (5,),
    }  # fmt: skip
    assert null_id(charset) == 2


def test_without_special_codes_the_null_has_an_entry_of_its_own():
    charset = charset_of("a", "b", special=False)
    assert build_recoder(charset, {}).codes == ((0,), (1,), (2,), (3,))
    assert null_id(charset) == 3


def test_ligatures_are_two_letters_and_a_tatweel_nothing():
    codes = codes_of(charset_of("f", "ﬁ", "ـ", "ـَ"))
    assert codes["f"] == (1,)
    assert codes["ﬁ"] == (1, 2)
    assert codes["ـ"] == ()
    assert codes["ـَ"] == (3,)


def test_hangul_is_three_jamo():
    codes = codes_of(charset_of(*"한국어쓴다값"))
    assert codes == {
        " ": (0,), "Joined": (14,), "|Broken|0|1": (14,),
        "한": (5, 6, 12), "국": (1, 8, 11), "어": (4, 7, 10),
        "쓴": (3, 9, 12), "다": (2, 6, 10), "값": (1, 6, 13),
    }  # fmt: skip


def test_han_is_its_shape_with_a_number_from_the_second_on():
    codes = codes_of(charset_of("木", "林", "一", "a", "ab"))
    assert codes["木"] == codes["林"][:3]
    assert len(codes["林"]) == 4
    # Every place has codes of its own, and so has the second letter of "ab".
    assert codes["ab"][0] == codes["a"][0]
    places = [{s[i] for s in codes.values() if len(s) > i} for i in range(4)]
    assert sum(map(len, places)) == len(set.union(*places))


def test_codes_can_be_decoded():
    charset = charset_of("木", "林", "한", "a")
    codec = Codec(charset, build_recoder(charset, SHAPES))
    assert codec.decode(codec.encode("a林한 木")) == "a林한 木"


@pytest.mark.parametrize(
    ("unichars", "problem"),
    [
        (["a", "bcdefghijk"], r"^Unichar 4=bcdefghijk is too long to encode!! .*10 code points"),
        (["aא", "bב", "cג", "dד"], r"Code space expanded.*Unichar 5=cג .*LETTER GIMEL.*norm_mode"),
        ([], "none of the 3 unichars"),
        (["a", "\udcff"], r"unichar 4 is b'\\xff', which is not UTF-8"),
    ],
    ids=["too long", "too many codes", "empty", "not UTF-8"],
)
def test_what_cannot_be_encoded_is_named(unichars, problem):
    with pytest.raises(CharsetError, match=problem):
        build_recoder(charset_of(*unichars), {})


def test_list_of_codes():
    charset = charset_of("a", "ﬁ", "ـ")
    text = codes_as_text(charset, build_recoder(charset, {})).decode()
    assert text == "0\t \n4\t<nul>\n1\ta\n2,3\tﬁ\n0\tـ\n"
    plain = charset_of("a", special=False)
    assert codes_as_text(plain, build_recoder(plain, {})) == b"0\t \n1\ta\n2\t<nul>\n"


KNOWN = {
    "langdata/eng/eng.unicharset": (111, "a481e4cb27c2b832"),
    "langdata/kor/kor.unicharset": (161, "38c2a6a4483a74ef"),
    "langdata/hin/hin.unicharset": (119, "bfc46d447ba04c2e"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_recoders(name):
    data = build(name)
    recoder = recoder_format.unpack(data)
    assert (recoder.code_range, hashlib.sha256(data).hexdigest()[:16]) == KNOWN[name]


def build(name: str) -> bytes:
    charset = Unicharset(unicharset_format.load(helpers.testdata(name)))
    shapes = parse_radicals(helpers.testdata("langdata/radical-stroke.txt").read_bytes())
    return recoder_format.pack(build_recoder(charset, shapes))


SETS = [
    *(f"tesseract-test/{name}.unicharset" for name in (
        "eng", "deu", "fra", "ara", "mar", "chi_sim", "jpn", "trivial")),
    *(f"langdata/{name}/{name}.unicharset" for name in ("heb", "hin", "kor")),
    *(f"langdata/{script}.unicharset" for script in ("Cyrillic", "Greek", "Thai")),
]  # fmt: skip


@pytest.mark.reference
@pytest.mark.parametrize("name", SETS)
def test_recoder_is_that_of_the_real_tool(name, tmp_path):
    path = helpers.testdata(name)
    helpers.run_real(
        "combine_lang_model", "--input_unicharset", path, "--script_dir",
        helpers.testdata("langdata"), "--output_dir", tmp_path, "--lang", "x",
    )  # fmt: skip
    real = traineddata.load(tmp_path / "x/x.traineddata").components["lstm-recoder"]
    data = build(name)
    assert data == real
    charset = Unicharset(unicharset_format.load(path))
    shapes = parse_radicals(helpers.testdata("langdata/radical-stroke.txt").read_bytes())
    recoder = build_recoder(charset, shapes)
    listed = tmp_path / f"x/x.charset_size={recoder.code_range}.txt"
    assert listed.read_bytes() == codes_as_text(charset, recoder)
