"""The rule language: SQL boolean expressions over attributes, three-valued.

`compile_rule(text)` gives a `Rule`; `rule.value(lookup)` is True, False or None, where
`lookup(name)` gives an attribute as Fraction, str, bool or None. Arithmetic is exact;
division by zero is null. A rule holds only where its value is True.
"""

import re
from fractions import Fraction

NUMERIC = set(
    "age tenure_months days_to_birthday avg_fee avg_roaming_fee avg_sms_fee avg_vas_fee "
    "avg_data_kb last_fee change_fee change_roaming_fee change_sms_fee change_vas_fee "
    "change_data points vas_share".split()
)
TEXT = set(
    "gender city district brand group_type occupation status employer income_band tier "
    "rank member_stage".split()
)
FAMILIES = {
    "usage": "number", "participations": "number", "score": "number", "holds": "bool",
    "tag": "bool", "on_list": "bool", "terminal": "bool", "consent": "bool",
    "trial": "text", "health": "text", "response": "text", "usage_year": "number", "drive": "bool",
}
TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'(?:[^']|'')*')|(?P<sign><>|!=|<=|>=|[-+*/=<>(),.]))"
)
KEYWORDS = set("and or not between in is null like true false at_least".split())
COMPARE = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}


class RuleError(Exception):
    pass


def tokens(text):
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise RuleError(f"at {at}: unexpected {text[at:at + 10]!r}")
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind == "word" and value.lower() in KEYWORDS:
            kind, value = "keyword", value.lower()
        found.append((kind, value))
        at = match.end()
    return found + [("end", "")]


def both(a, b):
    """AND of three-valued values."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a, b):
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def negate(a):
    return None if a is None else not a


def strict(function):
    """Null if either side is null."""
    return lambda a, b: None if a is None or b is None else function(a, b)


def like(value, pattern):
    parts = {"%": ".*", "_": "."}
    shape = "".join(parts.get(char) or re.escape(char) for char in pattern)
    return re.fullmatch(shape, value, re.DOTALL) is not None


ARITHMETIC = {
    "+": strict(lambda a, b: a + b), "-": strict(lambda a, b: a - b),
    "*": strict(lambda a, b: a * b), "/": strict(lambda a, b: a / b if b else None),
}


class Parser:
    """Recursive descent; every node is (type, function of lookup)."""

    def __init__(self, text):
        self.tokens, self.at, self.names = tokens(text), 0, set()

    def next_is(self, *values):
        kind, value = self.tokens[self.at]
        return kind in ("keyword", "sign") and value in values

    def accept(self, *values):
        if self.next_is(*values):
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def expect(self, value):
        if not self.accept(value):
            raise RuleError(f"expected {value}, found {self.tokens[self.at][1]!r}")

    def whole(self):
        kind, value = self.disjunction()
        if self.tokens[self.at][0] != "end":
            raise RuleError(f"unexpected {self.tokens[self.at][1]!r}")
        need((kind, value), "bool")
        return value

    def disjunction(self):
        node = self.conjunction()
        while self.accept("or"):
            node = combine(either, "bool", node, self.conjunction())
        return node

    def conjunction(self):
        node = self.negation()
        while self.accept("and"):
            node = combine(both, "bool", node, self.negation())
        return node

    def negation(self):
        if self.accept("not"):
            value = need(self.negation(), "bool")
            return "bool", lambda env: negate(value(env))
        return self.predicate()

    def predicate(self):
        node = self.sum()
        while True:
            sign = self.accept("=", "<>", "!=", "<", "<=", ">", ">=")
            if sign:
                sign = "<>" if sign == "!=" else sign
                node = compare(strict(COMPARE[sign]), node, self.sum())
                continue
            if self.accept("is"):
                absent = not self.accept("not")
                self.expect("null")
                node = is_null(node[1], absent)
                continue
            turned = bool(self.accept("not"))
            if self.accept("between"):
                low = self.sum()
                self.expect("and")
                high = self.sum()
                node = combine(both, "bool", compare(strict(COMPARE[">="]), node, low),
                               compare(strict(COMPARE["<="]), node, high))
            elif self.accept("in"):
                self.expect("(")
                subject = node
                node = compare(strict(COMPARE["="]), subject, self.sum())
                while self.accept(","):
                    node = combine(either, "bool", node,
                                   compare(strict(COMPARE["="]), subject, self.sum()))
                self.expect(")")
            elif self.accept("like"):
                node = combine(strict(like), "text", node, self.sum(), "bool")
            elif turned:
                raise RuleError("expected between, in or like after not")
            else:
                return node
            if turned:
                node = "bool", (lambda value: lambda env: negate(value(env)))(node[1])

    def sum(self):
        node = self.product()
        while sign := self.accept("+", "-"):
            node = combine(ARITHMETIC[sign], "number", node, self.product(), "number")
        return node

    def product(self):
        node = self.factor()
        while sign := self.accept("*", "/"):
            node = combine(ARITHMETIC[sign], "number", node, self.factor(), "number")
        return node

    def factor(self):
        if self.accept("-"):
            value = need(self.factor(), "number")
            return "number", lambda env: None if value(env) is None else -value(env)
        if self.accept("+"):
            return "number", need(self.factor(), "number")
        return self.primary()

    def primary(self):
        if self.accept("("):
            node = self.disjunction()
            self.expect(")")
            return node
        if self.accept("null"):
            return "null", lambda env: None
        if word := self.accept("true", "false"):
            return "bool", lambda env: word == "true"
        if self.accept("at_least"):
            return self.at_least()
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return "number", lambda env: Fraction(value)
        if kind == "string":
            return "text", lambda env: value[1:-1].replace("''", "'")
        if kind == "word":
            return self.attribute(value)
        raise RuleError(f"unexpected {value!r}")

    def at_least(self):
        self.expect("(")
        kind, number = self.tokens[self.at]
        if kind != "number" or "." in number:
            raise RuleError("at_least needs a whole number first")
        self.at += 1
        conditions = []
        while self.accept(","):
            conditions.append(need(self.disjunction(), "bool"))
        self.expect(")")
        return "bool", lambda env: sum(c(env) is True for c in conditions) >= int(number)

    def attribute(self, name):
        if self.accept("."):
            kind = FAMILIES.get(name)
            if self.tokens[self.at][0] not in ("word", "keyword"):
                raise RuleError(f"expected a name after {name}.")
            name = f"{name}.{self.tokens[self.at][1]}"
            self.at += 1
        elif name == "member":
            kind = "bool"
        else:
            kind = "number" if name in NUMERIC else "text" if name in TEXT else None
        if kind is None:
            raise RuleError(f"no attribute {name}")
        self.names.add(name)
        return kind, lambda env: env(name)


def need(node, kind):
    if node[0] not in (kind, "null"):
        raise RuleError(f"expected {kind}, found {node[0]}")
    return node[1]


def combine(function, kind, left, right, result="bool"):
    a, b = need(left, kind), need(right, kind)
    return result, lambda env: function(a(env), b(env))


def compare(function, left, right):
    if left[0] != right[0] and "null" not in (left[0], right[0]):
        raise RuleError(f"{left[0]} against {right[0]}")
    a, b = left[1], right[1]
    return "bool", lambda env: function(a(env), b(env))


def is_null(value, absent):
    return "bool", lambda env: (value(env) is None) == absent


class Rule:
    def __init__(self, text):
        parser = Parser(text)
        self.text = text
        self.value = parser.whole()
        self.names = parser.names

    def holds(self, lookup):
        return self.value(lookup) is True
