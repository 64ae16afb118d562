"""Points of each customer: events, adjustments and use in their order, lot by lot."""

import calendar
import datetime as dt
from collections import Counter

# What entries are called that no rule awards.
NOT_EARNED = {"adjustment", "forfeit", "redeem", "refused", "expire", "transfer_out", "transfer_in", "claw_back",
              "write_off"}
SECOND = dt.timedelta(seconds=1)


def last_second(month):
    year, month = divmod(month + 1, 12)
    return dt.datetime(year, month + 1, 1) - SECOND


def expires(rule, at):
    """When points given at a time are lost, None if never."""
    after = rule.get("expires_after")
    if after is None:
        return None
    if after == "year_end":
        return dt.datetime(at.year + 1, 1, 1)
    year, month = divmod(at.year * 12 + at.month - 1 + after, 12)
    days = calendar.monthrange(year, month + 1)[1]
    if at.day > days:
        return dt.datetime(year, month + 1, days) + dt.timedelta(days=1)
    return at.replace(year=year, month=month + 1)


class Account:
    """What became of one customer's points. Shown where the programme has points rules."""

    def __init__(self, programme):
        self.ranks, self.is_shown = programme.ranks, bool(programme.points)
        self.programme, self.policy = programme, programme.settings.negative_balance
        self.entries = []  # (entry_id, at, rule, points)
        self.lots = []  # [until, entry_id, rule, at, granted, left, spendable from]
        self.earned = self.forfeited = self.adjusted = self.owed = 0
        self.member = False

    @property
    def balance(self):
        return self.earned + self.adjusted - self.forfeited

    @property
    def rank(self):
        reached = [rank for rank in self.ranks if rank[0] <= self.balance]
        return max(reached)[1] if reached else None

    def expire(self, by):
        lost = {}
        for lot in sorted(self.lots, key=lambda lot: lot[0] or dt.datetime.max):
            if lot[5] and lot[0] is not None and lot[0] <= by:
                lost[lot[0], lot[1]] = lost.get((lot[0], lot[1]), 0) + lot[5]
                lot[5] = 0
        for (at, entry_id), points in lost.items():
            self.forfeited += points
            self.entries.append((entry_id, at, "expire", -points))

    def give(self, entry_id, at, rule, points):
        """A new lot, less what is owed; gives what that makes up for."""
        made_up = min(self.owed, points)
        self.owed -= made_up
        begins = at + dt.timedelta(days=rule.get("pending_days", 0))
        self.lots.append([expires(rule, at), entry_id, rule["id"], at, points, points - made_up, begins])
        return made_up

    def spendable(self, at):
        return sum(lot[5] for lot in self.lots if lot[6] <= at)

    def take(self, entry_id, at, points):
        """Of the lots that expire first; what is missing goes by the policy."""
        for lot in sorted(self.lots, key=lambda lot: lot[0] or dt.datetime.max):
            if lot[6] <= at or not self.only_ripe:
                taken = min(points, lot[5])
                lot[5] -= taken
                points -= taken
        if points and self.policy != "write_off":
            self.owed += points
        if points and self.policy != "allow_negative":
            self.adjusted += points
            name = "claw_back" if self.policy == "claw_back_next" else "write_off"
            self.entries.append((entry_id, at, name, points))

    only_ripe = False

    def credit(self, entry_id, at, rule, points):
        if points > 0:
            return self.give(entry_id, at, rule, points)
        self.take(entry_id, at, -points)
        return 0

    def make_up(self, entry_id, at, points):
        if points and self.policy == "claw_back_next":
            self.adjusted -= points
            self.entries.append((entry_id, at, "claw_back", -points))

    def redeem(self, entry_id, at, row):
        """Whether the event may earn."""
        if row["result"] == "failure":
            return True
        if not self.affords(at, row):
            self.entries.append((entry_id, at, "refused", 0))
            return False
        self.spend(entry_id, at, row, "redeem")
        return True

    def affords(self, at, row):
        return row["result"] == "success" or self.member and self.spendable(at) >= row["points"]

    def spend(self, entry_id, at, row, name):
        self.adjusted -= row["points"]
        self.entries.append((entry_id, at, name, -row["points"]))
        self.only_ripe = row["result"] is None
        self.take(entry_id, at, row["points"])
        self.only_ripe = False

    def receive(self, entry_id, at, points):
        self.expire(at)
        self.adjusted += points
        self.entries.append((entry_id, at, "transfer_in", points))
        self.make_up(entry_id, at, self.give(entry_id, at, {"id": "transfer_in"}, points))

    def leave(self, entry_id, at):
        left, self.member, self.owed = self.balance, False, 0
        self.forfeited += left
        for lot in self.lots:
            lot[5] = 0
        if left:
            self.entries.append((entry_id, at, "forfeit", -left))


class Caps:
    """What one customer has used up, by rule and by rule and day."""

    def __init__(self):
        self.ever, self.awards, self.points = Counter(), Counter(), Counter()
        self.people = {}

    def award(self, rule, event):
        """What the rule gives, 0 where it is used up; notes what it uses up."""
        one, today = rule["id"], (rule["id"], event["at"].date())
        people = self.people.setdefault(today, set())
        other = event.get("other_id")
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


BY_HAND = {"id": "adjustment"}


def uses(usage, customer, rules, now):
    """(end of the month, rule, entry id) of what rules on usage award for, of months that are over."""
    for rule in rules:
        for (month, measure), quantity in usage.get(customer, {}).items():
            if rule["on"] == "usage" and rule["measure"] == measure:
                if quantity >= rule.get("monthly_at_least", 1) and now and last_second(month) <= now:
                    yield last_second(month), rule, f"{measure}:{month // 12:04}-{month % 12 + 1:02}"


def count(events, adjustments, usage, listing, programme, now):
    """{customer: account} of everybody with an event or an adjustment."""
    happened = []  # of all customers, since what one hands over another has from then on
    for place, rows in enumerate((adjustments, events)):
        for (entry_id,), row in rows.items():
            happened.append((row["at"], 0, entry_id.encode(), place, row["customer_id"], entry_id, row))
    accounts = {customer: Account(programme) for *_, customer, _, _ in happened}
    caps = {customer: Caps() for customer in accounts}
    for customer in accounts:
        for at, rule, entry_id in uses(usage, customer, programme.points, now):
            happened.append((at, 1, b"", programme.points.index(rule), customer, entry_id, rule))
    for at, is_use, _, place, customer, entry_id, row in sorted(happened, key=lambda row: row[:5]):
        account = accounts[customer]
        account.expire(at)
        if is_use:
            rules, row = [row] if account.member else [], {"at": at}
        elif place == 0:
            account.adjusted += row["points"]
            account.entries.append((entry_id, at, "adjustment", row["points"]))
            account.make_up(entry_id, at, account.credit(entry_id, at, BY_HAND, row["points"]))
            continue
        else:
            account.heard = at
            rules = [rule for rule in programme.points if matches(rule, row)]
            if not happen(accounts, customer, entry_id, row, listing):
                continue
        made_up = 0
        for rule in rules:
            given = caps.setdefault(customer, Caps()).award(rule, row)
            if given:
                account.earned += given
                account.entries.append((entry_id, at, rule["id"], given))
                made_up += account.credit(entry_id, at, rule, given)
        account.make_up(entry_id, at, made_up)
    for account in accounts.values():
        if now:
            account.expire(now)
    return accounts


def transfer(accounts, customer, entry_id, row):
    """Whether the event may earn."""
    account, to, at = accounts[customer], row["other_id"], row["at"]
    if row["result"] == "failure":
        return True
    takes = row["result"] == "success" or to in accounts and accounts[to].member
    if to is None or to == customer or not takes or not account.affords(at, row):
        account.entries.append((entry_id, at, "refused", 0))
        return False
    account.spend(entry_id, at, row, "transfer_out")
    accounts.setdefault(to, Account(account.programme)).receive(entry_id, at, row["points"])
    return True


def happen(accounts, customer, entry_id, row, listing):
    """What an event does beside what rules award for it. Whether they may."""
    account, kind, at = accounts[customer], row["kind"], row["at"]
    if kind == "register":
        if account.member or on_list(listing, "registration", customer, at):
            return False
        account.member = True
        account.began = at
    if kind == "redeem" and (row["points"] or 0) > 0:
        if not account.redeem(entry_id, at, row):
            return False
    if kind == "transfer" and (row["points"] or 0) > 0:
        if not transfer(accounts, customer, entry_id, row):
            return False
    if kind == "deregister" and account.member:
        account.leave(entry_id, at)
    if kind == "experience" and on_list(listing, "experience", customer, at):
        return False
    return account.member
