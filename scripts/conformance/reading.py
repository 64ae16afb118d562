"""From a file's bytes to its rows: container, encoding, delimiter, records.

Strict UTF-8 is tried first (a byte order mark decides for it), then GB18030; text is
decoded before it is split, because many GBK characters end in the byte of `|`.
A record's line is its first physical line; the header is line 1; blank lines are
skipped but counted. In a file that is valid in neither encoding, records that hold
a malformed byte are marked.
"""

import gzip
import re
import shutil
import subprocess
import zlib

import parquet
from fields import FEEDS, INTERNAL

DELIMITERS = ",|\t"
NAME = re.compile(r"([0-9A-Za-z-]+)(?:_([0-9A-Za-z]+))?(?:\.v([0-9]+))?\.(csv|csv\.gz|csv\.zst|parquet)")
MALFORMED = "\ue0ff"  # stands in for a byte that could not be decoded; private use


class Refused(Exception):
    """The file is rejected whole; the text says why."""


def parse_name(name):
    """(feed, period, part, version, container); None if the name is no carried feed's;
    Refused if the feed is carried and the rest is malformed."""
    if name.startswith(tuple(feed + "_" for feed in INTERNAL)):
        raise Refused("no file brings that feed")
    for feed in FEEDS:
        if name.startswith(feed + "_"):
            match = NAME.fullmatch(name[len(feed) + 1:])
            if not match:
                raise Refused("malformed name")
            period, part, version, container = match.groups()
            if feed == "bill" and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", period):
                raise Refused("malformed period")
            return feed, period, part or "", int(version or 1), container
    return None


def raw_zstd_frames(data):
    """Frames that hold stored (raw or run-length) blocks only, as nasty.py writes them."""
    out, at = bytearray(), 0
    while at < len(data):
        if data[at:at + 4] != b"\x28\xb5\x2f\xfd" or data[at + 4] != 0xA0:
            raise Refused("zstd frame needs the zstd tool")
        at += 9
        last = False
        while not last:
            header = int.from_bytes(data[at:at + 3], "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            at += 3
            if kind == 0:
                out += data[at:at + size]
                at += size
            elif kind == 1:
                out += data[at:at + 1] * size
                at += 1
            else:
                raise Refused("zstd frame needs the zstd tool")
    return bytes(out)


def unpack(data, container):
    try:
        if container == "csv.gz":
            return gzip.decompress(data)
        if container == "csv.zst":
            try:
                return raw_zstd_frames(data)
            except (Refused, IndexError):
                if not shutil.which("zstd"):
                    raise
                done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True)
                if done.returncode:
                    raise Refused("not zstd") from None
                return done.stdout
    except (OSError, EOFError, zlib.error, IndexError) as error:
        raise Refused(f"can't unpack: {error}") from None
    return data


def decode(data):
    """The text, and whether malformed bytes were marked in it."""
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        pass
    encoding = "utf-8" if data.startswith(b"\xef\xbb\xbf") else "gb18030"
    try:
        return data.decode(encoding).removeprefix("\ufeff"), False
    except UnicodeDecodeError:
        return data.decode(encoding, "replace").removeprefix("\ufeff").replace(
            "\ufffd", MALFORMED), True


def records(text, delimiter):
    """[(first physical line, fields)], RFC 4180 quoting, any of LF, CRLF, CR."""
    found, line, at, end = [], 1, 0, len(text)
    fields, field, started, first = [], [], False, 1

    def close():
        nonlocal fields, field, started
        if started or fields:
            fields.append("".join(field))
            found.append((first, fields))
        fields, field, started = [], [], False

    while at < end:
        char = text[at]
        if char in "\r\n":
            close()
            at += 2 if text[at:at + 2] == "\r\n" else 1
            line += 1
            continue
        if not started and not fields:
            first = line
        if char == '"' and not field and not (started and quoted):
            started = quoted = True
            at += 1
            while at < end:
                if text[at] == '"':
                    if text[at:at + 2] != '""':
                        at += 1
                        break
                    at += 1
                elif text[at] == "\n" or (text[at] == "\r" and text[at:at + 2] != "\r\n"):
                    line += 1
                field.append(text[at])
                at += 1
            continue
        if char == delimiter:
            fields.append("".join(field))
            field, started, quoted = [], True, False
        else:
            if not started:
                quoted = False
            started = True
            field.append(char)
        at += 1
    close()
    return found


def check_header(feed, header):
    if len(set(header)) < len(header):
        raise Refused("a column twice")
    for name in FEEDS[feed].mandatory:
        if name not in header:
            raise Refused(f"no column {name}")


def table(feed, data, container):
    """(column names, [(line, fields, has a malformed byte)])."""
    if container == "parquet":
        try:
            header, rows = parquet.read(data)
        except (ValueError, OSError):
            raise Refused("not Parquet") from None
        check_header(feed, header)
        return header, [(line, row, False) for line, row in enumerate(rows, 1)]
    text, marked = decode(unpack(data, container))
    known = FEEDS[feed].columns

    def names_known(delimiter):
        head = records(text, delimiter)[:1] if len(text) < 10_000 else records(
            text[:10_000], delimiter)[:1]
        return sum(name in known for name in head[0][1]) if head else 0

    delimiter = max(DELIMITERS, key=names_known)
    rows = records(text, delimiter)
    if not rows:
        raise Refused("no header")
    header = rows[0][1]
    check_header(feed, header)
    return header, [
        (line, fields, marked and any(MALFORMED in field for field in fields))
        for line, fields in rows[1:]
    ]
