"""Several unicharsets as one: entries are appended if absent.

Tesseract's treatment of properties is odd, and copied; combine_lang_model sets them anew anyway.
The special entries come out blank. An entry of several sets keeps the first one's properties,
except that bounds are widened and each metric comes from the set where it varies most.
Source: Tesseract src/ccutil/unicharset.cpp, AppendOtherUnicharset.
"""

from collections.abc import Iterable
from dataclasses import replace

from lstmjax.charset.builder import SPECIAL, UnicharIndex
from lstmjax.charset.scripts import single, widened, with_properties_of
from lstmjax.formats.unicharset import UnicharRow, UnicharsetTable


def merge(tables: Iterable[UnicharsetTable]) -> UnicharsetTable:
    """Merge unicharsets in order."""
    result = UnicharsetTable(tuple(UnicharRow(unichar, 0) for unichar in SPECIAL))
    for table in tables:
        result = append(result, table)
    return result


def append(table: UnicharsetTable, other: UnicharsetTable) -> UnicharsetTable:
    """Append the entries of another unicharset that a unicharset does not have."""
    index = UnicharIndex(row.unichar for row in table.rows)
    rows = list(table.rows)
    for row in other.rows:
        found = index.find(row.unichar)
        if found is not None:
            rows[found] = _expanded(rows[found], row)
        elif index.add_from_file(row.unichar):
            # Empty bounds, low above high, which any others widen.
            rows.append(UnicharRow(row.unichar, 0, bounds=(255, 0, 255, 0)))
    merged, _ = with_properties_of(UnicharsetTable(tuple(rows)), other, first=len(table.rows))
    return merged


def _expanded(row: UnicharRow, other: UnicharRow) -> UnicharRow:
    """Widen the bounds of a row, and take the metrics that vary more in the other one."""
    width, width_sd, bearing, bearing_sd, advance, advance_sd = single(row.metrics)
    others = single(other.metrics)
    if others[1] > width_sd:
        width, width_sd = others[:2]
    if others[3] > bearing_sd:
        bearing, bearing_sd = others[2:4]
    if others[5] > advance_sd:
        advance, advance_sd = others[4:]
    metrics = (width, width_sd, bearing, bearing_sd, advance, advance_sd)
    return replace(row, bounds=widened(row.bounds, other.bounds), metrics=metrics)
