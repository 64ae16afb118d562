"""What was allowed, and what was handed off: kept by somebody who shares nothing with the release path.

A change of what is forbidden is *asked* at one moment and *acknowledged* at a later one. Between the two nobody can say
whether it holds. A contact breaks the rule if what was acknowledged before its file was taken forbade it, and nothing
that was asked before the take had ended could have lifted that.
"""

import hashlib
import threading
import time
from collections import defaultdict

DAY = 86_400


def draw(campaign, customer):
    digest = hashlib.sha256(f"{campaign}:{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000


class Change:
    """One change of one matter of one customer."""

    def __init__(self, forbids):
        self.forbids = forbids
        self.asked = time.monotonic()
        self.acked = None


class Recorder:
    """`plan`: budget, holdout, cap and so on, as the programme has them."""

    def __init__(self, plan):
        self.plan = plan
        self.lock = threading.Lock()
        # (matter, customer) -> changes in their order.
        self.changes = defaultdict(list)
        self.asked = 0
        self.contacts = []
        self.ids = set()
        self.keys = set()
        self.times = defaultdict(list)
        self.cost = defaultdict(int)
        self.days = defaultdict(int)
        self.violations = []

    def ask(self, matter, customer, forbids):
        change = Change(forbids)
        with self.lock:
            self.changes[matter, customer].append(change)
            self.asked += 1
        return change

    def acknowledge(self, change):
        change.acked = time.monotonic()

    def count(self):
        """Changes so far."""
        return self.asked

    def forbidden(self, matter, customer, began, ended):
        """Whether a matter forbade the customer for certain while a file was taken."""
        changes = self.changes.get((matter, customer), [])
        known = [place for place, change in enumerate(changes) if change.acked is not None and change.acked < began]
        if not known or not changes[known[-1]].forbids:
            return False
        later = changes[known[-1] + 1:]
        if any(not change.forbids and change.asked < ended for change in later):
            return False
        # What nobody ever acknowledged may come at any time: a file that lies there while the service is down.
        return not any(not change.forbids and change.acked is None for change in changes)

    def take(self, rows, began, ended):
        """Records the contacts of a file that was taken between two moments."""
        with self.lock:
            for row in rows:
                self.contact(row, began, ended)

    def contact(self, row, began, ended):
        campaign, customer = row["campaign_id"], row["customer_id"]
        channel, step, at = row["channel_id"], row["step"], row["at"]
        plan = self.plan["campaigns"][campaign]

        def wrong(what):
            self.violations.append(f"{what}: {campaign} step {step} to {customer} on {channel} at {at}")

        for matter in ["optout", "barred", "dnc"] + [f"list:{name}" for name in plan["lists"]]:
            if self.forbidden(matter, customer, began, ended):
                wrong(f"forbidden by {matter}")
        if plan["consent"] and self.forbidden("consent", customer, began, ended):
            wrong("without consent")
        if row["contact_id"] in self.ids:
            wrong("the id came before")
        if (campaign, step, customer, channel) in self.keys:
            wrong("came before")
        self.ids.add(row["contact_id"])
        self.keys.add((campaign, step, customer, channel))
        if draw(campaign, customer) < plan["holdout"] or draw("*", customer) < self.plan["holdout"]:
            wrong("kept back as control")
        second = self.plan["second"](at)
        self.times[customer].append(second)
        self.times[customer].sort()
        for contacts, days in self.plan["caps"]:
            times = self.times[customer]
            for place in range(contacts, len(times)):
                if times[place] - times[place - contacts] < days * DAY:
                    wrong(f"over the cap of {contacts} in {days} days")
                    break
        self.cost[campaign] += self.plan["costs"][channel]
        if self.cost[campaign] > plan["budget"]:
            wrong("over the budget")
        self.days[campaign, channel, at[:10]] += 1
        if self.days[campaign, channel, at[:10]] > plan["capacity"]:
            wrong("over the capacity of the day")
        self.contacts.append((campaign, customer))
