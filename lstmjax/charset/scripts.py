"""Bounds and metrics of characters, from the files that cover a whole script.

A folder of script files (langdata_lstm) holds `Latin.unicharset`, with measured properties of
every Latin character, `Latin.xheights`, and so on.
Source: Tesseract src/training/unicharset/unicharset_training_utils.cpp, src/ccutil/unicharset.cpp.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from lstmjax.charset.builder import UnicharIndex
from lstmjax.charset.properties import NUM_SPECIAL, basic_properties, script_names
from lstmjax.errors import FormatError, Say
from lstmjax.formats import unicharset as unicharset_format
from lstmjax.formats.files import PathLike, read_bytes
from lstmjax.formats.unicharset import Bounds, Metrics, UnicharRow, UnicharsetTable

_WITHOUT_FILE = ("NULL", "Common")  # scripts for which a missing file is no surprise


@dataclass(frozen=True)
class Completed:
    """A unicharset with its properties.

    Attributes:
      table: the complete rows.
      scripts: the scripts met, in the order in which their files were looked for.
    """

    table: UnicharsetTable
    scripts: tuple[str, ...]


def complete(table: UnicharsetTable, script_dir: PathLike, say: Say) -> Completed:
    """Set all properties, as set_unicharset_properties and combine_lang_model do.

    Args:
      table: the unicharset as loaded.
      script_dir: folder of the script files; missing ones are reported.
      say: called with each line that Tesseract prints.

    Raises: CharsetError: an entry is not valid UTF-8.
    """
    say("Setting unichar properties")
    scripts = script_names(table.rows)
    table = basic_properties(table, say)
    scripts = script_names(table.rows, scripts)
    say("Setting script properties")
    completed = _with_scripts(table, scripts, Path(script_dir), say)
    for unichar_id, row in enumerate(completed.table.rows):
        width, _, _, _, advance, _ = row.metrics
        if unichar_id >= NUM_SPECIAL and (width == 0 or advance == 0):
            what = f"index {unichar_id} = {row.unichar}"
            say(f"Warning: properties incomplete for {what}")
    return completed


def _with_scripts(
    table: UnicharsetTable, scripts: tuple[str, ...], folder: Path, say: Say
) -> Completed:
    """Take properties from the files of all scripts, which can bring in more scripts."""
    number = 0
    # Grows while it is gone through: a file can bring in scripts, whose files come after it.
    while number < len(scripts):
        script = scripts[number]
        number += 1
        path = folder / f"{script}.unicharset"
        try:
            source = unicharset_format.load(path)
        except FormatError as err:
            if script not in _WITHOUT_FILE or path.exists():
                say(f"Failed to load script unicharset from:{folder}/{script}.unicharset")
            if path.exists():
                say(str(err))
            continue
        table, taken = with_properties_of(table, source)
        scripts = script_names(taken, scripts)
    return Completed(table, scripts)


def with_properties_of(
    table: UnicharsetTable, source: UnicharsetTable, first: int = 0
) -> tuple[UnicharsetTable, tuple[UnicharRow, ...]]:
    """Copy properties of the entries that another unicharset can spell.

    Args:
      table: rows to change.
      source: unicharset with the properties; those of the pieces of an entry are combined.
      first: id of the first row that may change.

    Returns: the changed table, and the rows that did change.
    """
    index = UnicharIndex(row.unichar for row in table.rows)
    pieces = UnicharIndex(row.unichar for row in source.rows)
    rows = list(table.rows)
    taken = []
    for unichar_id in range(first, len(rows)):
        ids = pieces.encode(rows[unichar_id].unichar)
        if ids is None:
            continue
        joined = side_by_side([source.rows[i] for i in ids])
        # Ids of the file mean texts; their ids here may be others.
        other_case = index.find(source.rows[joined.other_case].unichar)
        mirror = index.find(source.rows[joined.mirror].unichar)
        rows[unichar_id] = replace(
            joined,
            unichar=rows[unichar_id].unichar,
            other_case=unichar_id if other_case is None else other_case,
            mirror=unichar_id if mirror is None else mirror,
        )
        taken.append(rows[unichar_id])
    return UnicharsetTable(tuple(rows)), tuple(taken)


def side_by_side(rows: Sequence[UnicharRow]) -> UnicharRow:
    """Return the properties of several entries written one after the other.

    Script, direction, case partner and mirror are those of the first; the last two are ids in
    the unicharset that the rows come from. Sums are in single precision.
    """
    first = rows[0]
    return replace(
        first,
        properties=reduce(lambda bits, row: bits | row.properties, rows, 0),
        bounds=reduce(widened, (row.bounds for row in rows), (255, 0, 255, 0)),
        metrics=single(first.metrics) if len(rows) == 1 else _joined([r.metrics for r in rows]),
        normed="".join(row.normed for row in rows),
        comment=None,
    )


def widened(bounds: Bounds, other: Bounds) -> Bounds:
    """Return bounds that hold both; bounds beyond 0 to 255 are cut off."""
    low_bottom, high_bottom, low_top, high_top = (min(max(b, 0), 255) for b in other)
    return (
        min(bounds[0], low_bottom, high_bottom),
        max(bounds[1], low_bottom, high_bottom),
        min(bounds[2], low_top, high_top),
        max(bounds[3], low_top, high_top),
    )


def _joined(pieces: Sequence[Metrics]) -> Metrics:
    """Return the metrics of entries side by side: advances add up, the leftmost bearing counts."""
    # Sums in single precision one after the other, as Tesseract adds them.
    advance = advance_sd = np.float32(0)
    bearing = bearing_sd = np.float32(np.inf)
    for piece in pieces:
        _, _, own_bearing, own_bearing_sd, own_advance, own_advance_sd = map(np.float32, piece)
        if advance + own_bearing < bearing:
            bearing = advance + own_bearing
            bearing_sd = advance_sd + own_bearing_sd
        advance += own_advance
        advance_sd += own_advance_sd
    total = (advance - bearing, advance_sd + bearing_sd, bearing, bearing_sd, advance, advance_sd)
    return single(tuple(map(float, total)))


def single(metrics: Sequence[float]) -> Metrics:
    """Round metrics to single precision, in which Tesseract keeps them."""
    width, width_sd, bearing, bearing_sd, advance, advance_sd = map(float, map(np.float32, metrics))
    return width, width_sd, bearing, bearing_sd, advance, advance_sd


def xheights(script_dir: PathLike, scripts: Sequence[str]) -> bytes:
    """Return the contents of the scripts' x-height files, one after the other."""
    paths = [Path(script_dir) / f"{script}.xheights" for script in scripts]
    return b"".join(read_bytes(path) for path in paths if path.is_file())
