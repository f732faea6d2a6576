"""Merge unicharsets into one.

Messages (all on stdout), exit statuses and the file are those of Tesseract 5.3.0
`merge_unicharsets`; the reason for a failure goes to stderr.
"""

import sys

from lstmjax.cli.flags import print_version
from lstmjax.errors import LstmjaxError

USAGE = """\
Usage: lstmjax merge_unicharsets -v | --version |
       lstmjax merge_unicharsets [--hex_properties] unicharset-in-1 ... unicharset-in-n \
unicharset-out
  --hex_properties  Write properties in hexadecimal, as they are read, and not in decimal as \
Tesseract 5 does"""


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status.
    """
    if argv[:1] in (["-v"], ["--version"]):
        print_version()
        return 0
    if argv[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    hex_properties = argv[:1] in (["--hex_properties"], ["-hex_properties"])
    paths = argv[hex_properties:]
    if len(paths) < 3:
        print(USAGE)
        return 1
    return _merge(paths[:-1], paths[-1], hex_properties)


def _merge(inputs: list[str], output: str, hex_properties: bool) -> int:
    from lstmjax.charset.merge import merge
    from lstmjax.formats import unicharset

    tables = []
    for path in inputs:
        try:
            tables.append(unicharset.load(path))
        except LstmjaxError as err:
            return _fail(f"Failed to load unicharset from file {path}!!", err)
        print(f"Loaded unicharset of size {len(tables[-1].rows)} from file {path}")
    try:
        unicharset.save(merge(tables), output, decimal=not hex_properties)
    except LstmjaxError as err:
        return _fail(f"Cannot save unicharset file {output}.", err)
    print(f"Wrote unicharset file {output}.")
    return 0


def _fail(text: str, err: LstmjaxError) -> int:
    print(text, flush=True)
    print(err, file=sys.stderr)
    return 1
