"""From a directory to what stands: versions, replacement, precedence, ledger, quarantine.

Each file is judged by itself first (control file, header, share of bad rows), so that
a broken file is rejected whichever order the versions came in; then by its version.
Quarantine holds the bad rows of live versions only. Of rows with one key, that of the
greatest (period, part) stands.
"""

import datetime as dt
import hashlib
import os
import re

import fields
from fields import FEEDS, Bad
from reading import Refused, parse_name, table


class Extract:
    """One delivered file, decoded: `good` maps key to row (column -> value)."""

    def __init__(self, name, feed, period, part, version):
        self.name, self.feed, self.period, self.part = name, feed, period, part
        self.version = version
        self.sha256 = ""
        self.rows = self.bad_rows = None
        self.good = {}
        self.bad = []  # (line, column, reason)
        self.status = None


def read_row(feed, period, header, values, settings):
    """The row by column name; raises Bad with (column, reason)."""
    if len(values) != len(header):
        raise Bad("", "wrong number of columns")
    row = {}
    for column, read in FEEDS[feed].columns.items():
        value = values[header.index(column)] if column in header else ""
        if value == "":
            if column in FEEDS[feed].mandatory:
                raise Bad(column, "missing")
            row[column] = None
            continue
        try:
            row[column] = read(value, settings.zone)
        except Bad as bad:
            raise Bad(column, str(bad)) from None
    moment = FEEDS[feed].moment
    if moment and row[moment] is not None and fields.moment_of(row[moment]) > settings.wall + dt.timedelta(days=1):
        raise Bad(moment, "in the future")
    if feed == "bill" and row["month"] != fields.month(period, None):
        raise Bad("month", "not the period of the file")
    return row


def check_control(path, extract, settings):
    """The control file beside `path`, where there is one, must agree."""
    try:
        with open(path + ".ok", encoding="utf-8") as lines:
            said = dict(line.strip().split("=", 1) for line in lines if "=" in line)
    except FileNotFoundError:
        if settings.control == "required":
            raise Refused("no control file") from None
        return
    if "rows" in said and not (
        re.fullmatch("[0-9]+", said["rows"]) and int(said["rows"]) == extract.rows
    ):
        raise Refused("row count differs from the control file")
    if "sha256" in said and said["sha256"].lower() != extract.sha256:
        raise Refused("checksum differs from the control file")


def judge(path, extract, container, settings):
    """Fills `extract`; Refused if the file is rejected by itself."""
    with open(path, "rb") as file:
        data = file.read()
    extract.sha256 = hashlib.sha256(data).hexdigest()
    header, rows = table(extract.feed, data, container)
    extract.rows = len(rows)
    for line, values, malformed in rows:
        try:
            if malformed:
                raise Bad("", "malformed byte")
            row = read_row(extract.feed, extract.period, header, values, settings)
            key = tuple(row[column] for column in FEEDS[extract.feed].key)
            if key in extract.good:
                raise Bad(FEEDS[extract.feed].key[0], "key repeated")
            extract.good[key] = row
        except Bad as bad:
            extract.bad.append((line, *bad.args))
    extract.bad_rows = len(extract.bad)
    check_control(path, extract, settings)
    if extract.bad_rows > settings.max_bad_rows * extract.rows:
        raise Refused("too many bad rows")


class Store:
    """What was taken: `live` extract per (feed, period, part), every ledger row, rejections."""

    def __init__(self):
        self.live = {}
        self.ledger = []
        self.rejected = []  # (file, reason)
        self.ignored = []

    def record(self, extract, status):
        """A ledger row; the same attempt again changes its row only by being accepted."""
        extract.status = status
        for known in self.ledger:
            if (known.feed, known.period, known.part, known.version, known.sha256) == (
                extract.feed, extract.period, extract.part, extract.version, extract.sha256
            ):
                if status != "accepted":
                    return
                self.ledger.remove(known)
                break
        self.ledger.append(extract)

    def take(self, path, name, settings):
        try:
            parsed = parse_name(name)
        except Refused as why:
            self.rejected.append((name, str(why)))
            return
        if parsed is None:
            self.ignored.append(name)
            return
        feed, period, part, version, container = parsed
        extract = Extract(name, feed, period, part, version)
        partition = (feed, period, part)
        live = self.live.get(partition)
        try:
            judge(path, extract, container, settings)
            if live and version == live.version:
                if extract.good == live.good:
                    return
                if settings.same_version != "replace":
                    raise Refused("other content under the same version: raise the version")
        except Refused as why:
            self.rejected.append((name, str(why)))
            self.record(extract, "rejected")
            return
        if live and version < live.version:
            before = [e for e in self.ledger if (e.feed, e.period, e.part) == partition
                      and e.version == version and e.status == "superseded"]
            if not any(e.good == extract.good for e in before):
                self.record(extract, "superseded")
            return
        # A list, or a file of consents, that loses more than a fifth of its rows waits for a person.
        if live and feed in ("listing", "consent") and len(extract.good) * 5 < len(live.good) * 4:
            self.record(extract, "held")
            return
        if live:
            live.status = "superseded"
        self.record(extract, "accepted")
        self.live[partition] = extract

    def standing(self, feed):
        """{key: row} over the live partitions of a feed."""
        rows = {}
        partitions = [p for p in self.live if p[0] == feed]
        for partition in sorted(partitions, key=lambda p: (p[1].encode(), p[2].encode())):
            rows.update(self.live[partition].good)
        return rows


def read_directory(directory, settings):
    store = Store()
    for name in sorted(os.listdir(directory), key=os.fsencode):
        path = os.path.join(directory, name)
        if name.startswith(".") or name.endswith((".tmp", ".part", ".ok")):
            continue
        if os.path.isfile(path):
            store.take(path, name, settings)
    return store
