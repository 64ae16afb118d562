#!/usr/bin/env python3
"""Makes a small nasty directory of the feeds that are carried, and a programme to go with it.

Reproducible from its seed: OUTPUT/programme.toml and OUTPUT/input. What is written has
one answer by the contract; `--parquet` adds a container and `--edge` adds cases on which the contract is silent.
"""

import argparse
import calendar
import datetime as dt
import os
import random
import shutil

import nasty_rules
import nasty_values
from fields import FEEDS
from nasty_files import SUFFIXES, Deliverer
from nasty_values import CAMPAIGNS, CAPS, CHANNELS, LISTS, MEASURES, MODELS, PLAIN, PRODUCTS, PURPOSES, WORDS
from programme import Programme

ODD_IDS = ["张三", "id,1", "id|2", 'q"3', " C4", "00012", "12", "c00005", "億6", "-1", "é",
           "id;7", "C 8", "乗", "0", "𠀀9"]
PERIODS = ["2009", "2009-01", "2009-1", "all", "H1", "a", "A", "10", "9", "2009-02"]
PARTS = ["", "1", "2", "10", "A", "a", "01", "9"]


class Province:
    def __init__(self, rng, settings, edge, months):
        self.rng, self.edge, self.zone = rng, edge, settings.zone
        self.months = months
        self.first = rng.choice([2007, 2008, 2009, 2011, 2012]) * 12 + rng.randrange(12)
        self.last = self.first + months - 1
        year, index = divmod(self.last, 12)
        self.closing = dt.date(year, index + 1, calendar.monthrange(year, index + 1)[1])
        number = rng.choice([rng.randrange(20, 60), rng.randrange(20, 300)])
        self.ids = [f"C{i:05}" for i in range(number)] + rng.sample(ODD_IDS, rng.randrange(9))
        self.ghosts = [f"G{i}" for i in range(5)] + ["nobody|億"]
        month_end = dt.datetime.combine(self.closing, dt.time(23, 59, 59))
        self.latest_order = rng.random() < 0.6 and month_end + dt.timedelta(
            seconds=rng.choice([1, 86_400, 3_000_000]))
        self.now = self.latest_order or month_end

    def some(self, share, value):
        return value if self.rng.random() < share else ""

    def moment(self):
        """A local time in the months covered, often one of a few."""
        rng = self.rng
        start = dt.datetime(self.first // 12, self.first % 12 + 1, 1)
        if rng.random() < 0.3:
            return start + dt.timedelta(days=rng.randrange(3) * 30)
        span = int((self.now - start).total_seconds())
        return start + dt.timedelta(seconds=rng.randrange(span))

    def time(self, moment):
        return nasty_values.time(self.rng, moment, self.zone)

    def born(self):
        rng, closing = self.rng, self.closing
        kind = rng.randrange(8)
        year = rng.randrange(1935, 2000)
        if kind == 0:
            return f"{rng.randrange(1936, 2000, 4)}-02-29"
        if kind <= 2:
            near = closing + dt.timedelta(days=rng.choice([-1, 0, 1, 2]))
            if self.edge or (near.month, near.day) != (2, 29):
                return f"{closing.year - rng.choice([16, 17, 26, 27, 60])}{near:-%m-%d}" if (
                    (near.month, near.day) != (2, 29)) else "1980-02-29"
        return f"{year}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"

    def joined(self):
        rng = self.rng
        month = self.last - rng.choice([0, 1, 2, 3, 12, 13, 36, 100, -1, -2])
        year, index = divmod(month, 12)
        end = calendar.monthrange(year, index + 1)[1]
        return f"{year}-{index + 1:02}-{rng.choice([1, 15, 28, end, end, end - 1]):02}"

    def customers(self):
        rng = self.rng
        named = [i for i in self.ids if rng.random() < 0.95] + self.ghosts[:1]
        return [{
            "customer_id": i, "msisdn": self.some(0.9, f"138{rng.randrange(10**8):08}"),
            "birth_date": self.some(0.93, self.born()), "gender": self.some(0.9, rng.choice("fm")),
            "city": self.some(0.9, rng.choice(PLAIN if rng.random() < 0.7 else WORDS)),
            "district": self.some(0.7, rng.choice(PLAIN + WORDS)),
            "joined_on": self.some(0.93, self.joined()),
            "status": self.some(0.95, rng.choice(["active"] * 4 + ["suspended", "closed"])),
            "brand": self.some(0.8, rng.choice(["M-Zone", "Easyown", "GoTone"])),
            "group_type": self.some(0.3, rng.choice(["student_vnet", "enterprise"])),
            "occupation": self.some(0.6, rng.choice(["farmer", "driver", "student"])),
            "employer": self.some(0.4, rng.choice(WORDS)),
            "household_id": self.some(0.3, f"H{rng.randrange(20)}"),
            "income_band": self.some(0.5, rng.choice(["low", "high"]))} for i in named]

    def bills(self):
        rng, rows = self.rng, []
        for i in self.ids:
            if rng.random() < 0.05:
                continue
            shape = rng.choice(["steady", "steady", "rising", "zero_before", "negative", "huge",
                                "tiny", "wild", "none_before"])
            begins = self.first if rng.random() < 0.7 else rng.randrange(self.first, self.last + 1)
            gaps = rng.choice([0, 0, 0.2, 0.6])
            scale = rng.choice([500, 3000, 8000, 15000, 60000])
            for month in range(begins, self.last + 1):
                if rng.random() < gaps:
                    continue
                row = {"customer_id": i, "month": f"{month // 12}-{month % 12 + 1:02}"}
                old = month < self.last - rng.randrange(1, 4)
                for place, column in enumerate(
                    "total_fee roaming_fee sms_fee vas_fee data_kb".split()
                ):
                    fen = rng.randrange(scale // 2, scale + 1) // (1 if place == 0 else 7)
                    if shape == "rising":
                        fen = fen * (month - self.first + 1) // 2
                    elif shape == "zero_before" and old or shape == "none_before" and place == 3:
                        fen = 0
                    elif shape == "negative" and rng.random() < 0.6:
                        fen = -fen
                    elif shape == "huge":
                        fen = 999999999999999 - rng.choice([0, 0, 1, rng.randrange(10**14)])
                        fen = -fen if rng.random() < 0.1 else fen
                    elif shape == "tiny":
                        fen = rng.randrange(-1, 3)
                    elif shape == "wild":
                        fen = rng.choice([0, 1, -1, 9999999, rng.randrange(10**rng.randrange(1, 9))])
                    if place == 4:
                        fen = min(abs(fen), 9999999999999)
                        row[column] = self.some(0.93, str(fen))
                    else:
                        text = nasty_values.money(rng, fen)
                        row[column] = text if place == 0 else self.some(0.93, text)
                rows.append(row)
        return rows

    def usage(self):
        rng, rows = self.rng, {}
        for _ in range(len(self.ids) * rng.choice([2, 5, 12])):
            month = rng.randrange(self.first, self.last + rng.choice([1, 1, 3]))
            year, index = divmod(month, 12)
            end = calendar.monthrange(year, index + 1)[1]
            day = f"{year}-{index + 1:02}-{rng.choice([1, end, rng.randrange(1, end + 1)]):02}"
            who = rng.choice(self.ids if rng.random() < 0.97 else self.ghosts)
            measure = rng.choice(MEASURES)
            many = rng.choice([0, 1, 2, 10, 40]) if rng.random() < 0.97 else 9999999999999
            rows[who, day, measure] = {"customer_id": who, "day": day, "measure": measure,
                                       "quantity": rng.choice(["", "0"]) + str(many)}
        return list(rows.values())

    def terminals(self):
        rng, rows = self.rng, {}
        for _ in range(len(self.ids) * 2):
            who = rng.choice(self.ids if rng.random() < 0.97 else self.ghosts)
            day = f"{(self.moment() + dt.timedelta(days=rng.choice([0, 0, 40]))):%Y-%m-%d}"
            rows[who, day] = {
                "customer_id": who, "seen_on": day, "imei": str(rng.randrange(10**14)),
                "model": rng.choice(["N73", "E63", "諾基亞|乗", "M,1"]),
                "supports": ";".join(rng.sample(CAPS, rng.randrange(5)))}
        return list(rows.values())

    def orders(self):
        rng, rows = self.rng, []
        numbers = rng.sample(range(10**4), len(self.ids) * 3)
        for number in numbers:
            who = rng.choice(self.ids if rng.random() < 0.97 else self.ghosts)
            rows.append({
                "order_id": rng.choice(["O", "o", "Ö", "億"]) + str(number), "customer_id": who,
                "product_id": rng.choice(PRODUCTS + ["unknown"]),
                "action": rng.choice(["subscribe", "cancel", "trial"]),
                "channel_id": rng.choice(["", "store", "sms", "nowhere"]),
                "at": self.time(self.moment()), "bundled": rng.choice(["", "true", "false"])})
        if self.latest_order and rows:
            rows[0]["at"] = self.time(self.latest_order)
        return rows

    def members(self):
        """Few of them, so that each has events of one second and beyond every cap."""
        return self.ids[:5] + self.ghosts[:2]

    def busy(self):
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + dt.timedelta(
            days=self.rng.randrange(-3, 1), seconds=self.rng.choice([0, 1, 3600, 7200, 86399]))

    def member_events(self):
        rng, rows = self.rng, []
        kinds = (["register"] * 3 + ["deregister"] + ["login"] * 4 + ["experience"] * 3
                 + ["refer"] * 3 + ["participate", "participate", "visit", "redeem", "transfer", "transfer"])
        for number in rng.sample(range(10**4), len(self.ids) * rng.choice([2, 6])):
            rows.append({
                "event_id": rng.choice(["E", "e", "Ö", "億"]) + str(number),
                "customer_id": rng.choice(self.members()), "kind": rng.choice(kinds),
                "at": self.time(self.busy() if rng.random() < 0.8 else self.moment()),
                "channel_id": rng.choice(["", "sms"]),
                "product_id": rng.choice(["", *PRODUCTS[:2]]),
                "other_id": rng.choice(["", *self.ids[:4], *self.ghosts]),
                "result": rng.choice(["", "success", "success", "failure"]),
                "points": rng.choice(["", "", "5", "-5"]),
                "detail": rng.choice(["", *WORDS[:2]])})
        return rows + self.circle(len(rows))

    def circle(self, taken):
        """A few who register one after the other and bring one another in, or try to."""
        rng, rows = self.rng, []
        people = rng.sample(self.ids, min(len(self.ids), 9)) + self.ghosts[:1]
        begins = self.busy() - dt.timedelta(days=rng.choice([0, 2, 40]))
        step = rng.choice([0, 1, 1, 60])
        moments = [begins + dt.timedelta(seconds=step * place) for place in range(len(people))]
        for place, (who, at) in enumerate(zip(people, moments)):
            events = [("register", "", "", "", at)] * (rng.random() < 0.9)
            for _ in range(rng.choice([0, 1, 2, 3])):
                above = rng.randrange(max(place, 1))
                events.append(("refer", rng.choice(["", "", "", PRODUCTS[0]]), who,
                               rng.choice(["success", "success", "success", "failure", ""]),
                               rng.choice([moments[above], at, at - dt.timedelta(seconds=1)]),
                               people[above]))
            for kind, product, other, result, moment, *doer in events:
                rows.append({
                    "event_id": f"{rng.choice('ZzÄ')}{taken + len(rows)}",
                    "customer_id": doer[0] if doer else who, "kind": kind,
                    "at": self.time(moment), "channel_id": "", "product_id": product,
                    "other_id": other, "result": result, "points": "", "detail": ""})
        return rows

    def adjustments(self):
        rng = self.rng
        return [{
            "adjustment_id": rng.choice(["E", "A", "億"]) + str(number),
            "customer_id": rng.choice(self.members()),
            "points": rng.choice(["0", "-0", "7", "-7", "-30", "050"])
            if rng.random() < 0.97 else "-999999999999",
            "reason": rng.choice(["goodwill", "乗|x"]), "by": rng.choice(["", "admin"]),
            "at": self.time(self.busy())} for number in rng.sample(range(10**3), len(self.ids))]

    def listings(self):
        rng, rows = self.rng, {}
        second = dt.timedelta(seconds=1)
        for _ in range(len(self.ids)):
            who = rng.choice(self.ids if rng.random() < 0.95 else self.ghosts)
            edges = [self.now, self.now, self.now - second, self.now + second, self.moment(),
                     dt.datetime(2998, 12, 31)]
            begins, ends = rng.choice(edges), rng.choice(edges)
            name = rng.choice(LISTS)
            rows[name, who] = {
                "list_id": name, "customer_id": who, "from": self.some(0.7, self.time(begins)),
                "until": self.some(0.6, self.time(ends)), "reason": self.some(0.5, "乗|x")}
        return list(rows.values())

    def consents(self):
        rng, rows = self.rng, {}
        for _ in range(len(self.ids) * 2):
            who = rng.choice(self.members() if rng.random() < 0.5 else self.ids)
            moment = self.busy() if rng.random() < 0.8 else self.moment()
            purpose, channel = rng.choice(PURPOSES), rng.choice(CHANNELS + ["*"] * 3)
            rows[who, purpose, channel, moment] = {
                "customer_id": who, "purpose": purpose, "channel_id": channel,
                "at": self.time(moment), "given": rng.choice(["true", "true", "false"])}
        return list(rows.values())

    def scores(self):
        rng, rows = self.rng, {}
        for _ in range(len(self.ids)):
            who, model = rng.choice(self.ids + self.ghosts), rng.choice(MODELS)
            fen = rng.choice([0, -1, 2050, -2050, rng.randrange(-10**4, 10**4), 999999999999999])
            rows[who, model] = {
                "customer_id": who, "model": model, "value": nasty_values.money(rng, fen),
                "at": self.some(0.6, self.time(self.moment()))}
        return list(rows.values())

    def recent(self):
        """A time that is about to stop counting, or does just yet."""
        edge = self.now - dt.timedelta(days=self.rng.choice([1, 2, 7, 14]))
        return edge + dt.timedelta(seconds=self.rng.choice([-1, 0, 1, 40_000]))

    def campaign_and_customer(self):
        """Half the time a few, so that contacts meet one another, and feedback meets them."""
        rng = self.rng
        if rng.random() < 0.5:
            return rng.choice(CAMPAIGNS[:2] + ["gone"]), rng.choice(self.members())
        return rng.choice(CAMPAIGNS + ["gone"]), rng.choice(self.ids if rng.random() < 0.97 else self.ghosts)

    def contacts(self):
        rng, rows = self.rng, []
        for number in rng.sample(range(10**4), len(self.ids)):
            campaign, customer = self.campaign_and_customer()
            rows.append({
                "contact_id": rng.choice(["k", "K", "億"]) + str(number),
                "campaign_id": campaign, "customer_id": customer,
                "channel_id": rng.choice(CHANNELS), "at": self.time(self.recent()),
                "outcome": rng.choice(["delivered", "delivered", "failed", "withheld"]),
                "arm": rng.choice(["", "target", "control", "random"])})
        return rows

    def feedback(self):
        rng, rows = self.rng, []
        kinds = ["open", "order", "order", "order", "decline", "decline", "later", "optout", "survey", "complaint",
                 "shown", "consult"]
        for number in rng.sample(range(10**4), len(self.ids)):
            campaign, customer = self.campaign_and_customer()
            rows.append({
                "feedback_id": rng.choice(["f", "F", "億"]) + str(number),
                "campaign_id": campaign, "customer_id": customer, "kind": rng.choice(kinds),
                "at": self.time(self.recent() if rng.random() < 0.7 else self.busy()),
                "channel_id": self.some(0.5, "sms"), "product_id": self.some(0.5, rng.choice(PRODUCTS)),
                "amount": rng.choice(["", "5", "0.01", "-3.5", "999999999"]),
                "reason": rng.choice(["", "price", "扰民"]), "value": rng.choice(["", "80", "-0.5"])})
        return rows

    def campaign_states(self):
        rng, rows = self.rng, []
        states = ["draft", "approved", "running", "running", "paused", "closed"]
        for number in rng.sample(range(100), 8):
            rows.append({
                "change_id": f"s{number}", "campaign_id": rng.choice(CAMPAIGNS),
                "state": rng.choice(states), "city": self.some(0.3, rng.choice(PLAIN)),
                "at": self.time(self.recent()), "by": "li", "note": ""})
        return rows

    def answers(self):
        """To requests that nobody made here; in some directories the clock goes by one of them."""
        rng, rows = self.rng, []
        for number in rng.sample([0, 1, 2**64, 2**127, 2**128 - 1] + list(range(10, 40)), 12):
            rows.append({
                "request_id": f"{number:032x}", "state": rng.choice(["opened", "failed"]),
                "code": self.some(0.4, rng.choice(["E7", "R17"])),
                "text": self.some(0.4, rng.choice(WORDS)), "at": self.time(self.recent())})
        if rng.random() < 0.2:
            late = self.now + dt.timedelta(days=rng.choice([1, 7, 14]), seconds=rng.choice([0, 1]))
            rows[0]["at"] = self.time(late)
        return rows

    def products(self):
        rng = self.rng
        return [{
            "product_id": p, "name": rng.choice(WORDS),
            "category": rng.choice(["", "entertainment", "information", "commerce"]),
            "stage": rng.choice(["", "mature", "growing"]), "monthly_price": rng.choice(
                ["", "5", "5.5", "-1.00"]), "requires": rng.choice(["", "wap;mms", "java"]),
            "value": rng.choice(["", "0", "100", "007"]), "traits": "a;b"} for p in PRODUCTS[:4]]

    def channels(self):
        rng = self.rng
        return [{"channel_id": c, "name": "营业厅", "unit_cost": rng.choice([u, u, u, "", "0"]),
                 "daily_capacity": rng.choice(["1000", "", "0"]), "traits": ""}
                for c, u in (("store", "2.00"), ("sms", "0.1"), ("mms", "0.3"), ("call", "1.30"))]


def by_partition(rng, feed, rows, deliverer):
    """{(period, part): rows}; some rows stand in a second partition too, with other values."""
    places = {}
    if feed == "bill":
        parts = rng.sample(PARTS, rng.choice([1, 1, 2, 3]))
        for row in rows:
            place = (row["month"], rng.choice(parts))
            places.setdefault(place, []).append(row)
        choices = {month: [p for p in places if p[0] == month] for month, _ in places}
    else:
        pool = [(a, b) for a in PERIODS for b in PARTS]
        chosen = rng.sample(pool, rng.choice([1, 2, 2, 3, 4]))
        for row in rows:
            places.setdefault(rng.choice(chosen), []).append(row)
        choices = {None: list(places)}
    for place in list(places):
        for row in deliverer.changed(feed, places[place]) if places[place] else []:
            if rng.random() < 0.15:
                other = rng.choice(choices[row["month"] if feed == "bill" else None])
                keys = FEEDS[feed].key
                if not any(all(r[k] == row[k] for k in keys) for r in places[other]):
                    places[other].append(row)
    return places


def litter(rng, directory):
    """What must be left alone."""
    for name in rng.sample([".bill_2009-01.csv", "bill_2009-01_1.csv.tmp", "notes.txt",
                            "order_x.csv.part", "ping_2009.csv", "weather_2009-01.csv",
                            ".hidden", "customers_2009.csv", "READ ME"], rng.randrange(6)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write("customer_id,month,total_fee\nC00000,2031-01,1.00\n")
    if rng.random() < 0.1:
        name = rng.choice(["bill_all.csv", "bill_2009-13.csv", "order_2009_1_2.csv",
                           "usage_2009.xls", "customer_.csv", "order_request_2009.csv",
                           "handoff_2009_1.csv"])
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write("customer_id,month,total_fee\nC00000,2009-01,1.00\n")


def make(seed, output, edge, parquet):
    rng = random.Random(f"{seed}/{edge}/{parquet}")
    inputs = os.path.join(output, "input")
    if os.path.exists(inputs):
        shutil.rmtree(inputs)
    os.makedirs(inputs)
    months = rng.randrange(3, 15)
    path = os.path.join(output, "programme.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(nasty_rules.programme(rng, months, edge))
    settings = Programme(path).settings
    province = Province(rng, settings, edge, months)
    suffixes = SUFFIXES + [".parquet"] * parquet
    deliverer = Deliverer(rng, inputs, settings, edge, suffixes)
    feeds = {
        "customer": province.customers, "bill": province.bills, "usage": province.usage,
        "terminal": province.terminals, "order": province.orders,
        "member_event": province.member_events, "adjustment": province.adjustments,
        "listing": province.listings, "consent": province.consents, "score": province.scores,
        "product": province.products, "channel": province.channels,
        "contact": province.contacts, "feedback": province.feedback,
        "campaign_state": province.campaign_states, "provisioning": province.answers}
    for feed, rows in feeds.items():
        share = 0.98 if feed in ("customer", "bill") else 0.9
        made = rows()
        if rng.random() < share:
            for (period, part), some in by_partition(rng, feed, made, deliverer).items():
                deliverer.partition(feed, period, part, some)
    if rng.random() < 0.25:  # a last month that is there and then is not
        month = f"{province.last // 12 + 1}-01"
        deliverer.file("bill", month, "Z", "", [{
            "customer_id": i, "month": month, "total_fee": "1.00"} for i in province.ids[:9]],
            bad=0)
        deliverer.file("bill", month, "Z", ".v2", [])
    if rng.random() < 0.3:  # months that nobody can have billed yet
        deliverer.file("bill", "2999-01", "", "", [{
            "customer_id": i, "month": "2999-01", "total_fee": "1.00"}
            for i in province.ids[:5]], bad=0)
    litter(rng, inputs)


def main():
    arguments = argparse.ArgumentParser(description="make a nasty input directory")
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--output", required=True)
    arguments.add_argument("--edge", action="store_true",
                           help="also what the contract leaves open")
    arguments.add_argument("--parquet", action="store_true",
                           help="also Parquet files (needs pyarrow)")
    given = arguments.parse_args()
    make(given.seed, given.output, given.edge, given.parquet)


if __name__ == "__main__":
    main()
