"""Who brought whom in: referrals as rows, the forest, and rates by month and city."""

from collections import Counter
from fractions import Fraction

from points import NOT_EARNED, on_list


def month_of(moment):
    return moment.year * 12 + moment.month - 1


def rate(part, whole):
    """Four places, half up, as text; None where there is nothing to divide by."""
    if whole == 0:
        return None
    scaled = int(Fraction(part, whole) * 10000 + Fraction(1, 2))
    return f"{scaled // 10000}.{scaled % 10000:04}"


class Referrals:
    """`rows` of referral, `tree` of referral_tree, `rates` of referral_rate."""

    def __init__(self, events, listing, accounts, city, now):
        self.events, self.city = events, city
        self.first = {}  # customer -> when he first registered
        for row in events.values():
            who, at = row["customer_id"], row["at"]
            if row["kind"] == "register" and not on_list(listing, "registration", who, at):
                self.first[who] = min(self.first.get(who, at), at)
        self.made = {key[0]: row for key, row in events.items()
                     if row["kind"] == "refer" and row["other_id"] is not None}
        self.rows = self.referral(accounts)
        self.parent = {}  # customer -> (when, event, who brought him in)
        for event_id, row in self.made.items():
            self.consider(event_id, row)
        self.tree = self.counted()
        self.rates = [] if now is None else self.rated(month_of(now))

    def referral(self, accounts):
        out = []
        for event_id, row in self.made.items():
            account = accounts[row["customer_id"]]
            earned = sum(points for entry_id, _, rule, points in account.entries
                         if account.is_shown and entry_id == event_id and rule not in NOT_EARNED)
            kind = "registration" if row["product_id"] is None else row["product_id"]
            out.append([row["customer_id"], row["other_id"], row["at"], kind, row["result"], earned])
        return out

    def consider(self, event_id, row):
        referrer, referred, at = row["customer_id"], row["other_id"], row["at"]
        if row["product_id"] is not None or row["result"] != "success":
            return
        if referrer not in self.first or referred not in self.first:
            return
        if self.first[referrer] <= at < self.first[referred]:
            brought = (at, event_id.encode(), referrer)
            self.parent[referred] = min(self.parent.get(referred, brought), brought)

    def counted(self):
        """[customer, direct, total, depth] of everybody with a child, by walking up from each."""
        direct, total, depth = Counter(), Counter(), Counter()
        for child, (_, _, above) in self.parent.items():
            direct[above] += 1
            length = 1
            while True:
                total[above] += 1
                depth[above] = max(depth[above], length)
                if above not in self.parent:
                    break
                above, length = self.parent[above][2], length + 1
        return [[who, direct[who], total[who], depth[who]] for who in direct]

    def rated(self, last):
        invited = Counter((month_of(row["at"]), self.city(row["customer_id"]))
                          for row in self.made.values() if row["product_id"] is None)
        joined = Counter((month_of(at), self.city(who)) for at, _, who in self.parent.values())
        out = []
        for month in {month for month, _ in invited if month <= last}:
            members = Counter(self.city(who) for who, at in self.first.items()
                              if month_of(at) <= month)
            for city in set(members) | {city for of, city in invited if of == month}:
                asked, came = invited[month, city], joined[month, city]
                out.append([month, city, members[city], asked, came,
                            rate(came, asked), rate(came, members[city])])
        return out
