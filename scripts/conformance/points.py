"""Points of each customer: events and adjustments in their order, award by award."""

from collections import Counter


class Account:
    """What became of one customer's points. Shown where the programme has points rules."""

    def __init__(self, programme):
        self.ranks, self.is_shown = programme.ranks, bool(programme.points)
        self.entries = []  # (entry_id, at, rule, points)
        self.earned = self.forfeited = self.adjusted = 0
        self.member = False

    @property
    def balance(self):
        return self.earned + self.adjusted - self.forfeited

    @property
    def rank(self):
        reached = [rank for rank in self.ranks if rank[0] <= self.balance]
        return max(reached)[1] if reached else None


class Caps:
    """What one customer has used up, by rule and by rule and day."""

    def __init__(self):
        self.ever, self.awards, self.points = Counter(), Counter(), Counter()
        self.people = {}

    def award(self, rule, event):
        """What the rule gives, 0 where it is used up; notes what it uses up."""
        one, today = rule["id"], (rule["id"], event["at"].date())
        people = self.people.setdefault(today, set())
        other = event["other_id"]
        if rule.get("per") == "lifetime" and self.ever[one]:
            return 0
        if rule.get("per") == "day" and self.awards[today]:
            return 0
        if "daily_limit" in rule and self.awards[today] >= rule["daily_limit"]:
            return 0
        if "daily_people" in rule and other is not None and other not in people:
            if len(people) >= rule["daily_people"]:
                return 0
        given = rule["points"]
        if "daily_cap" in rule:
            given = min(given, rule["daily_cap"] - self.points[today])
        if given:
            self.ever[one] += 1
            self.awards[today] += 1
            self.points[today] += given
            if other is not None:
                people.add(other)
        return given


def matches(rule, event):
    return (rule["on"] == event["kind"]
            and rule.get("product", event["product_id"]) == event["product_id"]
            and rule.get("result", event["result"]) == event["result"])


def on_list(listing, name, customer, at):
    row = listing.get((name, customer))
    return (row is not None and (row["from"] is None or row["from"] <= at)
            and (row["until"] is None or at < row["until"]))


def count(events, adjustments, listing, programme):
    """{customer: account} of everybody with an event or an adjustment."""
    happened = {}
    for place, rows in enumerate((adjustments, events)):
        for (entry_id,), row in rows.items():
            happened.setdefault(row["customer_id"], []).append(
                (row["at"], entry_id.encode(), place, entry_id, row))
    accounts = {}
    for customer, rows in happened.items():
        account, caps = accounts.setdefault(customer, Account(programme)), Caps()
        for at, _, place, entry_id, row in sorted(rows, key=lambda row: row[:3]):
            if place == 0:
                account.adjusted += row["points"]
                account.entries.append((entry_id, at, "adjustment", row["points"]))
                continue
            kind = row["kind"]
            if kind == "register":
                if account.member or on_list(listing, "registration", customer, at):
                    continue
                account.member = True
            if not account.member:
                continue
            if kind == "deregister":
                left, account.member = account.balance, False
                account.forfeited += left
                if left:
                    account.entries.append((entry_id, at, "forfeit", -left))
                continue
            if kind == "experience" and on_list(listing, "experience", customer, at):
                continue
            for rule in programme.points:
                given = caps.award(rule, row) if matches(rule, row) else 0
                if given:
                    account.earned += given
                    account.entries.append((entry_id, at, rule["id"], given))
    return accounts
