"""Write the words of a word graph (dawg) to a word list.

Files, messages and streams are those of Tesseract 5.3.0 `dawg2wordlist`. Errors also give the
reason, and a unicharset that does not fit the dawg is refused.
"""

import sys

from lstmjax.cli.flags import print_version
from lstmjax.errors import LstmjaxError

USAGE = """\
Print all the words in a given dawg.
Usage: lstmjax dawg2wordlist -v | --version | \
lstmjax dawg2wordlist <unicharset> <dawgfile> <wordlistfile>"""

_MAX_BYTES = 1 << 30


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    match argv:
        case ["-v" | "--version", *_]:
            print_version()
        case ["-h" | "--help"]:
            print(USAGE)
        case [unicharset, dawg, words] if not unicharset.startswith("-"):
            _list(unicharset, dawg, words)
        case _:
            _say(USAGE)
            return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _list(unicharset_path: str, dawg_path: str, words_path: str) -> None:
    from lstmjax.charset.lookup import check_unicharset
    from lstmjax.charset.unicharset import Unicharset
    from lstmjax.formats import dawg as dawg_format
    from lstmjax.formats import unicharset as unicharset_format
    from lstmjax.formats.files import read_bytes, write_atomically

    try:
        unicharset = Unicharset(unicharset_format.load(unicharset_path))
    except LstmjaxError:
        _say(f"Error loading unicharset from {unicharset_path}.")
        raise
    try:
        read_bytes(dawg_path)
        _say(f"Loading word list from {dawg_path}\nReading squished dawg")
    except LstmjaxError:
        _say(f"Could not open {dawg_path} for reading.")
        _say(f"Error loading dictionary from {dawg_path}.")
        raise
    try:
        graph = dawg_format.load(dawg_path)
        check_unicharset(graph, unicharset, dawg_path)
    except LstmjaxError:
        _say(f"Could not read {dawg_path}\nError loading dictionary from {dawg_path}.")
        raise
    _say("Word list loaded.")
    text = _words(graph, unicharset, dawg_path)
    try:
        write_atomically(words_path, text)
    except LstmjaxError:
        _say(f"Could not open {words_path} for writing.")
        raise


def _words(graph, unicharset, path: str) -> bytes:
    """All words, one per line.

    Raises: FormatError: the words take more than `_MAX_BYTES`, or the dawg is damaged.
    """
    from lstmjax.charset.lookup import words_as_text
    from lstmjax.errors import FormatError, naming
    from lstmjax.formats.stream import to_bytes

    text = bytearray()
    with naming(file=path):
        for word in words_as_text(graph, unicharset):
            text += to_bytes(word + "\n")
            if len(text) > _MAX_BYTES:
                raise FormatError(f"the words take more than {_MAX_BYTES} bytes")
    return bytes(text)
