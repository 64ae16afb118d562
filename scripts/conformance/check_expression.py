#!/usr/bin/env python3
"""Holds the rule evaluator of recompute.py against SQLite over random rules.

SQLite shares the three-valued logic, precedence and LIKE; its arithmetic is not exact,
so the values here are exact in binary and the only division is by zero.
"""

import random
import re
import sqlite3
import sys
from fractions import Fraction

from expression import Rule
from nasty_rules import AS_OF, NOW_TEXTS, RANKS, TEXTS, Rules
from nasty_values import CAPS, LISTS, PRODUCTS, PURPOSES

FLAGS = [f"{family}.{name}" for family, names in (
    ("holds", PRODUCTS), ("terminal", CAPS), ("on_list", LISTS),
    ("consent", PURPOSES)) for name in names] + [
    "member", "tag.commuter"]
DOTTED = re.compile(r"'(?:[^']|'')*'|\b(?:holds|terminal|on_list|usage|usage_year|participations|tag|consent|trial|health|response)"
                    r"\.\w+")


class ExactRules(Rules):
    def number(self, depth):
        rng = self.rng
        if depth == 0 or rng.random() < 0.6:
            name = rng.choice(list(AS_OF))
            return name, AS_OF[name]
        left, bounds = self.number(depth - 1)
        right = self.number(depth - 1)[0]
        return rng.choice([f"{left} + {right}", f"{left} - {right}", f"{left} * 2",
                           f"({left}) * ({right})", f"-({left})", f"{left} / 0"]), bounds


def values(rng):
    numbers = [None, 0, 1, -30, 20, 80, 150, 10, 50, 16, 60, Fraction(1, 2), Fraction(41, 2)]
    row = {name: rng.choice(numbers) for name in AS_OF}
    row.update({name: rng.choice([None] + TEXTS[name]) for name in TEXTS})
    row.update({name: rng.random() < 0.4 for name in FLAGS})
    row.update({name: rng.choice([None] + texts) for name, texts in NOW_TEXTS.items()})
    row["rank"] = rng.choice([None] + RANKS)
    row["tier"] = rng.choice([None, "A", "B"])
    return row


def main():
    database = sqlite3.connect(":memory:")
    database.execute("pragma case_sensitive_like = 1")
    database.create_function("at_least", -1, lambda k, *given: sum(c == 1 for c in given) >= k)
    differing, rules = 0, int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for seed in range(rules):
        rng = random.Random(seed)
        text, row = ExactRules(rng, True, ["A", "B"]).rule(), values(rng)
        ours = Rule(text).value(row.get)
        sql = DOTTED.sub(lambda m: m[0] if m[0][0] == "'" else f'"{m[0]}"', text)
        columns = ", ".join(f'? as "{name}"' for name in row)
        cells = [float(v) if isinstance(v, Fraction) else v for v in row.values()]
        theirs = database.execute(f"select ({sql}) from (select {columns})", cells).fetchone()[0]
        if ours != (None if theirs is None else bool(theirs)):
            differing += 1
            print(f"seed {seed}: {text}: {ours} here, {theirs} there")
    print(f"{rules} rules, {differing} differ")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
