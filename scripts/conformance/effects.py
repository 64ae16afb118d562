"""What came of campaigns, and who uses which product: contract.md, "Views", by plain loops."""

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from math import floor, sqrt

Z = 1.959963984540054  # the normal deviate that 2.5% lie beyond
KINDS = {"open": "opened", "consult": "consulted", "order": "ordered",
         "complaint": "complained", "optout": "opted_out"}
COUNTS = ("contacted", "delivered", "opened", "consulted", "ordered", "complained", "opted_out")


def places(value):
    """Four places, the half up."""
    if value is None:
        return None
    number = floor(Fraction(value) * 10_000 + Fraction(1, 2))
    whole, part = divmod(abs(number), 10_000)
    return f"{'-' if number < 0 else ''}{whole}.{part:04}"


def ratio(part, whole):
    return Fraction(part) / whole if whole else None


def wilson(successes, trials):
    p, n, z = successes / trials, trials, Z
    middle, reach = 2 * n * p + z * z, z * sqrt(z * z + 4 * n * p * (1 - p))
    return (middle - reach) / (2 * (n + z * z)), (middle + reach) / (2 * (n + z * z))


def newcombe(one, other):
    """Method 10: the limits of the difference of two rates."""
    (a, m), (b, n) = one, other
    (low, high), (low_other, high_other) = wilson(a, m), wilson(b, n)
    p, q = a / m, b / n
    below = sqrt((p - low) ** 2 + (high_other - q) ** 2)
    above = sqrt((high - p) ** 2 + (q - low_other) ** 2)
    # A limit that is a whole number is one: no noise of the calculation pushes it off.
    return tuple(Fraction(f"{limit:.13f}") for limit in (p - q - below, p - q + above))


class Deeds:
    """Contacts and feedback of one customer and campaign, in their order."""

    def __init__(self):
        self.contacts, self.feedback = [], []

    def before(self, moment):
        """(channel, arm) of the contact that a feedback of then belongs to."""
        earlier = [c for c in self.contacts if c["at"] <= moment]
        if not earlier:
            return None, "none"
        latest = max(earlier, key=lambda c: (c["at"], c["id"].encode()))
        return latest["channel_id"], latest["arm"]

    def reached(self, arm):
        outcome = "withheld" if arm == "control" else "delivered"
        return min((c["at"] for c in self.contacts
                    if c["arm"] == arm and c["outcome"] == outcome), default=None)


def deeds(store):
    """{(campaign, customer): deeds}."""
    found = defaultdict(Deeds)
    for (contact_id,), row in store.standing("contact").items():
        row = {**row, "id": contact_id, "arm": row["arm"] or "target"}
        found[row["campaign_id"], row["customer_id"]].contacts.append(row)
    for row in store.standing("feedback").values():
        found[row["campaign_id"], row["customer_id"]].feedback.append(row)
    return found


def baseline(campaign, programme, arms):
    """The old rate; None where there is none."""
    for known in programme.campaigns:
        if known.id == campaign and known.baseline is not None:
            if not isinstance(known.baseline, str):
                return Fraction(known.baseline)
            won, of, *_ = arms.get((known.baseline, "target"), (0, 0))
            return ratio(won, of)
    won, of, *_ = arms.get((campaign, "random"), (0, 0))
    return ratio(won, of)


def rows(programme, store, who):
    """effect, effect_by, effect_rate and channel_workload; `who` gives (dimension, value) of a customer."""
    terms = {key[0]: row for key, row in store.standing("channel").items()}
    people, paid, revenue = defaultdict(set), defaultdict(int), defaultdict(Fraction)
    by, load = defaultdict(set), defaultdict(int)
    reached, arms = defaultdict(lambda: [set(), set(), set()]), {}
    for (campaign, customer), of in deeds(store).items():
        marks = []
        for contact in of.contacts:
            place = contact["channel_id"], contact["arm"]
            marks.append((place, "there"))
            if contact["outcome"] != "withheld":
                marks.append((place, "contacted"))
                paid[campaign, *place] += 1
                load[contact["channel_id"], contact["at"].date()] += 1
            if contact["outcome"] == "delivered":
                marks.append((place, "delivered"))
        for feedback in of.feedback:
            place = of.before(feedback["at"])
            marks += [(place, "there"), (place, KINDS.get(feedback["kind"]))]
            if feedback["kind"] == "order":
                revenue[campaign, *place] += feedback["amount"] or 0
        for (channel, arm), mark in marks:
            people[campaign, channel, arm, mark].add(customer)
            for dimension, value in who(customer):
                by[campaign, arm, dimension, value, mark].add(customer)
        for arm in ("target", "control", "random"):
            since = of.reached(arm)
            if since is None:
                continue
            kinds = {f["kind"] for f in of.feedback if f["at"] >= since}
            sets = reached[campaign, arm]
            sets[0].add(customer)
            if "order" in kinds:
                sets[1].add(customer)
            if "complaint" in kinds:
                sets[2].add(customer)

    def cost(campaign, channel, arm):
        unit = terms[channel]["unit_cost"] if channel in terms else None
        return paid[campaign, channel, arm] * Fraction(unit or 0)

    effect = [[campaign, channel, arm, *(len(people.get((campaign, channel, arm, count), ())) for count in COUNTS),
               cost(campaign, channel, arm), revenue[campaign, channel, arm]]
              for campaign, channel, arm, mark in list(people) if mark == "there"]
    effect_by = [[*key, *(len(by.get((*key, count), ())) for count in ("delivered", "ordered", "complained"))]
                 for *key, mark in list(by) if mark == "there"]
    for (campaign, arm), (customers, won, complained) in reached.items():
        spent = sum(cost(campaign, channel, of) for (name, channel, of) in list(paid)
                    if (name, of) == (campaign, arm))
        contacts = sum(n for (name, _, of), n in paid.items() if (name, of) == (campaign, arm))
        arms[campaign, arm] = len(won), len(customers), len(complained), spent, contacts
    effect_rate = []
    for (campaign, arm), (won, of, complained, spent, contacts) in arms.items():
        uplift, low, high, saving = None, None, None, None
        other = arms.get((campaign, "control")) or arms.get((campaign, "random"))
        if arm == "target" and other:
            uplift = Fraction(won, of) - Fraction(other[0], other[1])
            low, high = newcombe((won, of), other[:2])
        if arm == "target":
            old = baseline(campaign, programme, arms)
            if old and won:
                saving = (won / old - of) * ratio(spent, contacts)
        effect_rate.append([campaign, arm, places(ratio(won, of)), places(ratio(complained, of)), places(uplift),
                            places(low), places(high), places(ratio(spent, won)), places(saving)])
    workload = [[channel, day, n, terms[channel]["daily_capacity"] if channel in terms else None]
                for (channel, day), n in load.items()]
    return effect, effect_by, effect_rate, workload


def last_second(month):
    following = dt.datetime((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return following - dt.timedelta(seconds=1)


def penetration(programme, world, store, members):
    """`members` are (segment, customer); months are those of history up to as_of."""
    everybody = set(world.everybody)
    groups = {None: everybody, **{segment: set() for segment, _ in programme.segments}}
    for segment, customer in members:
        groups[segment].add(customer)
    if world.as_of is None:
        return []
    months = range(world.as_of - programme.settings.history + 1, world.as_of + 1)
    users = defaultdict(set)
    orders = defaultdict(list)
    for (order_id,), row in store.standing("order").items():
        orders[row["customer_id"], row["product_id"]].append((row["at"], order_id.encode(), row["action"]))
    for (customer, product), of in orders.items():
        for month in months:
            until = [order for order in of if order[0] <= last_second(month)]
            if until and max(until)[2] != "cancel":
                users[product, month, "held"].add(customer)
    usage = defaultdict(int)
    for (customer, day, measure), row in store.standing("usage").items():
        usage[customer, day.year * 12 + day.month - 1, measure] += row["quantity"]
    for product, measure in programme.measures.items():
        for (customer, month, of), quantity in usage.items():
            if of == measure and quantity > 0 and month in months:
                users[product, month, "active"].add(customer)
    found = []
    for (product, month, kind), who in users.items():
        if who & everybody:
            for segment, group in groups.items():
                found.append([product, segment, month, kind, len(who & group), len(group),
                              places(ratio(len(who & group), len(group)))])
    return found
