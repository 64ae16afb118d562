#!/usr/bin/env python3
"""A second implementation of the contract: slow, from the whole input, in exact arithmetic.

It shares no code with the engine and was written from the contract alone, so that where
the two agree a misreading has to be a common one. Prints how many files were rejected.
"""

import argparse
import sys

from attributes import World
from expression import RuleError
from partitions import read_directory
from programme import Programme
from views import views, write


def main():
    arguments = argparse.ArgumentParser(description="recompute every view from a directory")
    arguments.add_argument("--programme", required=True)
    arguments.add_argument("--input", required=True)
    arguments.add_argument("--output", required=True)
    arguments.add_argument("--wall", help="local wall time, YYYY-MM-DD HH:MM:SS (default: now)")
    given = arguments.parse_args()
    try:
        programme = Programme(given.programme, given.wall)
    except RuleError as error:
        sys.exit(f"error: programme {given.programme}: {error}")
    store = read_directory(given.input, programme.settings)
    world = World(store, programme)
    write(views(programme, world, store), given.output)
    for name, why in store.rejected:
        print(f"rejected {name}: {why}", file=sys.stderr)
    print(len(store.rejected))


if __name__ == "__main__":
    main()
