"""Parquet in and out, where pyarrow is installed (everything else needs the standard
library alone).

Read: every cell becomes the text that a CSV extract would hold; a timestamp without a
zone is local time. A Parquet row's line is its number, from 1: there is no header line.
Written: all columns as text, or each in its own type. Money is never a float.
"""

import datetime as dt
import io
from decimal import Decimal

try:
    import pyarrow
    import pyarrow.parquet as files
except ImportError:
    pyarrow = None

import fields
from fields import FEEDS


def cell_text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.isoformat() if value.tzinfo else value.isoformat(" ")
    return str(value)


def read(data):
    """(column names, rows of text); ValueError if it is no Parquet."""
    if pyarrow is None:
        raise SystemExit("error: reading Parquet needs pyarrow")
    table = files.read_table(io.BytesIO(data))
    columns = [[cell_text(value) for value in column.to_pylist()] for column in table.columns]
    return table.column_names, [list(row) for row in zip(*columns)]


def typed(rng, reader, zone, cells):
    """The column in the type that its values have."""
    values = [reader(cell, zone) if cell else None for cell in cells]
    if reader is fields.money:
        return pyarrow.array([None if v is None else Decimal(int(v * 100)).scaleb(-2)
                              for v in values], pyarrow.decimal128(rng.choice([15, 18, 38]), 2))
    if reader is fields.count:
        return pyarrow.array(values, pyarrow.int64())
    if reader is fields.percent:
        return pyarrow.array(values, rng.choice([pyarrow.int32(), pyarrow.int64()]))
    if reader is fields.day:
        return pyarrow.array(values, pyarrow.date32())
    if reader is fields.flag:
        return pyarrow.array([None if v is None else v == "true" for v in values])
    if reader is fields.time:
        unit = rng.choice(["ms", "us"])
        if rng.random() < 0.5:
            return pyarrow.array(values, pyarrow.timestamp(unit))
        return pyarrow.array([None if v is None else v.replace(tzinfo=zone) for v in values],
                             pyarrow.timestamp(unit, "UTC"))
    return texts(rng, cells)


def texts(rng, cells):
    """A text column; null is an absent value or an empty one."""
    empty = rng.choice([None, None, ""])
    kind = rng.choice([pyarrow.string(), pyarrow.string(), pyarrow.large_string()])
    return pyarrow.array([cell or empty for cell in cells], kind)


def write(rng, feed, header, records, zone, plain):
    """The bytes of a file; short records are filled up, long ones cut."""
    width = len(header)
    records = [(record + [""] * width)[:width] for record in records]
    readers = FEEDS[feed].columns
    plain = plain or rng.random() < 0.4
    columns = []
    for place, name in enumerate(header):
        cells = [record[place] for record in records]
        reader = fields.text if plain else readers.get(name, fields.text)
        columns.append(typed(rng, reader, zone, cells))
    out = io.BytesIO()
    files.write_table(
        pyarrow.table(columns, names=header), out,
        compression=rng.choice(["none", "snappy", "gzip", "zstd"]),
        row_group_size=rng.choice([7, 100, 10_000]), use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(["1.0", "2.0"]))
    return out.getvalue()
