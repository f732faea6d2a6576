"""Complete a unicharset: kind, script, case and mirror of each unichar, bounds from script files.

Messages, exit statuses and files are those of Tesseract 5.3.0 `set_unicharset_properties`, except
that a unicharset that cannot be loaded or written is an error with a reason and exit status 1.
"""

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.cli.unicharset_extractor import define_hex, say
from lstmjax.errors import LstmjaxError

TOOL = "set_unicharset_properties"


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status.
    """
    values, _ = parse(TOOL, _define, argv)
    if not values.U or not values.O:
        say("Specify both input and output unicharsets!")
        return 1
    if not values.script_dir:
        say("Must specify a script_dir!")
        return 1
    _set_properties(values)
    return 0


def _define(values: flags.FlagValues) -> None:
    for name, default, about in (
        ("U", "unicharset", "Unicharset to complete"),
        ("O", "", "File for the completed unicharset"),
        ("X", "", "File for the x-heights of the scripts"),
        ("script_dir", "", "Folder with the unicharsets and xheights of the scripts"),
    ):
        flags.DEFINE_string(name, default, about, flag_values=values)
    define_hex(values)


def _set_properties(values: flags.FlagValues) -> None:
    from lstmjax.charset.scripts import complete, xheights
    from lstmjax.formats import unicharset
    from lstmjax.formats.files import write_atomically

    table = unicharset.load(values.U)
    if not table.rows:
        problem = "the unicharset has no entries, expected at least the space"
        raise LstmjaxError(f"{values.U}: {problem}")
    say(f"Loaded unicharset of size {len(table.rows)} from file {values.U}")
    completed = complete(table, values.script_dir, say)
    if values.X:
        write_atomically(values.X, xheights(values.script_dir, completed.scripts))
    say(f"Writing unicharset to file {values.O}")
    unicharset.save(completed.table, values.O, decimal=not values.hex_properties)
