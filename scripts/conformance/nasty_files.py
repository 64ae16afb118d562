"""How a partition is delivered: versions, redeliveries, control files, containers, bad rows.

Rows come in as dicts of column -> text, all of them good. What is written around them
is chosen so that the contract has one answer; `edge` adds what it leaves open.
"""

import gzip
import hashlib
import os

import parquet
from fields import FEEDS
from nasty_values import bad_value

SUFFIXES = [".csv", ".csv.gz", ".csv.zst"]
# Feeds whose files wait for a person when they shrink.
HELD = ("listing", "consent")


def zstd_frame(data):
    """A frame of stored blocks: valid zstd without a compressor."""
    out = b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little")
    blocks = [data[at:at + 100_000] for at in range(0, len(data), 100_000)] or [b""]
    for number, block in enumerate(blocks, 1):
        header = len(block) << 3 | (number == len(blocks))
        out += header.to_bytes(3, "little") + block
    return out


def pack(rng, data, suffix):
    """Two gz members or zstd frames in a row are one legal stream."""
    if suffix == ".csv":
        return data
    make = zstd_frame if suffix == ".csv.zst" else lambda part: gzip.compress(part, mtime=0)
    cut = rng.randrange(len(data) + 1) if rng.random() < 0.3 else len(data)
    return make(data[:cut]) + (make(data[cut:]) if cut < len(data) else b"")


def encode(rng, text):
    if rng.random() < 0.45:
        data = text.encode("gb18030")
        try:
            if data.decode("utf-8") == text:
                return data
        except UnicodeDecodeError:
            return data
    data = text.encode("utf-8")
    return b"\xef\xbb\xbf" + data if rng.random() < 0.3 else data


def lay_out(rng, header, records):
    """CSV text: any delimiter, quoting where needed and here and there where not."""
    delimiter, newline = rng.choice(",,|\t"), rng.choice(["\n", "\n", "\r\n"])
    blanks, quote_all = rng.random() < 0.15, rng.random() < 0.08
    lines = []
    for record in [header] + records:
        cells = []
        for cell in record:
            if any(mark in cell for mark in (delimiter, '"', "\n", "\r")) or (
                quote_all or (rng.random() < 0.02 and lines)
            ):
                cell = '"' + cell.replace('"', '""') + '"'
            cells.append(cell)
        lines.append(delimiter.join(cells))
        if blanks and rng.random() < 0.05:
            lines.append("")
    end = rng.choice([newline] * 8 + ["", newline * 2])
    return newline.join(lines) + end


class Deliverer:
    """Writes the files of one directory."""

    def __init__(self, rng, directory, settings, edge, suffixes):
        self.rng, self.directory, self.edge = rng, directory, edge
        self.zone, self.suffixes = settings.zone, suffixes
        self.max_bad = settings.max_bad_rows
        self.required = settings.control == "required"

    def bad_record(self, feed, period, header, record):
        """A record made unreadable, or one whose key is there already."""
        rng, record = self.rng, list(record)
        kind = rng.randrange(10)
        if kind == 0:
            return record + [""]
        if kind == 1 and len(record) > 2:
            return record[:-1]
        if kind == 2:
            return record  # the key twice
        if kind == 3:
            column = rng.choice(FEEDS[feed].mandatory)
            record[header.index(column)] = ""
            # A lone empty cell would be a blank line, which is no row.
            return record if len(record) > 1 else record + [""]
        if kind == 4 and feed == "bill":
            year = int(period[:4])
            record[header.index("month")] = rng.choice([f"{year + 7}{period[4:]}", "2999-01"])
            return record
        columns = [c for c in header if c in FEEDS[feed].columns and bad_value(
            rng, FEEDS[feed].columns[c], c, feed, False)]
        if not columns:
            return record + ["x"]
        column = rng.choice(columns)
        record[header.index(column)] = bad_value(
            rng, FEEDS[feed].columns[column], column, feed, self.edge)
        return record

    def bad_allowed(self, good):
        """The most bad rows that may stand beside `good` good ones."""
        if self.max_bad >= 1:
            return good
        return self.max_bad * good // (1 - self.max_bad)

    def content(self, feed, period, rows, bad):
        """(header, records): the rows with bad ones among them."""
        rng = self.rng
        header = [c for c in FEEDS[feed].columns
                  if c in FEEDS[feed].mandatory or any(row.get(c) for row in rows)
                  or rng.random() < 0.7]
        unknown = rng.random() < 0.15
        if unknown:
            header.append(rng.choice(["remark", "备注", "Customer_ID", "x y"]))
        if rng.random() < 0.3:
            rng.shuffle(header)
        records = [[row.get(c, "x" if c not in FEEDS[feed].columns else "") for c in header]
                   for row in rows]
        if rng.random() < 0.5:
            rng.shuffle(records)
        readable = list(records)
        for _ in range(bad if rows else 0):
            record = self.bad_record(feed, period, header, rng.choice(readable))
            records.insert(rng.randrange(len(records) + 1), record)
        return header, records

    def write(self, name, data, rows, control=None):
        """control: None (as it falls), right, rows, sha256, none."""
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        rng = self.rng
        if control is None:
            if self.required:
                control = "right" if rng.random() < 0.95 else "none"
            else:
                control = "right" if rng.random() < 0.15 else "none"
        if control == "none":
            return
        count = rows + rng.choice([-1, 1]) if control == "rows" else rows
        digest = hashlib.sha256(data + b"x" * (control == "sha256")).hexdigest()
        lines = [f"rows={count}", f"sha256={digest}"]
        if control == "right" and not self.required and rng.random() < 0.3:
            lines.pop(rng.randrange(2))
        if rng.random() < 0.5:
            lines.reverse()
        with open(path + ".ok", "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def file(self, feed, period, part, version, rows, suffix=None, bad=None, control=None):
        rng = self.rng
        suffix = suffix or rng.choice(self.suffixes)
        if bad is None:
            allowed = int(self.bad_allowed(len(rows)))
            bad = rng.choice([0, allowed, rng.randrange(allowed + 1)]) if allowed else 0
            bad = min(bad, 60)
        header, records = self.content(feed, period, rows, bad)
        name = f"{feed}_{period}" + (f"_{part}" if part else "") + version + suffix
        if suffix == ".parquet":
            data = parquet.write(rng, feed, header, records, self.zone, plain=bad > 0)
            self.write(name, data, len(records), control)
            return
        data = encode(rng, lay_out(rng, header, records))
        if self.edge and rng.random() < 0.1:
            # One malformed byte, in the middle of some row.
            at = rng.randrange(len(data) // 2, len(data) + 1)
            data = data[:at] + b"\xff" + data[at:]
        self.write(name, pack(rng, data, suffix), len(records), control)

    def changed(self, feed, rows):
        """Some rows dropped, some with the values of another row. Those of `HELD` feeds keep
        their number: a file that shrinks waits for a person."""
        rng, out = self.rng, []
        for row in rows:
            if feed not in HELD and rng.random() < 0.2:
                continue
            if rng.random() < 0.25:
                other = rng.choice(rows)
                row = {c: (row if c in FEEDS[feed].key else other).get(c, "") for c in row}
            out.append(row)
        return out

    def partition(self, feed, period, part, rows):
        """Delivers the rows by one of the ways that extracts come in."""
        rng = self.rng
        ways = ["plain"] * 6 + ["corrected"] * 3 + [
            "lower_late", "conflict", "again", "wrong_control", "too_bad", "no_column",
            "no_bytes", "cut_gz", "three"]
        if feed not in HELD or self.edge:
            ways += ["header_only"]
        way = rng.choice(ways)
        send = lambda version, rows, *more, **named: self.file(  # noqa: E731
            feed, period, part, version, rows, *more, **named)
        other = self.changed(feed, rows)
        above = int(self.bad_allowed(len(rows))) + 1
        stem = f"{feed}_{period}" + (f"_{part}" if part else "")
        if way == "corrected":
            send("", other)
            send(".v2", rows)
        elif way == "three":
            send(rng.choice(["", ".v1"]), other)
            send(".v3", self.changed(feed, rows))
            send(".v7", rows)
        elif way == "lower_late":
            send(".v10", rows)
            send(".v9" if rng.random() < 0.5 else ".v2", other)
        elif way == "conflict":
            send("", rows, ".csv", bad=0)
            send("", other, ".csv.gz", bad=0)
        elif way == "again":
            send("", rows, ".csv", bad=0)
            send("", rows, rng.choice(self.suffixes[1:]), bad=0)
            if rng.random() < 0.5:
                send(".v1", rows, bad=0)
        elif way == "wrong_control":
            send("", other)
            send(".v2", rows, ".csv", control=rng.choice(["rows", "sha256"]))
            if rng.random() < 0.5:
                send(".v2", rows, ".csv.gz", control="right")
        elif way == "too_bad":
            send("", rows)
            if self.max_bad < 1 and rows:
                send(".v2", rows, bad=above)
        elif way == "no_column":
            send("", rows)
            # "customer_id" is mandatory or another column is: either way none is there.
            data = "remark,day_of_week\n" + "x,y\n" * rng.randrange(3)
            self.write(f"{stem}.v2.csv", data.encode(), data.count("\n") - 1)
        elif way == "no_bytes":
            send("", rows)
            self.write(f"{stem}.v2.csv", b"", 0)
        elif way == "cut_gz":
            send("", rows)
            data = gzip.compress(lay_out(rng, ["customer_id"], [["x"]] * 50).encode(), mtime=0)
            self.write(f"{stem}.v2.csv.gz", data[:-9], 50)
        elif way == "header_only":
            send("", rows)
            send(".v2", [])
            if rng.random() < 0.4:
                send(".v3", other)
        else:
            send(rng.choice(["", "", ".v1", ".v4"]), rows)
