"""`lstmjax <tool> [flags]`: run a tool, and turn its errors into messages and exit statuses."""

import atexit
import difflib
import importlib
import os
import sys

from lstmjax.errors import LstmjaxError

TOOLS = {
    "lstmtraining": "train a model, continue or fine-tune one, or turn a checkpoint into a model",
    "lstmeval": "measure the error rates of a model on lines with known text",
    "combine_tessdata": "combine, extract, list or convert the components of a traineddata",
    "unicharset_extractor": "make the unicharset of texts or box files",
    "set_unicharset_properties": "complete a unicharset with properties and measured bounds",
    "merge_unicharsets": "merge unicharsets into one",
    "text2image": "render text in fonts to page images with box files",
    "lstmf": "make training data (lstmf) from images with box files, texts, PAGE or ALTO",
    "lstmbox": "make box files from a model's readings of line images and pages",
    "check_text": "check ground truth against a character set before training",
    "combine_lang_model": "make a starter traineddata from a unicharset and word lists",
    "wordlist2dawg": "make a word graph (dawg) from a word list",
    "dawg2wordlist": "write the words of a word graph (dawg) to a word list",
    "view": "show runs in a browser, live or afterwards",
    "tesstrain": "make models from ground truth, or from a text and fonts, in one command",
    "shims": "write executables with the names of Tesseract's tools that call lstmjax",
}
"""Name of a tool (its module in this package) -> description."""


def main() -> None:
    """Run the program and exit with its status; see `run`."""
    status = None

    def leave() -> None:  # an orderly shutdown of JAX takes half a second
        if status is not None and "jax" in sys.modules:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    atexit.register(leave)  # registered first, so called last
    status = run(sys.argv[1:])
    sys.exit(status)


def run(argv: list[str]) -> int:
    """Run a tool.

    Args:
      argv: the tool's name and its arguments.

    Returns: the exit status: the tool's own, 1 after an error, 130 after an interrupt, 141 if the
      reader of the output has closed it.
    """
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    tool, *arguments = argv
    if tool == "--version":
        from importlib.metadata import version

        print(f"lstmjax {version('lstmjax')}")
        return 0
    if tool not in TOOLS:
        print(f"lstmjax: error: {_unknown(tool)}", file=sys.stderr)
        return 1
    return _run_tool(tool, arguments)


def _run_tool(tool: str, arguments: list[str]) -> int:
    try:
        status = importlib.import_module(f"lstmjax.cli.{tool}").main(arguments)
        # Flushed here: a closed pipe must be noticed while it can still be handled.
        sys.stdout.flush()
        return status
    except LstmjaxError as err:
        print(f"lstmjax {tool}: error: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more when it exits; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _usage() -> str:
    width = max(map(len, TOOLS))
    lines = ["Usage: lstmjax <tool> [flags]", "", "Tools:"]
    lines += [f"  {name:<{width}}  {text}" for name, text in TOOLS.items()]
    lines += ["", "lstmjax <tool> --help lists the flags of a tool; lstmjax --version the version."]
    return "\n".join(lines)


def _unknown(tool: str) -> str:
    near = difflib.get_close_matches(tool, TOOLS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "lstmjax --help lists the tools"
    return f"there is no tool {tool!r}; {hint}"
