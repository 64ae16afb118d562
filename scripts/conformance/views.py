"""The views, each a list of rows of ready cells; the order of columns is the contract's."""

import csv
import datetime as dt
import os
from collections import Counter

import care
import effects
import targets
from attributes import MEASURES, Subject
from referrals import rate

COLUMNS = {
    "customer_attribute": "customer_id as_of months_billed avg_fee avg_roaming_fee "
    "avg_sms_fee avg_vas_fee avg_data_kb last_fee change_fee change_roaming_fee "
    "change_sms_fee change_vas_fee change_data age tenure_months",
    "tier": "customer_id tier since",
    "tier_count": "city tier customers",
    "tier_move": "month from_tier to_tier customers",
    "segment_member": "segment customer_id",
    "segment_count": "segment city customers",
    "points_entry": "customer_id entry_id at rule points",
    "points_balance": "customer_id balance earned forfeited adjusted rank member",
    "points_lot": "customer_id entry_id rule at granted left spendable_from expires_at",
    "rank_count": "rank members",
    "referral": "referrer referred at kind result points",
    "referral_tree": "customer_id direct total depth",
    "referral_rate": "month city members invited joined conversion coefficient",
    "member_stage": "stage city members",
    "drive_share": "tier drive sign customers share",
    "service_health": "product_id held active idle bundled_idle trial converted",
    "care_task": "customer_id product_id step due state",
    "care_diagnosis": "customer_id product_id reason opened_on city",
    "care_count": "product_id reason customers",
    "target": "campaign_id customer_id product_id channel_id arm",
    "target_count": "campaign_id channel_id arm customers",
    "target_excluded": "campaign_id reason customers",
    "effect": "campaign_id channel_id arm contacted delivered opened consulted ordered complained "
    "opted_out cost revenue",
    "effect_by": "campaign_id arm dimension value delivered ordered complained",
    "effect_rate": "campaign_id arm success_rate complaint_rate uplift uplift_low uplift_high "
    "cost_per_success saving",
    "channel_workload": "channel_id day contacts capacity",
    "penetration": "product_id segment month kind users customers rate",
    "order_request": "request_id customer_id product_id campaign_id channel_id at state code text",
    "quarantine": "file line column reason row",
    "ingest_ledger": "feed period part version status rows bad_rows sha256 accepted_at epoch",
}
# How many leading columns are the key by which a view's file is sorted.
KEYS = {"customer_attribute": 1, "tier": 1, "tier_count": 2, "tier_move": 3,
        "segment_member": 2, "segment_count": 2, "points_entry": 4,
        "points_balance": 1, "points_lot": 3, "rank_count": 1, "referral": 4, "referral_tree": 1,
        "referral_rate": 2, "member_stage": 2, "drive_share": 3, "service_health": 1,
        "care_task": 4, "care_diagnosis": 2, "care_count": 2, "target": 2,
        "target_count": 3, "target_excluded": 2, "effect": 3, "effect_by": 4, "effect_rate": 2,
        "channel_workload": 2, "penetration": 4, "order_request": 1, "quarantine": 2,
        "ingest_ledger": 4}
WHOLE = {"months_billed", "age", "tenure_months", "customers"}


def cell(column, value):
    if value is None:
        return ""
    if column in ("month", "since", "as_of"):
        return f"{value // 12:04}-{value % 12 + 1:02}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    if column in WHOLE or isinstance(value, int):
        return str(int(value))
    fen = value * 100
    assert fen.denominator == 1, "an attribute has two places"
    whole, part = divmod(abs(int(fen)), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02}"


def tier_as_of(programme, world, customer, month):
    """(in the population, tier) with as_of = month."""
    subject = Subject(world, customer, month)
    if programme.population and not programme.population.holds(subject):
        return False, None
    for tier, rule in programme.tiers:
        if rule is None or rule.holds(subject):
            return True, tier
    return True, None


def views(programme, world, store):
    """{view: rows of values}."""
    out = {name: [] for name in COLUMNS}
    tiers, tier_count, moves, segments = {}, Counter(), Counter(), Counter()
    population = []
    attributes, driven = COLUMNS["customer_attribute"].split()[3:], Counter()
    for customer in world.everybody:
        subject = Subject(world, customer, world.as_of)
        out["customer_attribute"].append(
            [customer, world.as_of, len(subject.billed(subject.recent))]
            + [subject(name) for name in attributes])
        history = {}
        if customer in world.bills:
            first = max(min(world.bills[customer]),
                        world.as_of - programme.settings.history + 1)
            for month in range(first, world.as_of + 1):
                history[month] = tier_as_of(programme, world, customer, month)[1]
                if month > first and history[month] != history[month - 1]:
                    moves[month, history[month - 1], history[month]] += 1
        member, tier = tier_as_of(programme, world, customer, world.as_of)
        if not member:
            continue
        since = None
        for month in sorted(history, reverse=True):
            if history[month] != tier:
                break
            since = month
        city = subject("city")
        if programme.tiers:
            out["tier"].append([customer, tier, since])
            tier_count[city, tier] += 1
        subject = Subject(world, customer, world.as_of, tier)
        population.append(subject)
        for drive in programme.drives if programme.tiers else ():
            found = subject.signs(drive)
            if found is not None:
                driven.update([(tier, drive, sign) for sign in found] + [(tier, drive)])
        for segment, rule in programme.segments:
            if rule.holds(subject):
                out["segment_member"].append([segment, customer])
                segments[segment, city] += 1
    out["tier_count"] = [[*key, n] for key, n in tier_count.items()]
    out["tier_move"] = [[*key, n] for key, n in moves.items()]
    out["segment_count"] = [[*key, n] for key, n in segments.items()]
    accounts = {who: account for who, account in world.points.items() if account.is_shown}
    for who, account in accounts.items():
        out["points_entry"] += [[who, *entry] for entry in account.entries]
        out["points_balance"].append([
            who, account.balance, account.earned, account.forfeited, account.adjusted,
            account.rank, account.member])
        out["points_lot"] += [
            [who, entry_id, rule, at, granted, left, begins, until]
            for until, entry_id, rule, at, granted, left, begins in account.lots if left]
    if programme.ranks:
        ranks = Counter(account.rank for account in accounts.values() if account.member)
        out["rank_count"] = [[rank, n] for rank, n in ranks.items()]
    out["referral"] = world.referrals.rows
    out["referral_tree"] = world.referrals.tree
    out["referral_rate"] = world.referrals.rates
    members = [Subject(world, who, world.as_of)
               for who, account in world.points.items() if account.member]
    stages = Counter((member.member_stage(), member("city")) for member in members)
    out["member_stage"] = [[*key, n] for key, n in stages.items()]
    for tier, drive in [key for key in driven if len(key) == 2]:
        for sign in programme.drives[drive][1]:
            count = driven[tier, drive, sign]
            out["drive_share"].append(
                [tier, drive, sign, count, rate(count, driven[tier, drive])])
    for product in {product for _, product in world.orders}:
        users = [Subject(world, customer, world.as_of)
                 for customer, of in world.orders if of == product]
        healths = Counter(user.health(product) for user in users)
        trials = Counter(user.trial(product) for user in users)
        is_measured = product in world.measures
        out["service_health"].append(
            [product, sum(user.holds(product) for user in users)]
            + [healths[state] if is_measured else None
               for state in ("active", "idle", "bundled_idle")]
            + [trials["used"] + trials["unused"], trials["converted"]])
    everybody = set(world.everybody)

    def tier(customer):
        if customer not in everybody:
            return None
        return tier_as_of(programme, world, customer, world.as_of)[1]

    out["care_task"], out["care_diagnosis"], out["care_count"] = care.rows(programme, world, tier)
    out["target"], out["target_count"], out["target_excluded"] = targets.rows(
        programme, world, store, population)
    member_of = {}
    for segment, customer in out["segment_member"]:
        member_of.setdefault(customer, []).append(("segment", segment))

    def who(customer):
        city = Subject(world, customer, world.as_of)("city")
        of_tier = tier(customer) if customer in everybody else None
        return [("city", city), ("tier", of_tier)] + member_of.get(customer, [])

    out["effect"], out["effect_by"], out["effect_rate"], out["channel_workload"] = effects.rows(
        programme, store, who)
    out["penetration"] = effects.penetration(programme, world, store, out["segment_member"])
    out["quarantine"] = [
        [extract.name, line, column, reason, ""]
        for extract in store.live.values() for line, column, reason in extract.bad]
    out["ingest_ledger"] = [
        [e.feed, e.period, e.part, e.version, e.status, e.rows, e.bad_rows, e.sha256, None, None]
        for e in store.ledger]
    return out


def sort_key(view, row):
    """Text by bytes, numbers by value, null first."""
    return [
        (0, b"") if value is None or value == "" else
        (1, value.encode()) if isinstance(value, str) else
        (1, value.isoformat().encode()) if isinstance(value, dt.date) else (1, value)
        for value in row[:KEYS[view]]]


def write(rows_by_view, directory):
    os.makedirs(directory, exist_ok=True)
    for view, rows in rows_by_view.items():
        columns = COLUMNS[view].split()
        path = os.path.join(directory, view + ".csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in sorted(rows, key=lambda row: sort_key(view, row)):
                writer.writerow([cell(c, value) for c, value in zip(columns, row)])
