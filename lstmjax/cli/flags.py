"""Parsing of flags by the rules of Tesseract's tools, into absl `FlagValues`.

Flags have one or two hyphens, and are given as `--flag value` or `--flag=value`. A bool may be
given as `--flag`; it takes a value only after `=`. Parsing stops at the first argument without a
hyphen. `--flagfile=path` reads more arguments.
Source: Tesseract src/training/common/commandlineflags.cpp.
"""

import difflib
import sys
from collections.abc import Callable
from typing import NoReturn

from absl import flags

LEGACY = frozenset({
    "debug_level", "load_images",
    "clusterconfig_min_samples_fraction", "clusterconfig_max_illegal",
    "clusterconfig_independence", "clusterconfig_confidence",
    "configfile", "D", "F", "X", "U", "O", "output_trainer", "test_ch",
    "fonts_dir", "fontconfig_tmpdir",
})  # fmt: skip
"""Flags of the legacy engine: like Tesseract's tools, ours accept and ignore them."""

_KINDS = {"int": "int", "float": "double", "bool": "bool"}
_KIND_ORDER = ("int", "double", "bool", "string")


def parse(
    tool: str, define: Callable[[flags.FlagValues], None], argv: list[str]
) -> tuple[flags.FlagValues, list[str]]:
    """Parse the arguments of a tool.

    `--help`, `--version`, or no argument at all prints the text asked for and exits with 0. A bad
    flag is reported on stderr in Tesseract's words and exits with 1.

    Args:
      tool: name of the tool.
      define: function that defines the flags of the tool.
      argv: the arguments after the tool's name.
    Returns: the values of the flags, and the positional arguments.
    Raises: SystemExit: see above.
    """
    values = flags.FlagValues()
    define(values)
    if argv[:1] in (["-v"], ["--version"]):
        print_version()
        raise SystemExit(0)
    usage = f"lstmjax {tool} -v | --version | lstmjax {tool} [OPTION ...]"
    if not argv:
        print(f"USAGE: {usage}\n{_list_flags(values)}")
        raise SystemExit(0)
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        if rest[0] in ("--help", "-help"):
            print(f"Usage:\n  {usage}\n\n{_list_flags(values)}")
            raise SystemExit(0)
        rest = _take_flag(values, rest)
    values.mark_as_parsed()
    try:
        values.validate_all_flags()
    except flags.Error as err:
        _fail(str(err))
    return values, rest


def print_version() -> None:
    """Print the version of Tesseract, as its tools do, and that of lstmjax."""
    from importlib.metadata import version

    from lstmjax.formats.traineddata import TESSERACT_VERSION

    print(f"{TESSERACT_VERSION}\n lstmjax {version('lstmjax')}")


def given(values: flags.FlagValues) -> frozenset[str]:
    """Names of the flags on the command line or in a flag file."""
    return frozenset(name for name in values if not values[name].using_default_value)


def _read_flagfile(values: flags.FlagValues, argv: list[str]) -> list[str]:
    """Replace the flag file named by the first argument by the arguments in it."""
    size = 1 if "=" in argv[0] else 2
    try:
        return values.read_flags_from_files(argv[:size]) + argv[size:]
    except flags.Error as err:
        _fail(str(err).removeprefix("ERROR:: "))


def _take_flag(values: flags.FlagValues, argv: list[str]) -> list[str]:
    """Set the flag named by the first argument; the arguments after it."""
    argument, *rest = argv
    name, equals, text = argument.removeprefix("-").removeprefix("-").partition("=")
    if name == "flagfile":
        return _read_flagfile(values, argv)
    if not name or (equals and not text and _kind(values, name) in ("int", "double")):
        _fail(f"Bad argument: {argument}")
    if name in LEGACY and name not in values:
        # Its value is in the same argument, or is the next argument.
        return rest if equals else rest[1:]
    if name not in values:
        near = difflib.get_close_matches(name, list(values), n=1)
        _fail(f"Non-existent flag {argument}", f"Did you mean --{near[0]}?" if near else None)
    kind = _kind(values, name)
    if kind == "bool":
        _set(values, name, text if equals else "true", f"bool from flag {argument}")
        return rest
    if not equals:
        if not rest:
            if kind == "string":
                _fail(f"Could not find string value for flag {name}")
            _fail(f"Could not find value argument for flag {name}")
        text, *rest = rest
    _set(values, name, text, f"{kind} from {text} in flag {argument}")
    return rest


def _set(values: flags.FlagValues, name: str, text: str, what: str) -> None:
    try:
        values[name].parse(text)
    except flags.IllegalFlagValueError:
        _fail(f"Could not parse {what}")
    # Set by hand, since absl marks it only when it parses a whole command line.
    values[name].using_default_value = False


def _fail(problem: str, hint: str | None = None) -> NoReturn:
    print(f"ERROR: {problem}", file=sys.stderr)
    if hint:
        print(hint, file=sys.stderr)
    raise SystemExit(1)


def _kind(values: flags.FlagValues, name: str) -> str | None:
    """Tesseract's name for the type of a flag; None if there is no such flag."""
    return _KINDS.get(values[name].flag_type(), "string") if name in values else None


def _list_flags(values: flags.FlagValues) -> str:
    """The help text: a line for each flag, grouped by type, in the order of definition."""
    lines = []
    for kind in _KIND_ORDER:
        for name in values:
            if _kind(values, name) == kind:
                flag = values[name]
                default = _show(flag.default)
                lines.append(f"  --{name}  {flag.help}  (type:{kind} default:{default})")
    return "\n".join(lines)


def _show(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
