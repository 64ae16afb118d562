"""Whom each campaign lists, over which channel, in which arm; and why not the others."""

import datetime as dt
import hashlib
from collections import Counter

from fields import time

# What a channel asks of a terminal.
NEEDS = {"mms": "mms", "wap": "wap", "wap_push": "wap"}
LIVE = ("approved", "dispatched", "accepted", "rehearsed", "running", "paused")


def draw(campaign, customer):
    digest = hashlib.sha256(f"{campaign}:{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000


class Campaign:
    def __init__(self, table, rule):
        self.id = table["id"]
        self.kind = table.get("kind", "marketing")
        self.audience = rule(table["audience"])
        self.cities = table.get("cities", [])
        self.product, self.pack = table.get("product"), table.get("pack")
        exclude = table.get("exclude", [])
        self.exclude = set(exclude)
        self.lists = [word[5:] for word in exclude
                      if word.startswith("list:") and word != "list:do_not_contact"]
        self.consent = table.get("consent")
        self.never_with = table.get("never_with", [])
        self.not_after = table.get("not_after", {})
        steps = [step["channel"] for step in table.get("steps", [])]
        self.channels = list(dict.fromkeys(steps[:1] + table.get("channels", steps)))
        self.until = None
        if "dates" in table:
            until = table["dates"][1]
            self.until = time(until, None)
            if len(until) == len("2009-01-01"):
                self.until += dt.timedelta(days=1)
        self.priority = table.get("priority", 0)
        self.holdout = int(table.get("holdout", 0) * 10_000)
        self.random = int(table.get("random_arm", 0) * 10_000)
        self.baseline = table.get("baseline")


class Limits:
    def __init__(self, settings):
        self.caps = settings.get("caps", [])
        self.exempt = settings.get("caps_exempt", [])
        self.max_open = settings.get("max_open", 1)
        self.holdout = int(settings.get("holdout", 0) * 10_000)
        self.days = {"decline": settings.get("decline_days", 90),
                     "later": settings.get("later_days", 14)}


def by_customer(rows):
    arranged = {}
    for row in rows:
        arranged.setdefault(row["customer_id"], []).append(row)
    return arranged


def monday(moment):
    return moment.date() - dt.timedelta(days=moment.weekday())


class Lists:
    """The campaigns of a programme over the standing rows."""

    def __init__(self, programme, world, store):
        self.campaigns, self.limits = programme.campaigns, programme.limits
        self.packs, self.world = programme.packs, world
        self.requires = {key[0]: row["requires"] or frozenset()
                         for key, row in store.standing("product").items()}
        self.contacts = by_customer(store.standing("contact").values())
        self.feedback = by_customer(store.standing("feedback").values())
        self.consents = by_customer(
            {**row, "customer_id": key[0], "purpose": key[1], "channel_id": key[2], "at": key[3]}
            for key, row in store.standing("consent").items())
        latest = {}
        for (change,), row in store.standing("campaign_state").items():
            if row["city"] is None:
                of = (row["at"], change.encode(), row["state"])
                latest[row["campaign_id"]] = max(latest.get(row["campaign_id"], of), of)
        self.states = {campaign: state for campaign, (_, _, state) in latest.items()}

    def passed(self, moment, days):
        return self.world.now is not None and self.world.now - moment >= dt.timedelta(days=days)

    def contacted(self, customer):
        return [row for row in self.contacts.get(customer, ()) if row["outcome"] != "withheld"]

    def is_taken_on(self, customer, campaign):
        return any(row["campaign_id"] == campaign.id for row in self.contacts.get(customer, ()))

    def opted_out(self, customer):
        outs = [row["at"] for row in self.feedback.get(customer, ()) if row["kind"] == "optout"]
        return bool(outs) and not any(
            row["given"] == "true" and row["at"] > max(outs)
            for row in self.consents.get(customer, ()))

    def consents_on(self, customer, purpose, channel):
        said = [(row["at"], row["given"]) for row in self.consents.get(customer, ())
                if row["purpose"] == purpose and row["channel_id"] in (channel, "*")]
        latest = max((at for at, _ in said), default=None)
        return bool(said) and all(given == "true" for at, given in said if at == latest)

    def declined(self, customer, campaign, product):
        for row in self.feedback.get(customer, ()):
            days = self.limits.days.get(row["kind"])
            about = (row["campaign_id"] == campaign.id if row["product_id"] is None
                     else row["product_id"] == product)
            if days is not None and about and not self.passed(row["at"], days):
                return True
        return False

    def is_capped(self, customer, channel):
        for cap in self.limits.caps:
            if cap.get("channel", channel) != channel:
                continue
            some = [row["at"] for row in self.contacted(customer)
                    if cap.get("channel") in (None, row["channel_id"])]
            if "weeks" in cap:
                first = monday(self.world.now) - dt.timedelta(days=7 * (cap["weeks"] - 1))
                some = [at for at in some if at.date() >= first]
            else:
                some = [at for at in some if not self.passed(at, cap["days"])]
            if len(some) >= cap["contacts"]:
                return True
        return False

    def offered(self, campaign, tier):
        if campaign.product is not None:
            return [campaign.product]
        if campaign.pack == "by_tier":
            of = [pack for pack in self.packs if tier is not None and pack.get("tier") == tier]
            return of[0]["products"] if of else []
        return [pack["products"] for pack in self.packs if pack["id"] == campaign.pack][0]

    def decide(self, campaign, subject):
        """(channel, product), or the first reason against it as text."""
        customer = subject.customer
        if self.opted_out(customer):
            return "optout"
        for name in ["do_not_contact"] + campaign.lists:
            if subject.on_list(name):
                return f"list:{name}"
        channels = [channel for channel in campaign.channels if campaign.consent is None
                    or self.consents_on(customer, campaign.consent, channel)]
        if not channels:
            return "consent"
        supports = self.world.terminal.get(customer, (None, frozenset()))[1]
        products, is_pack = [None], campaign.pack is not None
        if is_pack or campaign.product is not None:
            products = self.offered(campaign, subject.tier)
            if is_pack or "holders" in campaign.exclude:
                products = [product for product in products if not subject.holds(product)]
            if not products:
                return "holders"
            if is_pack or "terminal" in campaign.exclude:
                products = [product for product in products
                            if self.requires.get(product, frozenset()) <= supports]
            if not products:
                return "terminal"
        contacts = self.contacted(customer)
        rivals = campaign.never_with + [
            other.id for other in self.campaigns if campaign.id in other.never_with]
        if any(row["campaign_id"] in rivals for row in contacts):
            return "never_with"
        for row in contacts:
            for name, days in campaign.not_after.items():
                if (name in (row["campaign_id"], row["channel_id"])
                        and row["campaign_id"] != campaign.id and not self.passed(row["at"], days)):
                    return "not_after"
        products = [product for product in products
                    if not self.declined(customer, campaign, product)]
        if not products:
            return "declined"
        channels = [channel for channel in channels
                    if channel not in NEEDS or NEEDS[channel] in supports]
        if not channels:
            return "channel"
        is_free = campaign.kind in self.limits.exempt or self.is_taken_on(customer, campaign)
        channels = [channel for channel in channels
                    if is_free or not self.is_capped(customer, channel)]
        return (channels[0], products[0]) if channels else "cap"

    def fit(self, campaign, subject):
        """(channel, product, arm), a reason, or None: outside."""
        now = self.world.now
        is_over = campaign.until is not None and now is not None and now >= campaign.until
        if is_over or self.states.get(campaign.id) == "closed":
            return None
        if campaign.cities and self.world.city(subject.customer) not in campaign.cities:
            return None
        drawn = draw(campaign.id, subject.customer)
        if campaign.audience.holds(subject):
            is_kept = drawn < campaign.holdout or (
                draw("*", subject.customer) < self.limits.holdout)
            arm = "control" if is_kept else "target"
        elif drawn >= 10_000 - campaign.random:
            arm = "random"
        else:
            return None
        decided = self.decide(campaign, subject)
        return decided if isinstance(decided, str) else (*decided, arm)

    def of(self, subject):
        """{campaign id: (channel, product, arm) or a reason}."""
        found = {campaign.id: self.fit(campaign, subject) for campaign in self.campaigns}
        turns = sorted(self.campaigns, key=lambda campaign: (
            not self.is_taken_on(subject.customer, campaign),
            self.states.get(campaign.id) not in LIVE, -campaign.priority, campaign.id.encode()))
        lists = []
        for campaign in turns:
            if not isinstance(found[campaign.id], tuple):
                continue
            if any(other.id in campaign.never_with or campaign.id in other.never_with
                   for other in lists):
                found[campaign.id] = "never_with"
            elif len(lists) >= self.limits.max_open:
                found[campaign.id] = "max_open"
            else:
                lists.append(campaign)
        return found


def rows(programme, world, store, subjects):
    """Rows of target, target_count and target_excluded over the population."""
    lists, targets = Lists(programme, world, store), []
    counts, excluded = Counter(), Counter()
    for subject in subjects:
        for campaign, found in lists.of(subject).items():
            if isinstance(found, str):
                excluded[campaign, found] += 1
            elif found is not None:
                channel, product, arm = found
                targets.append([campaign, subject.customer, product, channel, arm])
                counts[campaign, channel, arm] += 1
    return (targets, [[*key, n] for key, n in counts.items()],
            [[*key, n] for key, n in excluded.items()])
