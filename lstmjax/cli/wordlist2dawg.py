"""Make a word graph (dawg) from a word list, or check one against it.

Messages and streams are those of Tesseract 5.3.0 `wordlist2dawg`, with these differences: every
failure exits with 1 (an empty word graph and missing words, too), words that are left out are
reported, files are replaced atomically.
"""

import sys

from lstmjax.cli.flags import print_version
from lstmjax.errors import FormatError, LstmjaxError, UsageError

USAGE = """\
Usage: lstmjax wordlist2dawg -v | --version |
       lstmjax wordlist2dawg [-t | -r [reverse policy] ] word_list_file dawg_file unicharset_file

  -t  check that the dawg holds all words of the list; a * in a word matches any character
  -r  which words to store from right to left:
      0 none (default), 1 those with right-to-left letters, 2 all"""


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
        case ["-r", policy, words, dawg, unicharset]:
            _build(words, dawg, unicharset, policy)
        case ["-t", words, dawg, unicharset]:
            return _check(words, dawg, unicharset)
        case [words, dawg, unicharset] if not words.startswith("-"):
            _build(words, dawg, unicharset, None)
        case _:
            print(USAGE)
            return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _load_unicharset(path: str):
    from lstmjax.charset.unicharset import Unicharset
    from lstmjax.formats import unicharset as unicharset_format

    _say(f"Loading unicharset from '{path}'")
    try:
        return Unicharset(unicharset_format.load(path))
    except LstmjaxError:
        _say(f"Failed to load unicharset from '{path}'")
        raise


def _build(words_path: str, dawg_path: str, unicharset_path: str, policy_text: str | None) -> None:
    from lstmjax.charset.lexicon import build_dawg
    from lstmjax.charset.wordlist import ReversePolicy, WordEncoder
    from lstmjax.formats import dawg as dawg_format

    policy = ReversePolicy.RRP_DO_NO_REVERSE
    if policy_text is not None:
        if policy_text not in ("0", "1", "2"):
            raise UsageError(f"-r {policy_text}: the reverse policies are 0, 1 and 2\n{USAGE}")
        policy = ReversePolicy(int(policy_text))
        _say(f"Set reverse_policy to {policy.name}")
    unicharset = _load_unicharset(unicharset_path)
    _say(f"Reading word list from '{words_path}'")
    try:
        words = WordEncoder(unicharset, policy).read(words_path)
    except FormatError:
        _say(f"Failed to add word list from '{words_path}'")
        raise
    if words.skipped.total:
        _say(words.skipped.describe(words_path, len(words)))
    _say("Reducing Trie to SquishedDawg")
    if not len(words):
        _say("Dawg is empty, skip producing the output file")
        raise LstmjaxError(
            f"{words_path}: no word can be written with the unichars of {unicharset_path}"
        )
    graph = build_dawg(words, len(unicharset))
    _say(f"Writing squished DAWG to '{dawg_path}'")
    dawg_format.save(graph, dawg_path)


def _check(words_path: str, dawg_path: str, unicharset_path: str) -> int:
    """Print the words of a list that a dawg lacks; exit status 1 if there are any."""
    from lstmjax.charset.lookup import WordLookup, check_unicharset
    from lstmjax.errors import CharsetError
    from lstmjax.formats import dawg as dawg_format
    from lstmjax.formats.files import unreadable
    from lstmjax.formats.stream import to_bytes, to_text

    unicharset = _load_unicharset(unicharset_path)
    _say(f"Loading dawg DAWG from '{dawg_path}'")
    graph = dawg_format.load(dawg_path)
    check_unicharset(graph, unicharset, dawg_path)
    lookup = WordLookup(graph, wildcard=unicharset.ids.get("*"))
    _say(f"Checking word list from '{words_path}'")
    status = 0
    try:
        with open(words_path, "rb") as lines:
            for line in lines:
                word = to_text(line.rstrip(b"\r\n"))
                try:
                    ids = unicharset.encode(word)
                except CharsetError:
                    ids = ()
                if not ids:
                    problem = "Failed to create a valid word from"
                elif ids not in lookup:
                    problem = "Missing word:"
                else:
                    continue
                status = 1
                # Bytes: a word may not be UTF-8.
                sys.stderr.buffer.write(to_bytes(f"{problem} {word}\n"))
                sys.stderr.flush()
    except OSError as err:
        raise unreadable(words_path, err) from err
    return status
