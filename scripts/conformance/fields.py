"""The feeds and their values: which columns, which grammar, what is bad.

A value is read to one exact Python value: money as Fraction yuan, counts as int,
months as a running int (year * 12 + month - 1), days as date, times as naive local
datetime, sets of words as frozenset, everything else as str. Empty is None.
`Bad` carries the reason; values are never echoed.
"""

import datetime as dt
import re
from fractions import Fraction

MONEY = re.compile(r"-?[0-9]+(\.[0-9]{1,2})?")
POINTS = re.compile(r"-?[0-9]+")
COUNT = re.compile(r"[0-9]+")
MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ Tt])([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
REQUEST_ID = re.compile("[0-9a-f]{32}")
MONEY_MAX = Fraction("9999999999999.99")
COUNT_MAX = 9999999999999
POINTS_MAX = 999999999999


class Bad(Exception):
    """The value can't be read; the text says why without repeating it."""


def text(value, zone):
    return value


def words(value, zone):
    return frozenset(word for word in value.split(";") if word)


def money(value, zone):
    if not MONEY.fullmatch(value):
        raise Bad("expected a decimal with at most two places")
    amount = Fraction(value)
    if abs(amount) > MONEY_MAX:
        raise Bad("out of range")
    return amount


def count(value, zone):
    if not COUNT.fullmatch(value):
        raise Bad("expected a whole number")
    if int(value) > COUNT_MAX:
        raise Bad("out of range")
    return int(value)


def points(value, zone):
    if not POINTS.fullmatch(value):
        raise Bad("expected a whole number")
    if abs(int(value)) > POINTS_MAX:
        raise Bad("out of range")
    return int(value)


def percent(value, zone):
    number = money(value, zone)
    if not 0 <= number <= 100:
        raise Bad("expected 0 to 100")
    return number


def month(value, zone):
    match = MONTH.fullmatch(value)
    if not match or match[1] == "0000":
        raise Bad("expected YYYY-MM")
    return int(match[1]) * 12 + int(match[2]) - 1


def day(value, zone):
    match = DAY.fullmatch(value)
    if not match:
        raise Bad("expected YYYY-MM-DD")
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Bad("impossible date") from None


def time(value, zone):
    """Local `YYYY-MM-DD HH:MM:SS`, a bare day, or RFC 3339 brought to local time."""
    if DAY.fullmatch(value):
        return dt.datetime.combine(day(value, zone), dt.time())
    match = TIME.fullmatch(value)
    if not match or (match[2] != " " and not match[7]):
        raise Bad("expected YYYY-MM-DD HH:MM:SS or RFC 3339")
    midnight = dt.datetime.combine(day(match[1], zone), dt.time())
    hour, minute, second = int(match[3]), int(match[4]), int(match[5])
    end_of_day = (hour, minute, second) == (24, 0, 0) and not (match[6] or "").strip(".0")
    if not end_of_day and (hour > 23 or minute > 59 or second > 59):
        raise Bad("impossible time")
    try:
        moment = midnight + dt.timedelta(hours=hour, minutes=minute, seconds=second)
        if not match[7]:
            return moment
        if match[7] in "Zz":
            offset = dt.timedelta()
        else:
            hours, minutes = int(match[7][1:3]), int(match[7][4:6])
            if hours > 23 or minutes > 59:
                raise Bad("impossible offset")
            offset = dt.timedelta(hours=hours, minutes=minutes)
            if match[7][0] == "-":
                offset = -offset
        utc = (moment - offset).replace(tzinfo=dt.timezone.utc)
        return utc.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise Bad("out of range") from None


def one_of(*allowed):
    def read(value, zone):
        if value not in allowed:
            raise Bad("not in the listed set")
        return value

    return read


flag = one_of("true", "false")


def request_id(value, zone):
    """32 hexadecimal digits in lower case: each has one spelling."""
    if not REQUEST_ID.fullmatch(value):
        raise Bad("expected 32 hexadecimal digits")
    return value


class Feed:
    """Columns in the contract's order; `key` and `mandatory` are column names."""

    def __init__(self, key, mandatory, columns, moment=None):
        self.key = key.split()
        self.mandatory = self.key + mandatory.split()
        self.columns = columns
        self.moment = moment  # the column that must not lie after wall time plus a day


FEEDS = {
    "customer": Feed("customer_id", "", {
        "customer_id": text, "msisdn": text, "birth_date": day, "gender": one_of("f", "m"),
        "city": text, "district": text, "joined_on": day,
        "status": one_of("active", "suspended", "closed"), "brand": text, "group_type": text,
        "occupation": text, "employer": text, "household_id": text, "income_band": text}),
    "terminal": Feed("customer_id seen_on", "", {
        "customer_id": text, "seen_on": day, "imei": text, "model": text, "supports": words},
        moment="seen_on"),
    "bill": Feed("customer_id month", "total_fee", {
        "customer_id": text, "month": month, "total_fee": money, "roaming_fee": money,
        "sms_fee": money, "vas_fee": money, "data_kb": count}, moment="month"),
    "usage": Feed("customer_id day measure", "quantity", {
        "customer_id": text, "day": day, "measure": text, "quantity": count}, moment="day"),
    "product": Feed("product_id", "", {
        "product_id": text, "name": text,
        "category": one_of("entertainment", "information", "communication", "commerce"),
        "stage": one_of("mature", "growing", "incubating"), "monthly_price": money,
        "requires": words, "value": percent, "traits": words}),
    "channel": Feed("channel_id", "", {
        "channel_id": text, "name": text, "unit_cost": money, "daily_capacity": count,
        "traits": words}),
    "order": Feed("order_id", "customer_id product_id action at", {
        "order_id": text, "customer_id": text, "product_id": text,
        "action": one_of("subscribe", "cancel", "trial"), "channel_id": text, "at": time,
        "bundled": flag}, moment="at"),
    "member_event": Feed("event_id", "customer_id kind at", {
        "event_id": text, "customer_id": text,
        "kind": one_of("register", "deregister", "login", "visit", "experience", "refer",
                       "opinion", "answer", "participate", "redeem", "transfer"),
        "at": time, "channel_id": text, "product_id": text, "other_id": text,
        "result": one_of("success", "failure"), "points": points, "detail": text}, moment="at"),
    "adjustment": Feed("adjustment_id", "customer_id points reason at", {
        "adjustment_id": text, "customer_id": text, "points": points, "reason": text,
        "by": text, "at": time}, moment="at"),
    "listing": Feed("list_id customer_id", "", {
        "list_id": text, "customer_id": text, "from": time, "until": time, "reason": text}),
    "consent": Feed("customer_id purpose channel_id at", "given", {
        "customer_id": text, "purpose": text, "channel_id": text, "at": time, "given": flag},
        moment="at"),
    "score": Feed("customer_id model", "value", {
        "customer_id": text, "model": text, "value": money, "at": time}, moment="at"),
    "contact": Feed("contact_id", "campaign_id customer_id channel_id at outcome", {
        "contact_id": text, "campaign_id": text, "customer_id": text, "channel_id": text,
        "at": time, "outcome": one_of("delivered", "failed", "withheld"),
        "arm": one_of("target", "control", "random")}, moment="at"),
    "feedback": Feed("feedback_id", "campaign_id customer_id kind at", {
        "feedback_id": text, "campaign_id": text, "customer_id": text,
        "kind": one_of("open", "shown", "consult", "order", "decline", "later", "complaint",
                       "optout", "survey"),
        "at": time, "channel_id": text, "product_id": text, "amount": money, "reason": text,
        "value": money}, moment="at"),
    "campaign_state": Feed("change_id", "campaign_id state at by", {
        "change_id": text, "campaign_id": text,
        "state": one_of("draft", "predicted", "approved", "dispatched", "accepted", "rehearsed",
                        "running", "paused", "closed"),
        "city": text, "at": time, "by": text, "note": text}, moment="at"),
    "provisioning": Feed("request_id", "state at", {
        "request_id": request_id, "state": one_of("opened", "failed"), "code": text, "text": text,
        "at": time}, moment="at"),
}
# Made by the service alone: a file of that name is refused.
INTERNAL = ("handoff", "order_request")


def moment_of(value):
    """The first second of a month, day or time, for comparing with the wall clock."""
    if isinstance(value, int):
        return dt.datetime(value // 12, value % 12 + 1, 1)
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time())
