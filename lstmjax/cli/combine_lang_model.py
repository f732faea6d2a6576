"""Make a starter traineddata from a unicharset, script data and word lists.

Files (except for the layout of the dawgs), flags and messages are those of Tesseract 5.3.0
`combine_lang_model`, with these differences: every failure exits with 1 and writes nothing, errors
give the reason, words that are left out are reported.
"""

import sys
from pathlib import Path

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import UsageError


def _define(values: flags.FlagValues) -> None:
    def string(name: str, text: str) -> None:
        flags.DEFINE_string(name, "", text, flag_values=values)

    def boolean(name: str, text: str) -> None:
        flags.DEFINE_bool(name, False, text, flag_values=values)

    string("input_unicharset", "Unicharset to complete, made by unicharset_extractor")
    string("script_dir", "Folder with script unicharsets and radical-stroke.txt (langdata_lstm)")
    string("words", "File with words, one per line")
    string("puncs", "File with punctuation patterns, one per line; a space stands for the word")
    string("numbers", "File with number patterns, one per line; a space stands for a digit")
    string("output_dir", "Folder for <lang>/<lang>.traineddata")
    string("lang", "Name of the language")
    string("version_str", "Text added to the version")
    boolean("lang_is_rtl", "Store punctuation from right to left")
    boolean("pass_through_recoder", "Give every unichar its own code")


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    values, rest = parse("combine_lang_model", _define, argv)
    if rest:
        raise UsageError(f"what is {rest[0]!r}? All arguments of combine_lang_model are flags")
    for name in ("input_unicharset", "script_dir", "output_dir", "lang"):
        if not values[name].value:
            raise UsageError(f"--{name} is missing ({values[name].help})")
    if Path(values.lang).name != values.lang or values.lang in (".", ".."):
        raise UsageError(f"--lang {values.lang}: expected a plain name such as eng")
    _combine(values)
    return 0


def _combine(values: flags.FlagValues) -> None:
    from lstmjax.charset.language import Language, build_starter
    from lstmjax.errors import LstmjaxError

    language = Language(
        name=values.lang,
        unicharset=values.input_unicharset,
        script_dir=values.script_dir,
        words=values.words,
        puncs=values.puncs,
        numbers=values.numbers,
        version=values.version_str,
        rtl=values.lang_is_rtl,
        pass_through=values.pass_through_recoder,
    )
    if not Path(values.output_dir).is_dir():
        _say("Error writing unicharset!!")
        raise LstmjaxError(f"{values.output_dir}: no such folder; make it first (--output_dir)")
    build_starter(language, _say).save(values.output_dir)


def _say(text: str) -> None:
    sys.stderr.buffer.write(text.encode(errors="surrogateescape") + b"\n")
    sys.stderr.flush()
