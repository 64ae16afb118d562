"""What rules can ask about one customer, as of a month or as of now.

Numeric attributes are fixed-point with two places, rounded once toward negative
infinity from exact sums; rules see the rounded value. Months are running ints.
"""

import calendar
import datetime as dt
from collections import Counter, defaultdict
from fractions import Fraction

import points
from referrals import Referrals

MEASURES = "fee roaming_fee sms_fee vas_fee data_kb".split()
BILL_COLUMNS = "total_fee roaming_fee sms_fee vas_fee data_kb".split()
TEXTS = set("gender city district brand group_type occupation status employer "
            "income_band".split())
CHANGE_MAX = 10000


def floor2(exact):
    return Fraction(exact * 100 // 1, 100)


def last_day(month):
    year, index = divmod(month, 12)
    return dt.date(year, index + 1, calendar.monthrange(year, index + 1)[1])


def birthday_in(year, born):
    """29 February counts from 1 March in other years."""
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return dt.date(year, 3, 1)
    return dt.date(year, born.month, born.day)


class World:
    """The standing rows, arranged by customer, and the clock."""

    def __init__(self, store, programme):
        self.settings = programme.settings
        self.customer = {key[0]: row for key, row in store.standing("customer").items()}
        self.bills = {}
        for (customer, month), row in store.standing("bill").items():
            self.bills.setdefault(customer, {})[month] = [row[c] or 0 for c in BILL_COLUMNS]
        self.usage = {}
        for (customer, day, measure), row in store.standing("usage").items():
            sums = self.usage.setdefault(customer, {})
            key = (day.year * 12 + day.month - 1, measure)
            sums[key] = sums.get(key, 0) + row["quantity"]
        self.terminal = {}  # customer -> (seen_on, what it supports)
        for (customer, seen_on), row in store.standing("terminal").items():
            if customer not in self.terminal or self.terminal[customer][0] < seen_on:
                self.terminal[customer] = (seen_on, row["supports"] or frozenset())
        self.order = {}  # (customer, product) -> the latest (at, order_id, action)
        orders = store.standing("order")
        for (order_id,), row in orders.items():
            key = (row["customer_id"], row["product_id"])
            latest = (row["at"], order_id.encode(), row["action"])
            self.order[key] = max(self.order.get(key, latest), latest)
        self.orders = {}  # (customer, product) -> its orders, in the order in which they count
        for (order_id,), row in orders.items():
            self.orders.setdefault((row["customer_id"], row["product_id"]), []).append(
                (row["at"], order_id.encode(), row["action"], row["bundled"] == "true"))
        for some in self.orders.values():
            some.sort()
        self.measures, self.drives = programme.measures, programme.drives
        self.stages = programme.stages
        self.listing = store.standing("listing")
        self.everybody = sorted(self.customer.keys() | self.bills.keys(), key=str.encode)
        months = [
            row["month"] for extract in store.live.values() if extract.feed == "bill"
            for row in extract.good.values()
        ]
        self.as_of = max(months, default=None)
        events, adjustments = store.standing("member_event"), store.standing("adjustment")
        self.participations = Counter(
            (row["customer_id"], row["detail"], row["at"].year * 12 + row["at"].month - 1)
            for row in events.values() if row["kind"] == "participate" and row["detail"])
        consents, scores = store.standing("consent"), store.standing("score")
        said = {}  # (customer, purpose) -> {time: everything said then}
        for (customer, purpose, _, at), row in consents.items():
            said.setdefault((customer, purpose), {}).setdefault(at, []).append(row["given"])
        self.consents = {
            key for key, by_time in said.items() if "false" not in by_time[max(by_time)]}
        self.scores = {key: row["value"] for key, row in scores.items()}
        categories = {key[0]: row["category"] for key, row in store.standing("product").items()}
        offers = {campaign.id: campaign.product for campaign in programme.campaigns}
        # By customer and category: what was said of it, and whether he was contacted about it.
        self.said, self.told = defaultdict(set), set()
        for row in store.standing("feedback").values():
            product = row["product_id"] or offers.get(row["campaign_id"])
            self.said[row["customer_id"], categories.get(product)].add(row["kind"])
        for row in store.standing("contact").values():
            if row["outcome"] != "withheld":
                self.told.add((row["customer_id"], categories.get(offers.get(row["campaign_id"]))))
        contacts, feedback = store.standing("contact"), store.standing("feedback")
        states = store.standing("campaign_state")
        answers = store.standing("provisioning")
        feeds = (orders, events, adjustments, consents, scores, contacts, feedback, states, answers)
        moments = [row["at"] for feed in feeds
                   for row in feed.values() if row["at"] is not None]
        if self.as_of is not None:
            moments.append(dt.datetime.combine(last_day(self.as_of), dt.time(23, 59, 59)))
        self.now = max(moments, default=None)
        self.points = points.count(
            events, adjustments, self.usage, self.listing, programme, self.now)
        self.referrals = Referrals(events, self.listing, self.points, self.city, self.now)

    def city(self, customer):
        return self.customer[customer]["city"] if customer in self.customer else None


class Subject:
    """One customer seen as of a month (None: no bill anywhere). Callable by attribute name."""

    def __init__(self, world, customer, month, tier=None):
        self.world, self.customer, self.month, self.tier = world, customer, month, tier
        self.fields = world.customer.get(customer, {})
        self.bills = world.bills.get(customer, {})
        window, lag = world.settings.window, world.settings.lag
        if month is None:
            self.recent, self.baseline = range(0), range(0)
        else:
            self.recent = range(month - window + 1, month + 1)
            self.baseline = range(month - lag - window + 1, month - lag + 1)

    def billed(self, months):
        return [self.bills[month] for month in months if month in self.bills]

    def average(self, index, months):
        """The exact average over the billed ones of `months`."""
        billed = self.billed(months)
        if not billed:
            return None
        return Fraction(sum(bill[index] for bill in billed)) / len(billed)

    def change(self, index):
        recent, before = self.average(index, self.recent), self.average(index, self.baseline)
        if recent is None or before is None:
            return None
        if before <= 0:
            return Fraction(CHANGE_MAX if recent > 0 else 0)
        return min(Fraction(CHANGE_MAX), floor2((recent / before - 1) * 100))

    def age(self):
        born = self.fields.get("birth_date")
        if born is None or self.month is None:
            return None
        today = last_day(self.month)
        years = today.year - born.year
        return Fraction(years - (today < birthday_in(today.year, born)))

    def tenure_months(self):
        joined = self.fields.get("joined_on")
        if joined is None or self.month is None:
            return None
        months = self.month - (joined.year * 12 + joined.month - 1)
        return Fraction(months - (last_day(self.month).day < joined.day))

    def days_to_birthday(self):
        """0 on the birthday itself."""
        born = self.fields.get("birth_date")
        if born is None or self.month is None:
            return None
        today = last_day(self.month)
        coming = birthday_in(today.year, born)
        if coming < today:
            coming = birthday_in(today.year + 1, born)
        return Fraction((coming - today).days)

    def usage(self, measure):
        sums = self.world.usage.get(self.customer, {})
        total = sum(sums.get((month, measure), 0) for month in self.recent)
        return floor2(Fraction(total, self.world.settings.window))

    def usage_year(self, measure):
        sums = self.world.usage.get(self.customer, {})
        months = () if self.month is None else range(self.month - 11, self.month + 1)
        return Fraction(sum(sums.get((month, measure), 0) for month in months))

    def signs(self, drive):
        """The signs of a drive that holds; None where it does not."""
        when, signs, at_least = self.world.drives[drive]
        found = [sign for sign, rule in signs.items() if rule.holds(self)]
        return found if when.holds(self) and len(found) >= at_least else None

    def member_stage(self):
        account = self.world.points.get(self.customer)
        if account is None or not account.member:
            return None
        silent = (self.world.now.date() - account.heard.date()).days
        if silent >= self.world.stages["lapsed_days"]:
            return "lapsed"
        if silent >= self.world.stages["silent_days"]:
            return "silent"
        age = (self.world.now.date() - account.began.date()).days
        return "new" if age < self.world.stages["new_days"] else "active"

    def on_list(self, name):
        row = self.world.listing.get((name, self.customer))
        if row is None:
            return False
        begins, ends, now = row["from"], row["until"], self.world.now
        if now is None:
            return begins is None and ends is None
        return (begins is None or begins <= now) and (ends is None or now < ends)

    def of_points(self, name):
        account = self.world.points.get(self.customer)
        if account is None or not account.is_shown:
            return None
        return Fraction(account.balance) if name == "points" else account.rank

    def of_year(self, kind):
        if self.month is None:
            return Fraction(0)
        months = range(self.month - 11, self.month + 1)
        return Fraction(sum(
            self.world.participations[self.customer, kind, month] for month in months))

    def is_used(self, product, holds):
        """Whether the product's measure is above 0 in a month for which `holds`."""
        sums = self.world.usage.get(self.customer, {})
        measure = self.world.measures.get(product)
        return any(total > 0 and of == measure and holds(month)
                   for (month, of), total in sums.items())

    def trial(self, product):
        state = "none"
        for at, _, action, _ in self.world.orders.get((self.customer, product), ()):
            if action == "trial":
                begun = at.year * 12 + at.month - 1
                state = "used" if self.is_used(product, lambda m: m >= begun) else "unused"
            elif state in ("used", "unused"):
                state = "converted" if action == "subscribe" else "ended"
        return state

    def health(self, product):
        if product not in self.world.measures or not self.holds(product):
            return None
        if self.is_used(product, lambda month: month == self.month):
            return "active"
        return "bundled_idle" if self.world.orders[self.customer, product][-1][3] else "idle"

    def response(self, category):
        said = self.world.said.get((self.customer, category), set())
        for kinds, group in (({"optout"}, "opted_out"), ({"complaint"}, "complained"), ({"order"}, "ordered"),
                             ({"decline"}, "declined"), ({"open", "consult", "later", "survey"}, "responded")):
            if said & kinds:
                return group
        told = "shown" in said or (self.customer, category) in self.world.told
        return "no_response" if told else "never_contacted"

    def vas_share(self):
        billed = self.billed(self.recent)
        whole, part = sum(bill[0] for bill in billed), sum(bill[3] for bill in billed)
        return floor2(Fraction(part) / Fraction(whole) * 100) if whole > 0 else None

    def holds(self, product):
        latest = self.world.order.get((self.customer, product))
        return latest is not None and latest[2] in ("subscribe", "trial")

    def __call__(self, name):
        family, _, rest = name.partition(".")
        if rest:
            return {
                "usage": self.usage, "holds": self.holds, "on_list": self.on_list,
                "terminal": lambda cap: cap in self.world.terminal.get(
                    self.customer, (None, ()))[1],
                "participations": self.of_year, "trial": self.trial, "health": self.health,
                "response": self.response,
                "usage_year": self.usage_year,
                "drive": lambda drive: self.signs(drive) is not None,
                "score": lambda model: self.world.scores.get((self.customer, model)),
                "consent": lambda purpose: (self.customer, purpose) in self.world.consents,
                # Feeds not carried yet: as on an input without them.
                "tag": lambda _: False,
            }[family](rest)
        if name in TEXTS:
            return self.fields.get(name)
        if name == "tier":
            return self.tier
        if name == "last_fee":
            bill = self.bills.get(self.month)
            return None if bill is None else Fraction(bill[0])
        if name.startswith("avg_"):
            exact = self.average(MEASURES.index(name[4:]), self.recent)
            return None if exact is None else floor2(exact)
        if name.startswith("change_"):
            measure = "data_kb" if name == "change_data" else name[7:]
            return self.change(MEASURES.index(measure))
        if name == "member":
            return self.customer in self.world.points and self.world.points[self.customer].member
        if name in ("points", "rank"):
            return self.of_points(name)
        return getattr(self, name)()
