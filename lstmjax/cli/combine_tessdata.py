"""Combine, extract or list the components of a traineddata, or convert its network to int8.

Messages, streams and exit statuses are those of Tesseract 5.3.0 `combine_tessdata`, with these
differences: every failure exits with 1, files are replaced atomically, errors give the reason.
"""

import sys
from dataclasses import replace

from lstmjax.cli.flags import print_version
from lstmjax.errors import FormatError, LstmjaxError
from lstmjax.formats import lstm, parts, traineddata
from lstmjax.formats.files import write_atomically
from lstmjax.formats.traineddata import COMPONENTS, TrainedData

USAGE = """\
Usage for combining tessdata components:
  lstmjax combine_tessdata language_data_path_prefix
  (e.g. lstmjax combine_tessdata tessdata/eng.)

Usage for extracting tessdata components:
  lstmjax combine_tessdata -e traineddata_file [output_component_file...]
  (e.g. lstmjax combine_tessdata -e eng.traineddata eng.unicharset)

Usage for overwriting tessdata components:
  lstmjax combine_tessdata -o traineddata_file [input_component_file...]
  (e.g. lstmjax combine_tessdata -o eng.traineddata eng.unicharset)

Usage for unpacking all tessdata components:
  lstmjax combine_tessdata -u traineddata_file output_path_prefix
  (e.g. lstmjax combine_tessdata -u eng.traineddata tmp/eng.)

Usage for listing the network information
  lstmjax combine_tessdata -l traineddata_file
  (e.g. lstmjax combine_tessdata -l eng.traineddata)

Usage for listing directory of components:
  lstmjax combine_tessdata -d traineddata_file

Usage for compacting LSTM component to int:
  lstmjax combine_tessdata -c traineddata_file
"""


class _ToolError(LstmjaxError):
    """A failure with the message of the original tool."""


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.

    Returns: the exit status.
    """
    try:
        return _run(argv)
    except _ToolError as err:
        _say(str(err))
        return 1


def _run(argv: list[str]) -> int:
    match argv:
        case ["-v" | "--version", *_]:
            print_version()
        case ["-h" | "--help"]:
            print(USAGE, end="")
        case ["-d" | "-l" | "-dl" | "-ld" as letters, path]:
            _list(path, letters[1:])
        case ["-c", path]:
            _convert(path)
        case ["-e", path, _, *_]:
            _extract(path, argv[2:])
        case ["-u", path, prefix, *_]:
            _extract_all(path, prefix)
        case ["-o", path, _, *_]:
            _overwrite(path, argv[2:])
        case [prefix] if prefix not in ("-d", "-l", "-dl", "-ld", "-c", "-e", "-u", "-o"):
            _combine(prefix)
        case _:
            print(USAGE, end="")
            return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _load(path: str) -> TrainedData:
    try:
        return traineddata.load(path)
    except FormatError as err:
        raise _ToolError(f"Failed to read {path}\n{err}") from err


def _reason(err: LstmjaxError) -> str:
    """The system's message for a failed write."""
    cause = err.__cause__
    return str(cause.strerror) if isinstance(cause, OSError) and cause.strerror else str(err)


def _list(path: str, letters: str) -> None:
    trained = _load(path)
    for letter in letters:
        if letter == "d":
            _say(parts.describe(trained))
        elif "lstm" in trained.components:
            print(lstm.describe(_recognizer(trained, path)))
        sys.stdout.flush()


def _recognizer(trained: TrainedData, path: str) -> lstm.Recognizer:
    try:
        return lstm.unpack_from(trained)
    except FormatError as err:
        err.file = path
        raise _ToolError(f"Failed to deserialize LSTM in {path}!\n{err}") from err


def _convert(path: str) -> None:
    from lstmjax.nn.quantize import to_int

    trained = _load(path)
    if "lstm" not in trained.components:
        raise _ToolError(f"No LSTM Component found in {path}!")
    model = _recognizer(trained, path)
    small = replace(
        model,
        network=to_int(model.network),
        training_flags=model.training_flags | lstm.INT_MODE,
    )
    trained = trained.with_component("lstm", lstm.pack(small))
    _save(trained, path, f"Failed to write modified traineddata:{path}!")
    _say(parts.describe(trained))


def _save(trained: TrainedData, path: str, problem: str) -> None:
    """Write as Tesseract does: with the full component table, and always with a version."""
    trained = replace(
        trained.with_component("version", trained.version.encode(errors="surrogateescape")),
        num_entries=len(COMPONENTS),
    )
    try:
        traineddata.save(trained, path)
    except LstmjaxError as err:
        raise _ToolError(f"{problem}\n{err}") from err


def _extract(path: str, outputs: list[str]) -> None:
    trained = _load(path)
    print(f"Extracting tessdata components from {path}")
    for output in outputs:
        suffix = parts.suffix_of(output)
        if suffix is None:
            raise _ToolError(
                f"Not extracting {output}: its suffix names no component; "
                f"expected one of {', '.join(COMPONENTS)}"
            )
        data = _component(trained, suffix)
        if not data:
            print(f"Not extracting {output}, since this component is not present")
            raise SystemExit(1)
        _write_part(output, data)
    _say(parts.describe(trained))


def _extract_all(path: str, prefix: str) -> None:
    trained = _load(path)
    print(f"Extracting tessdata components from {path}")
    for suffix in COMPONENTS:
        data = _component(trained, suffix)
        if data:
            _write_part(parts.part_path(prefix, suffix), data)
    _say(parts.describe(trained))


def _component(trained: TrainedData, suffix: str) -> bytes:
    """The bytes of a component; for a missing version, the text that is reported instead."""
    if suffix == "version":
        return trained.version.encode(errors="surrogateescape")
    return trained.components.get(suffix, b"")


def _write_part(output: str, data: bytes) -> None:
    try:
        write_atomically(output, data)
    except LstmjaxError as err:
        print(f"Error, could not extract {output}: {_reason(err)}")
        raise SystemExit(1) from err
    print(f"Wrote {output}")


def _overwrite(path: str, inputs: list[str]) -> None:
    """Replace components; the old content is kept beside the file as `.__tmp__`."""
    trained = _load(path)
    known = [name for name in inputs if parts.suffix_of(name) is not None]
    for name in inputs:
        if name not in known:
            _say(f"Skipping {name}: its suffix names no component")
    try:
        changed = parts.replace_parts(trained, known)
    except FormatError as err:
        raise _ToolError(f"Failed to read component file:{err.file}\n{err}") from err
    # The backup before the change: it is there whatever happens to the file.
    backup = f"{path}.__tmp__"
    try:
        write_atomically(backup, traineddata.pack(trained))
    except LstmjaxError as err:
        raise _ToolError(f"Failed to create a temporary file {backup}\n{err}") from err
    _save(changed, path, f"Failed to write modified traineddata:{path}!")
    _say(parts.describe(changed))


def _combine(prefix: str) -> None:
    print("Combining tessdata files")
    output = parts.part_path(prefix, "traineddata")
    try:
        trained = parts.gather(prefix)
    except FormatError as err:
        print(f"Error combining tessdata files into {output}")
        raise _ToolError(f"Load of file {err.file} failed!\n{err}") from err
    if not parts.is_complete(trained):
        print(f"Error combining tessdata files into {output}")
        raise _ToolError(
            "Error: traineddata file must contain at least (a unicharset file and inttemp) "
            "OR an lstm file."
        )
    _save(trained, output, f"Error combining tessdata files into {output}")
    print(f"Output {output} created successfully.")
    _say(parts.describe(trained))
