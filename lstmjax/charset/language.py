"""A starter traineddata: the character set of a language, its recoder, its word lists.

Source: tesseract src/training/unicharset/lang_model_helpers.cpp, CombineLangModel.
"""

from dataclasses import dataclass
from pathlib import Path

from lstmjax.charset.codec import pass_through
from lstmjax.charset.lexicon import build_dawg
from lstmjax.charset.radicals import parse_radicals
from lstmjax.charset.recode import build_recoder, codes_as_text, null_id
from lstmjax.charset.scripts import complete
from lstmjax.charset.unicharset import Unicharset
from lstmjax.charset.wordlist import ReversePolicy, WordEncoder, WordIds
from lstmjax.errors import CharsetError, FormatError, LstmjaxError, Say, naming
from lstmjax.formats import dawg as dawg_format
from lstmjax.formats import recoder as recoder_format
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.files import PathLike, read_bytes, write_atomically
from lstmjax.formats.recoder import Recoder
from lstmjax.formats.traineddata import TESSERACT_VERSION, TrainedData, pack


@dataclass(frozen=True)
class Language:
    """The sources of a starter.

    Attributes:
      name: name of the language and of the files, such as `eng`.
      unicharset: path of the unicharset, from unicharset_extractor.
      script_dir: folder with `<Script>.unicharset`, `radical-stroke.txt` and
        `<name>/<name>.config`, as langdata_lstm has them.
      words, puncs, numbers: paths of lists, one entry a line, or "". In `puncs` a space stands for
        a word or number, in `numbers` for a digit.
      version: text that is added to the version.
      rtl: whether punctuation is stored from right to left.
      pass_through: whether the code of a unichar is its id.
    """

    name: str
    unicharset: PathLike
    script_dir: PathLike
    words: str = ""
    puncs: str = ""
    numbers: str = ""
    version: str = ""
    rtl: bool = False
    pass_through: bool = False


@dataclass(frozen=True)
class Starter:
    """A starter traineddata and the files written beside it.

    Attributes:
      name: name of the language.
      unicharset: the packed unicharset with all properties.
      codes: the codes of each unichar as text.
      num_codes: number of different codes.
      traineddata: the components.
    """

    name: str
    unicharset: bytes
    codes: bytes
    num_codes: int
    traineddata: TrainedData

    def save(self, output_dir: PathLike) -> None:
        """Write the files into a folder of the language's name, the traineddata last.

        Raises: LstmjaxError: a file cannot be written.
        """
        folder = Path(output_dir, self.name)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as err:
            raise LstmjaxError(f"{folder}: cannot be made: {err.strerror or err}") from err
        write_atomically(folder / f"{self.name}.unicharset", self.unicharset)
        write_atomically(folder / f"{self.name}.charset_size={self.num_codes}.txt", self.codes)
        write_atomically(folder / f"{self.name}.traineddata", pack(self.traineddata))


def build_starter(language: Language, say: Say) -> Starter:
    """Make a starter traineddata.

    Args:
      language: sources of the starter.
      say: called with each line that Tesseract prints, and with a line about words left out.
    Raises: FormatError: a required file is missing or damaged. CharsetError: a unichar cannot be
      coded, or no word of a list can be written.
    """
    # The order of Tesseract's messages: lists first, then the unicharset, then the rest.
    lists = {path: _is_readable(path, say) for path in _lists(language) if path}
    table = _load_unicharset(language.unicharset, say)
    unicharset = Unicharset(complete(table, language.script_dir, say).table)
    packed = unicharset_format.pack(unicharset.table, decimal=True)
    # Printed whether there is a config or not, as by the original.
    say("Config file is optional, continuing...")
    version = ":".join(filter(None, [TESSERACT_VERSION, language.version]))
    components = {"lstm-unicharset": packed, "version": version.encode(errors="surrogateescape")}
    config = f"{language.script_dir}/{language.name}/{language.name}.config"
    if _is_readable(config, say):
        components["config"] = read_bytes(config)
    recoder = _recoder(language, unicharset, say)
    components["lstm-recoder"] = recoder_format.pack(recoder)
    components |= _dawgs(language, lists, unicharset, say)
    return Starter(
        language.name,
        packed,
        codes_as_text(unicharset, recoder),
        recoder.code_range,
        TrainedData(components),
    )


def _lists(language: Language) -> tuple[str, str, str]:
    return language.words, language.puncs, language.numbers


def _is_readable(path: str, say: Say) -> bool:
    """Whether an optional file can be read and is not empty; says so if not."""
    try:
        with open(path, "rb") as source:
            readable = bool(source.read(1))
    except OSError:
        readable = False
    if not readable:
        say(f"Failed to read data from: {path}")
    return readable


def _load_unicharset(path: PathLike, say: Say) -> unicharset_format.UnicharsetTable:
    try:
        table = unicharset_format.load(path)
    except FormatError:
        say(f"Failed to load unicharset from {path}")
        raise
    say(f"Loaded unicharset of size {len(table.rows)} from file {path}")
    return table


def _recoder(language: Language, unicharset: Unicharset, say: Say) -> Recoder:
    path = f"{language.script_dir}/radical-stroke.txt"
    try:
        # Needed even for a pass-through recoder, which does not use it: so it is in the original.
        radical_data = read_bytes(path)
        if not radical_data:
            raise FormatError("the file is empty", file=path)
    except FormatError as err:
        say(f"Failed to read data from: {path}\nError reading radical code table {path}")
        problem = f"{err.problem}; it is part of langdata_lstm, which --script_dir must name"
        raise FormatError(problem, file=path) from err
    if language.pass_through:
        return pass_through(unicharset)
    say(f"Null char={null_id(unicharset)}")
    try:
        recoder = build_recoder(unicharset, parse_radicals(radical_data))
    except CharsetError:
        say("Creation of encoded unicharset failed!!\nError writing recoder!!")
        raise
    for unichar_id, codes in enumerate(recoder.codes):
        if not codes:
            say(
                f"Warning: unichar {unichar_id} = {unicharset.unichar(unichar_id)} gets no code, "
                "because it is deleted from all texts"
            )
    return recoder


def _dawgs(
    language: Language, lists: dict[str, bool], unicharset: Unicharset, say: Say
) -> dict[str, bytes]:
    """The word, punctuation and number dawgs as components."""
    kinds = (
        ("lstm-word-dawg", language.words, ReversePolicy.RRP_REVERSE_IF_HAS_RTL),
        ("lstm-punc-dawg", language.puncs, _punc_policy(language)),
        ("lstm-number-dawg", language.numbers, ReversePolicy.RRP_DO_NO_REVERSE),
    )
    encoded = {
        name: WordEncoder(unicharset, policy).read(path)
        for name, path, policy in kinds
        if lists.get(path)
    }
    # A list whose words were all left out counts as given, and fails with the original's message.
    filled = {name for name, words in encoded.items() if len(words) + words.skipped.total}
    if filled and "lstm-punc-dawg" not in filled:
        say("Must have non-empty puncs list to use language models!!")
        _fail_dawgs(say)
        raise CharsetError(
            "the list of punctuation (--puncs) is empty, but words or numbers are found through "
            "it; a list with a single line that is one space is enough"
        )
    return {
        name: dawg_format.pack(_dawg(encoded[name], path, unicharset, say))
        for name, path, _ in kinds
        if name in filled
    }


def _punc_policy(language: Language) -> ReversePolicy:
    return ReversePolicy.RRP_FORCE_REVERSE if language.rtl else ReversePolicy.RRP_DO_NO_REVERSE


def _dawg(words: WordIds, path: str, unicharset: Unicharset, say: Say) -> dawg_format.Dawg:
    if words.skipped.total:
        say(words.skipped.describe(path, len(words)))
    say("Reducing Trie to SquishedDawg")
    try:
        with naming(file=path):
            return build_dawg(words, len(unicharset))
    except CharsetError as err:
        _fail_dawgs(say)
        raise CharsetError(f"{path}: {err}") from err


def _fail_dawgs(say: Say) -> None:
    say("Error during conversion of wordlists to DAWGs!!")
