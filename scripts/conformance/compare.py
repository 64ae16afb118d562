#!/usr/bin/env python3
"""Compares two output directories view by view, to the row, as multisets.

Numeric cells are equal by value. The ledger is compared without its clock and epoch,
quarantine by file and line only; a cell of either ledger's `rows` or `bad_rows` that is
empty says that the file was refused before its rows were counted, and matches anything.
The actual file must be sorted by its key. Exit code 1 on any difference.
"""

import argparse
import csv
import os
import sys
from collections import Counter
from fractions import Fraction

from views import COLUMNS, KEYS

TEXT = set("customer_id city tier segment from_tier to_tier month since as_of file feed "
           "period part status sha256 rank rule entry_id at campaign_id channel_id arm "
           "referrer referred kind result product_id step due state reason opened_on "
           "dimension value day".split())
LIMITED = {
    "quarantine": "file line",
    "ingest_ledger": "feed period part version status rows bad_rows sha256",
}


def normal(column, cell):
    """A number as an exact fraction, everything else as it stands."""
    if column == "file":
        return os.path.basename(cell)
    if column in TEXT or cell == "":
        return cell
    try:
        return Fraction(cell)
    except ValueError:
        return cell


def read(path, view):
    """(columns, rows as normal cells, notes on what is wrong with the file itself)."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    if not lines:
        return [], [], ["no header"]
    header, notes = lines[0], []
    wanted = LIMITED.get(view, COLUMNS.get(view, " ".join(header))).split()
    if view in COLUMNS and header != COLUMNS[view].split():
        notes.append(f"columns are {','.join(header)}, expected {COLUMNS[view]}")
    missing = [column for column in wanted if column not in header]
    if missing:
        return header, [], notes + [f"no column {', '.join(missing)}"]
    bad = [number for number, line in enumerate(lines, 1) if len(line) != len(header)]
    if bad:
        return header, [], notes + [f"record {bad[0]} has a wrong number of cells"]
    places = [header.index(column) for column in wanted]
    rows = [tuple(normal(c, line[p]) for c, p in zip(wanted, places)) for line in lines[1:]]
    order = [
        [(1, cell) if isinstance(cell := normal(c, line[header.index(c)]), Fraction)
         else (bool(cell), cell.encode()) for c in header[:KEYS.get(view, 0)]]
        for line in lines[1:]]
    for number, (before, after) in enumerate(zip(order, order[1:]), 3):
        try:
            sorted_here = before <= after
        except TypeError:
            sorted_here = True
        if not sorted_here:
            notes.append(f"record {number} is out of order")
            break
    return wanted, rows, notes


def forgive_unread(expected, actual):
    """Ledger rows whose counts are empty take those of their counterpart."""
    def without_counts(row):
        return row[:5] + row[7:]
    counts = {without_counts(row): row[5:7] for row in actual}
    return [
        row if row[5] != "" else row[:5] + counts.get(without_counts(row), row[5:7]) + row[7:]
        for row in expected]


def show(columns, row):
    cells = [str(float(c)) if isinstance(c, Fraction) and c.denominator > 1 else str(c)
             for c in row]
    return " ".join(f"{column}={cell}" for column, cell in zip(columns, cells))


def compare(view, expected_path, actual_path, first, drop):
    """The lines that describe the differences of one view."""
    if not os.path.exists(actual_path):
        return ["missing"]
    columns, expected, notes = read(expected_path, view)
    if view not in COLUMNS:
        notes = []
    _, actual, actual_notes = read(actual_path, view)
    out = [f"expected: {note}" for note in notes] + [f"actual: {note}" for note in actual_notes]
    if view == "ingest_ledger":
        expected, actual = forgive_unread(expected, actual), forgive_unread(actual, expected)
    expected, actual = ([row for row in rows if row and row[0] not in drop]
                        for rows in (expected, actual))
    wanted, found = Counter(expected), Counter(actual)
    lost, extra = list((wanted - found).elements()), list((found - wanted).elements())
    if lost or extra:
        out.append(f"{len(expected)} rows expected, {len(actual)} found; "
                   f"{len(lost)} not found, {len(extra)} not expected")
    width = KEYS.get(view, 1)
    partner = {row[:width]: row for row in extra}
    shown = 0
    for row in lost:
        if shown == first:
            break
        shown += 1
        other = partner.pop(row[:width], None)
        if other is not None:
            differing = [i for i in range(len(row)) if row[i] != other[i]]
            cells = "; ".join(
                f"{columns[i]} expected {show(['e'], [row[i]])[2:] or 'null'}, "
                f"found {show(['a'], [other[i]])[2:] or 'null'}" for i in differing)
            out.append(f"  {show(columns[:width], row[:width])}: {cells}")
        else:
            out.append(f"  - {show(columns, row)}")
    for row in [row for row in extra if row[:width] in partner][:first]:
        out.append(f"  + {show(columns, row)}")
    return out


def main():
    arguments = argparse.ArgumentParser(description="compare two directories of views")
    arguments.add_argument("expected")
    arguments.add_argument("actual")
    arguments.add_argument("--views", help="only these, by comma (default: all of EXPECTED)")
    arguments.add_argument("--drop", default="",
                           help="leave out rows whose first cell is one of these (segments)")
    arguments.add_argument("--first", type=int, default=5, help="differences shown of each view")
    given = arguments.parse_args()
    names = given.views.split(",") if given.views else sorted(
        name[:-4] for name in os.listdir(given.expected) if name.endswith(".csv"))
    differing = 0
    for view in names:
        lines = compare(view, os.path.join(given.expected, view + ".csv"),
                        os.path.join(given.actual, view + ".csv"), given.first,
                        set(given.drop.split(",")) - {""})
        if lines:
            differing += 1
            print(f"{view}: {lines[0]}")
            print("".join(f"  {line}\n" for line in lines[1:]), end="")
    print(f"{len(names) - differing} of {len(names)} views agree")
    sys.exit(1 if differing or not names else 0)


if __name__ == "__main__":
    main()
