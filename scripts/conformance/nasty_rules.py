"""Random programmes that use the whole expression language over the attributes that
the feeds give. Every rule is well typed; numbers have at most two places."""

import datetime as dt
import json

from nasty_values import (
    CAMPAIGNS, CAPS, CHANNELS, LISTS, MEASURES, MODELS, PLAIN, PRODUCTS, PURPOSES, WORDS)

FEE = ["0", "0.01", "20", "80", "99.99", "150", "500", "-10", "-0.5"]
CHANGE = ["-100", "-50", "-30", "-0.01", "0", "10", "30", "33.33", "50", "9999.99", "10000"]
AS_OF = {
    "avg_fee": FEE, "avg_roaming_fee": FEE, "avg_sms_fee": FEE, "avg_vas_fee": FEE,
    "last_fee": FEE, "avg_data_kb": ["0", "1000", "5000.5", "20000", "3333.33"],
    "change_fee": CHANGE, "change_roaming_fee": CHANGE, "change_sms_fee": CHANGE,
    "change_vas_fee": CHANGE, "change_data": CHANGE,
    "age": ["0", "16", "17", "26", "60"], "tenure_months": ["-1", "0", "1", "12", "36"],
    "days_to_birthday": ["0", "1", "7", "30", "364", "365"],
    "vas_share": ["-100", "-0.01", "0", "10", "14.28", "14.29", "33.33", "100"],
}
NOW = {"points": ["-30", "0", "1", "7", "20", "21"]}
for model in MODELS:
    NOW["score." + model] = ["-20.5", "-0.01", "0", "20.5", "50"]
for kind in WORDS[:2]:
    AS_OF["participations." + kind] = ["0", "1", "2", "5"]
for measure in MEASURES[:5]:
    AS_OF["usage_year." + measure] = ["0", "1", "5", "40", "80"]
    AS_OF["usage." + measure] = ["0", "0.33", "1", "5", "20.5", "30"]
TEXTS = {
    "gender": ["f", "m"], "city": PLAIN + WORDS, "district": PLAIN + WORDS,
    "brand": ["M-Zone", "Easyown", "GoTone"], "group_type": ["student_vnet", "enterprise"],
    "occupation": ["farmer", "driver", "student"], "status": ["active", "suspended", "closed"],
    "employer": PLAIN, "income_band": ["low", "high"],
}
NOW_TEXTS = {"member_stage": ["new", "active", "silent", "lapsed"]}
for product in PRODUCTS[:3]:
    NOW_TEXTS["trial." + product] = ["none", "unused", "used", "converted", "ended"]
    NOW_TEXTS["health." + product] = ["active", "idle", "bundled_idle"]
for category in ("entertainment", "information", "commerce"):
    NOW_TEXTS["response." + category] = ["never_contacted", "no_response", "responded", "declined", "ordered",
                                         "complained", "opted_out"]
PATTERNS = ["%", "_%", "S%", "%an", "%a%n%", "__", "沈_", "億%", "%|%", "100%", "x_y", "x.y",
            "%\\%", "(a+b)*", "% ", "", "%\n%", "s%", "act_ve", "%'%", "[a-z]%", "M-%"]


RANKS = ["列兵", "captain", "general"]


class Rules:
    """`now` says whether attributes as of now, and the tier, may be used."""

    def __init__(self, rng, now, tiers=(), edge=False, drives=()):
        self.rng, self.now, self.tiers, self.edge = rng, now, list(tiers), edge
        self.drives = list(drives)

    def word(self, keyword):
        return keyword.upper() if self.rng.random() < 0.1 else keyword

    def number(self, depth):
        """(expression, bounds worth comparing with)."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.6:
            if self.now and rng.random() < 0.15:
                name = rng.choice(list(NOW))
                return name, NOW[name]
            name = rng.choice(list(AS_OF))
            return name, AS_OF[name]
        left, bounds = self.number(depth - 1)
        kind = rng.randrange(8)
        right = self.number(depth - 1)[0]
        if kind == 0:
            return f"{left} * {rng.choice(['2', '0.5', '-1', '0', '100'])}", bounds
        if kind == 1:
            return f"({left}) / ({right})", ["0", "1", "-0.5", "0.33", "10"]
        if kind == 2:
            return f"{left} / ({right} - {rng.choice(['0', '17', '80'])})", ["0", "1", "2"]
        if kind == 3:
            return f"({left}) * ({right})", ["0", "100", "10000", "-1"]
        if kind == 4:
            return f"-({left})", bounds + ["-80"]
        if kind == 5:
            return f"({left}) * ({right}) / 3 * ({left})", ["0", "1000"]
        return f"{left} {rng.choice('+-')} {right}", bounds

    def text(self):
        names = list(TEXTS) + (["tier"] * 3 if self.tiers else []) + ["rank"] * 2 * self.now
        if self.now and self.rng.random() < 0.2:
            return self.rng.choice(list(NOW_TEXTS.items()))
        name = self.rng.choice(names)
        return name, RANKS if name == "rank" else TEXTS.get(name, self.tiers)

    @staticmethod
    def quoted(value):
        return "'" + value.replace("'", "''") + "'"

    def flag(self):
        rng = self.rng
        if self.drives and rng.random() < 0.2:
            return f"drive.{rng.choice(self.drives)}"
        if rng.random() < 0.1:
            return rng.choice(["member", "member", "tag.commuter"])
        return rng.choice([
            f"consent.{rng.choice(PURPOSES)}",
            f"holds.{rng.choice(PRODUCTS)}", f"terminal.{rng.choice(CAPS)}",
            f"on_list.{rng.choice(LISTS)}"])

    def atom(self):
        rng = self.rng
        kind = rng.randrange(14)
        if kind <= 4:
            value, bounds = self.number(2)
            sign = rng.choice(["=", "<>", "<", "<=", ">", ">=", ">", ">=", "<"])
            if rng.random() < 0.2:
                return f"{rng.choice(bounds)} {sign} {value}"
            other = rng.choice(bounds) if rng.random() < 0.75 else self.number(1)[0]
            return f"{value} {sign} {other}"
        if kind == 5:
            value, bounds = self.number(1)
            low, high = rng.sample(bounds, 2) if rng.random() < 0.3 else sorted(
                rng.sample(bounds, 2), key=float)
            return (f"{value} {self.word(rng.choice(['between', 'not between']))} "
                    f"{low} {self.word('and')} {high}")
        if kind == 6:
            value, bounds = self.number(0)
            chosen = rng.sample(bounds, min(3, len(bounds)))
            if rng.random() < 0.3:
                chosen.append("null")
            return f"{value} {rng.choice(['in', 'not in'])} ({', '.join(chosen)})"
        if kind == 7:
            name, values = self.text()
            chosen = [self.quoted(v) for v in rng.sample(values, min(len(values), 4))]
            if rng.random() < 0.3:
                chosen.insert(0, "null")
            return f"{name} {self.word(rng.choice(['in', 'in', 'not in']))} ({', '.join(chosen)})"
        if kind == 8:
            name, values = self.text()
            sign = rng.choice(["=", "=", "<>", "<", ">="])
            other = "district" if name == "city" and rng.random() < 0.3 else self.quoted(
                rng.choice(values))
            return f"{name} {sign} {other}"
        if kind == 9:
            name = self.text()[0]
            return (f"{name} {self.word(rng.choice(['like', 'like', 'not like']))} "
                    f"{self.quoted(rng.choice(PATTERNS))}")
        if kind == 10:
            subject = rng.choice([self.text()[0], f"({self.number(2)[0]})", self.number(0)[0]])
            return f"{subject} {self.word(rng.choice(['is null', 'is not null']))}"
        if kind == 11 and self.edge:
            return rng.choice([
                f"({self.atom()}) is null", f"{self.flag()} = true" if self.now else "1 = 1",
                "true", "null", f"({self.atom()}) = ({self.atom()})"])
        if self.now:
            return self.flag()
        return f"{self.number(0)[0]} is not null"

    def rule(self, depth=3):
        rng = self.rng
        if depth == 0 or rng.random() < 0.25:
            return self.atom()
        kind = rng.randrange(7)
        if kind <= 1:
            return f"{self.rule(depth - 1)} {self.word('and')} {self.rule(depth - 1)}"
        if kind == 2:
            return f"{self.rule(depth - 1)} {self.word('or')} {self.rule(depth - 1)}"
        if kind == 3:
            return f"({self.rule(depth - 1)} or {self.rule(depth - 1)})"
        if kind == 4:
            return f"{self.word('not')} ({self.rule(depth - 1)})"
        if kind == 5:
            return f"not {self.atom()} and {self.rule(depth - 1)}"
        conditions = [self.rule(depth - 1) for _ in range(rng.randrange(1, 5))]
        least = rng.randrange(0, len(conditions) + 2) if self.edge else rng.randrange(
            1, len(conditions) + 1)
        return f"at_least({least}, {', '.join(conditions)})"

    def tier(self):
        """A rule of the shape that classes have: a level of spend and some changes."""
        rng = self.rng
        changes = [f"{name} >= {rng.choice(['-30', '0', '10', '30', '50'])}" for name in (
            "change_fee", "change_roaming_fee", "change_sms_fee", "change_vas_fee", "change_data")]
        some = rng.sample(changes, rng.randrange(1, 5))
        spend = f"avg_fee {rng.choice(['>=', '<'])} {rng.choice(['20', '50', '80', '150', '400'])}"
        return f"{spend} and at_least({rng.randrange(1, len(some) + 1)}, {', '.join(some)})"


def points(rng):
    """Rules and ranks; sometimes none of either."""
    lines = []
    for number in range(rng.choice([0, 3, 6, 6])):
        on = rng.choice(
            ["register", "login", "login", "experience", "refer", "refer", "visit", "redeem", "transfer", "usage"])
        lines += ["[[points.rule]]", f"id = {toml(rng.choice(['r', '规']) + str(number))}",
                  f'on = "{on}"', f"points = {rng.choice([1, 2, 3, 5, 20, 0, -2])}"]
        if rng.random() < 0.3:
            lines.append(f"pending_days = {rng.choice([0, 1, 2, 30])}")
        if rng.random() < 0.4:
            lines.append("expires_after = " + rng.choice(['1', '2', '"year_end"']))
        if on == "usage":
            lines.append(f"measure = {toml(rng.choice(MEASURES))}")
            if rng.random() < 0.7:
                lines.append(f"monthly_at_least = {rng.choice([1, 2, 10, 30])}")
            continue
        if rng.random() < 0.3:
            lines.append(f"product = {toml(rng.choice(PRODUCTS[:2] + ['nothing']))}")
        if rng.random() < 0.3:
            lines.append(f"result = \"{rng.choice(['success', 'failure'])}\"")
        if rng.random() < 0.5:
            lines.append(f"per = \"{rng.choice(['event', 'day', 'lifetime'])}\"")
        for cap, most in (("daily_cap", 10), ("daily_limit", 4), ("daily_people", 4)):
            if rng.random() < 0.3:
                lines.append(f"{cap} = {rng.randrange(most)}")
    bounds = rng.sample(range(-50, 80), rng.choice([0, len(RANKS)]))
    for rank, bound in zip(RANKS, bounds):
        lines += ["[[rank]]", f"id = {toml(rank)}", f"from = {bound}"]
    return lines


def care(rng, product, rules):
    """A care of a product, its diagnoses of these rules."""
    diagnoses = [f"{{ reason = {toml(reason)}, when = {toml(rules.rule(1))} }}"
                 for reason in ["no wap", "设置", "never"][:rng.randrange(4)]]
    ways = [f"every_working_days = {rng.choice([1, 2, 7, 10, 30])}", "monthly = true",
            f"monthly = true, after_days = {rng.choice([0, 1, 20, 40])}", 'after = "used"']
    names = ["sms", "call", "plan_offer", "store_reminder"]
    steps = [f'{{ do = "{name}", {rng.choice(ways)} }}' for name in names if rng.random() < 0.7]
    return ["[[care]]", f"product = {toml(product)}",
            f"{rng.choice(['used_by', 'used_by', 'active_measure'])} = {toml(rng.choice(MEASURES))}",
            f"diagnose = [ {', '.join(diagnoses)} ]", f"steps = [ {', '.join(steps)} ]"]


def limits(rng):
    """What `[settings]` says of all campaigns."""
    lines = []
    caps = []
    for _ in range(rng.randrange(3)):
        channel = f'channel = "{rng.choice(CHANNELS[:3])}", ' if rng.random() < 0.5 else ""
        span = rng.choice(["days = 1", "days = 2", "days = 7", "weeks = 1", "weeks = 2"])
        caps.append(f"{{ {channel}contacts = {rng.randrange(1, 3)}, {span} }}")
    lines.append(f"caps = [ {', '.join(caps)} ]")
    if rng.random() < 0.3:
        lines.append('caps_exempt = ["survey"]')
    for name, values in (("max_open", [1, 2, 3]), ("decline_days", [0, 1, 14]),
                         ("later_days", [0, 2, 7]), ("holdout", ["0.0", "0.1", "0.0433"])):
        if rng.random() < 0.6:
            lines.append(f"{name} = {rng.choice(values)}")
    return lines


def campaigns(rng, rules, tiers):
    """Campaigns over one another's customers, and packs for them; sometimes none."""
    some = CAMPAIGNS[:rng.choice([0, 2, 4, 4])]
    lines, of_tier = [], rng.choice(tiers) if tiers else None
    if some:
        lines += ["[[pack]]", 'id = "p"', f"products = {toml(rng.sample(PRODUCTS, 3))}"]
        if of_tier:
            lines += ["[[pack]]", 'id = "q"', f"tier = {toml(of_tier)}",
                      f"products = {toml(rng.sample(PRODUCTS, 2))}"]
    for campaign in some:
        lines += ["[[campaign]]", f"id = {toml(campaign)}",
                  f"audience = {toml(rng.choice(['true', rules.rule(1), rules.rule(2)]))}"]
        offer = rng.choice(["product", "product", "pack", "nothing"])
        if offer == "product":
            lines.append(f"product = {toml(rng.choice(PRODUCTS))}")
        elif offer == "pack":
            lines.append(f"pack = {toml(rng.choice(['p'] + ['by_tier'] * bool(of_tier)))}")
        words = [f"list:{name}" for name in LISTS] + ["optout"]
        words += ["holders", "terminal"] if offer != "nothing" else []
        lines.append(f"exclude = {toml(rng.sample(words, rng.randrange(4)))}")
        if rng.random() < 0.6:
            lines.append(f"consent = {toml(rng.choice(PURPOSES))}")
        if rng.random() < 0.3:
            others = [other for other in some if other != campaign]
            lines.append(f"never_with = {toml(rng.sample(others, 1))}")
        if rng.random() < 0.4:
            names = rng.sample(["sms", "wap", *some], 2)
            waits = [f"{toml(name)} = {rng.choice([1, 2, 14])}" for name in names]
            lines.append(f"not_after = {{ {', '.join(waits)} }}")
        chosen = rng.sample(CHANNELS, rng.randrange(1, 4))
        if rng.random() < 0.4:
            lines.append(f"steps = [{{ channel = {toml(rng.choice(CHANNELS))} }}]")
        lines.append(f"channels = {toml(chosen)}")
        if rng.random() < 0.3:
            lines.append(f"cities = {toml(rng.sample(PLAIN, 3))}")
        if rng.random() < 0.2:
            ends = rng.choice(["2008-06-30", "2009-03-31", "2030-01-01", "2012-02-29"])
            lines.append(f'dates = ["2005-01-01", "{ends}"]')
        if rng.random() < 0.5:
            others = [other for other in some if other != campaign]
            lines.append(f"baseline = {rng.choice(['0.04', '1', '0', *map(toml, others)])}")
        for name, values in (("priority", [-1, 5, 5]), ("holdout", ["0.05", "0.5", "0.9999"]),
                             ("random_arm", ["0.1", "0.5", "0.0001"]), ("kind", ['"survey"'])):
            if rng.random() < 0.4:
                lines.append(f"{name} = {rng.choice(values)}")
    return lines


def calendar(rng):
    """Days off and days worked, in the years that provinces live in; a month off now and then."""
    if rng.random() < 0.2:
        return []
    holidays, workdays = set(), set()
    for year in range(2006, 2015):
        for month, days in ((1, 3), (5, rng.choice([3, 7])), (10, 8), (rng.randrange(2, 12), rng.choice([0, 28]))):
            first = dt.date(year, month, 1)
            holidays |= {first + dt.timedelta(days=number) for number in range(days)}
        for _ in range(4):
            workdays.add(dt.date(year, rng.randrange(1, 13), rng.randrange(1, 29)))
    days = [", ".join(rng.choice([f'"{day}"', f"{day}"]) for day in sorted(some))
            for some in (holidays, workdays - holidays)]
    return ["[calendar]", f"holidays = [ {days[0]} ]", f"workdays = [ {days[1]} ]"]


def toml(value):
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def programme(rng, months, edge):
    """The text of a programme."""
    lines = ["[settings]"]
    zone = rng.choice([None, None, "Asia/Shanghai", "Asia/Kolkata", "UTC"]
                      + ["America/St_Johns"] * edge)
    if zone:
        lines.append(f"timezone = {toml(zone)}")
    for name, most in (("window", 5), ("lag", 5), ("history", months + 3)):
        if rng.random() < 0.75:
            lines.append(f"{name} = {rng.randrange(1, most)}")
    if rng.random() < 0.85:
        lines.append("max_bad_rows = " + rng.choice(
            ["0.0", "0.01", "0.07", "0.1", "0.29", "0.5", "1.0", "0.34"]))
    if rng.random() < 0.15:
        lines.append('control = "required"')
    if rng.random() < 0.25:
        lines.append('same_version = "replace"')
    if rng.random() < 0.6:
        policy = rng.choice(["allow_negative", "claw_back_next", "write_off"])
        lines.append(f'negative_balance = "{policy}"')
    measures = [(product, rng.choice(MEASURES)) for product in PRODUCTS[:3] if rng.random() < 0.7]
    lines.append("active_measures = { " + ", ".join(
        f"{toml(product)} = {toml(measure)}" for product, measure in measures[1:]) + " }")
    if rng.random() < 0.7:
        silent = rng.randrange(6)
        lines.append(f"stages = {{ new_days = {rng.randrange(6)}, silent_days = {silent}, "
                     f"lapsed_days = {silent + rng.choice([0, 1, 3, 40])} }}")
    lines += limits(rng)
    as_of = Rules(rng, now=False, edge=edge)
    if rng.random() < 0.45:
        population = rng.choice([
            "status <> 'closed'", "status is null or status in ('active', 'suspended')",
            "not (status = 'closed' and last_fee is null)",
            f"last_fee is not null or {as_of.rule(1)}", f"age > 20 or {as_of.rule(2)}"])
        lines.append(f"population = {toml(population)}")
    drives = ["fun", "calm"][:rng.randrange(3)]
    tiers = list("ABCDE"[:rng.randrange(0, 6)])
    if tiers and rng.random() < 0.3:
        tiers[0] = "星'级"
    for tier in tiers:
        lines += ["[[tier]]", f"id = {toml(tier)}", f"name = {toml('class ' + tier)}",
                  f"when = {toml(as_of.tier() if rng.random() < 0.6 else as_of.rule(2))}"]
    if rng.random() < 0.6:
        tiers.append("F")
        lines += ["[[tier]]", 'id = "F"', 'name = "rest"']
    now = Rules(rng, now=True, tiers=tiers, edge=edge)
    for drive in drives:
        signs = [f"{{ id = {toml(sign)}, when = {toml(now.rule(1))} }}"
                 for sign in ["a", "b", "c"][:rng.randrange(4)]]
        lines += ["[[drive]]", f"id = {toml(drive)}", f"when = {toml(now.rule(1))}",
                  f"signs = [ {', '.join(signs)} ]"]
        if rng.random() < 0.5:
            lines.append(f"at_least = {rng.randrange(len(signs) + 1)}")
    now = Rules(rng, now=True, tiers=tiers, edge=edge, drives=drives)
    for number in range(rng.randrange(3, 12)):
        level = rng.choice(["province", "province_city", "city"])
        lines += ["[[segment]]", f'id = "s{number}"', f'name = "细分 {number}"',
                  f'level = "{level}"', f"when = {toml(now.rule())}"]
    for product, _ in measures[:2]:
        lines += care(rng, product, now)
    lines += campaigns(rng, now, tiers)
    return "\n".join(lines + calendar(rng) + points(rng)) + "\n"
