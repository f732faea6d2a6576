"""Character sets from texts in memory, and starters for them, for use from Python."""

from collections.abc import Iterable
from pathlib import Path

from lstmjax.charset.extract import Extractor
from lstmjax.charset.language import Language, build_starter
from lstmjax.charset.recode import build_recoder
from lstmjax.charset.segment import NormMode
from lstmjax.charset.unicharset import Unicharset
from lstmjax.errors import Say
from lstmjax.formats import recoder as recoder_format
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.files import PathLike, write_atomically
from lstmjax.formats.traineddata import TESSERACT_VERSION, TrainedData, pack
from lstmjax.formats.unicharset import UnicharsetTable


def _nobody(text: str) -> None:
    del text


def make_unicharset(
    texts: Iterable[str], path: PathLike | None = None, *, norm_mode: int = 1, say: Say = _nobody
) -> UnicharsetTable:
    """Collect the characters of texts, as `unicharset_extractor` does.

    Args:
      texts: lines of text.
      path: file to write; None for none.
      norm_mode: 1 whole graphemes (Latin and other simple scripts), 2 split graphemes (Indic,
        Khmer, Myanmar), 3 single characters (Arabic, Hebrew, Thai, Tibetan).
      say: called with messages about lines that break the rules of their script.
    Returns: the rows of the unicharset.

    Example:
      >>> table = lstmjax.make_unicharset(["one line", "another"])
      >>> "".join(row.unichar for row in table.rows[3:])
      'oneliathr'
    """
    extractor = Extractor(NormMode(norm_mode), say)
    for text in texts:
        extractor.add_text(text.encode("utf-8", "replace"))
    table = extractor.table()
    if path is not None:
        write_atomically(path, unicharset_format.pack(table, decimal=True))
    return table


def make_starter(
    texts: Iterable[str], path: PathLike, *, norm_mode: int = 1, say: Say = _nobody
) -> int:
    """Make the traineddata that training starts from, from the texts of the training lines alone.

    The data of langdata_lstm (sizes of characters, shapes of Han characters, word lists) is left
    out: use `combine_lang_model` for a model to be published, and for Chinese or Japanese, where
    the shapes save thousands of outputs.

    Args:
      texts: transcriptions of the training lines.
      path: the traineddata to write.
      norm_mode: unit into which texts are divided, as in `make_unicharset`.
      say: called with messages about lines that break the rules of their script.
    Returns: the number of outputs of a network for this character set.
    Raises: CharsetError: a character cannot be coded; names it and the way out.

    Example:
      >>> lines = lstmjax.read_lines("examples/train.list")
      >>> lstmjax.make_starter(lines.texts, "out/mine.traineddata")
      76
    """
    table = make_unicharset(texts, norm_mode=norm_mode, say=say)
    recoder = build_recoder(Unicharset(table), {})
    components = {
        "lstm-unicharset": unicharset_format.pack(table, decimal=True),
        "lstm-recoder": recoder_format.pack(recoder),
        "version": TESSERACT_VERSION.encode(),
    }
    write_atomically(path, pack(TrainedData(components)))
    return recoder.code_range


def combine_lang_model(
    *,
    input_unicharset: PathLike,
    script_dir: PathLike,
    output_dir: PathLike,
    lang: str,
    words: str = "",
    puncs: str = "",
    numbers: str = "",
    version_str: str = "",
    lang_is_rtl: bool = False,
    pass_through_recoder: bool = False,
    say: Say = _nobody,
) -> Path:
    """Make a starter traineddata with all data of a language, as the tool of the same name.

    Args:
      input_unicharset: path of a unicharset from `make_unicharset` or `unicharset_extractor`.
      script_dir: folder of langdata_lstm.
      output_dir: an existing folder; files are written into `output_dir/lang`.
      lang: name of the language.
      words: path of a list of words, one a line; "" for none.
      puncs: path of a list of punctuation, where a space stands for a word; "" for none.
      numbers: path of a list of numbers, where a space stands for a digit; "" for none.
      version_str: text that is added to the version.
      lang_is_rtl: whether punctuation is stored from right to left.
      pass_through_recoder: whether the code of a unichar is its id.
      say: called with each line that Tesseract prints.
    Returns: the path of the traineddata.
    Raises: FormatError: a file is missing or damaged. CharsetError: a unichar cannot be coded, or
      no word of a list can be written. LstmjaxError: a file cannot be written.
    """
    language = Language(
        name=lang,
        unicharset=input_unicharset,
        script_dir=script_dir,
        words=words,
        puncs=puncs,
        numbers=numbers,
        version=version_str,
        rtl=lang_is_rtl,
        pass_through=pass_through_recoder,
    )
    build_starter(language, say).save(output_dir)
    return Path(output_dir, lang, f"{lang}.traineddata")
