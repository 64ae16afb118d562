"""A consumer that keeps what it is told and where it stopped in one transaction, and can be killed at any time.

    client.py URL VIEW FILE

Ends with 3 where something was told that may not be: a gap, the same twice, a row gone that was not there.
"""

import json
import sqlite3
import sys
import time
import urllib.error
import urllib.request


def main(url, view, path):
    store = sqlite3.connect(path)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("CREATE TABLE IF NOT EXISTS row (row TEXT PRIMARY KEY, count INTEGER)")
    store.execute("CREATE TABLE IF NOT EXISTS state (token TEXT, upper INTEGER, connections INTEGER, deltas INTEGER)")
    if store.execute("SELECT count(*) FROM state").fetchone()[0] == 0:
        store.execute("INSERT INTO state VALUES (NULL, NULL, 0, 0)")
    store.commit()
    while True:
        try:
            follow(url, view, store)
        except (OSError, urllib.error.URLError, EOFError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code not in (503,):
                fault(f"refused: {error.code} {error.read()!r}")
        time.sleep(0.02)


def follow(url, view, store):
    token, upper = store.execute("SELECT token, upper FROM state").fetchone()
    target = f"{url}/v1/views/{view}/feed" + (f"?after={token}" if token else "")
    with urllib.request.urlopen(target, timeout=60) as stream:
        store.execute("UPDATE state SET connections = connections + 1")
        store.commit()
        waiting, until = [], None
        for event, data in events(stream):
            if event == "snapshot":
                if upper is not None:
                    fault("it begins anew")
                waiting += [(1, row) for row in data["rows"]]
            elif event == "delta":
                if data["lower"] != upper:
                    fault(f"told from {data['lower']} on, stands at {upper}")
                until = data["upper"]
                waiting += [(-1, row) for row in data["gone"]] + [(1, row) for row in data["come"]]
            elif event == "progress":
                if upper is not None and data["upper"] != (until or upper):
                    fault(f"stands at {upper}, was told until {until}, and the mark is {data['upper']}")
                commit(store, waiting, data, until is not None)
                waiting, until, upper = [], None, data["upper"]


def commit(store, waiting, data, is_delta):
    for count, row in waiting:
        row = json.dumps(row)
        held = store.execute("SELECT count FROM row WHERE row = ?", (row,)).fetchone()
        now = (held[0] if held else 0) + count
        if now < 0:
            fault(f"gone, and was not there: {row}")
        if now:
            store.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", (row, now))
        else:
            store.execute("DELETE FROM row WHERE row = ?", (row,))
    store.execute("UPDATE state SET token = ?, upper = ?, deltas = deltas + ?", (data["token"], data["upper"], is_delta))
    store.commit()


def events(stream):
    event, data = None, ""
    for line in stream:
        line = line.decode().rstrip("\n")
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            data += line[6:]
        elif not line and event:
            yield event, json.loads(data)
            event, data = None, ""


def fault(what):
    print(what, file=sys.stderr, flush=True)
    # Without a way back into a loop that tries again.
    import os

    os._exit(3)


main(*sys.argv[1:])
