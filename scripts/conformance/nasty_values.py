"""Values as extracts write them: many spellings of one good value, and values that are bad."""

import datetime as dt

import fields

# Ends in the byte of `|` or of a backslash in GBK: splitting before decoding shifts columns.
TRAPS = "億墊倈乗僜"
WORDS = ["Shenyang", "Dalian", "沈阳", "億達", "墊江|东", "A,B", 'Q"uote', "O'Brien", "a\\b",
         "100%", "x_y", "x.y", "two\nlines", "tab\there", " lead", "trail ", "é", "(a+b)*",
         "shenyang", "null", "NULL", "-", "0", "乗客", "𠀀"]
PLAIN = ["Shenyang", "Dalian", "Anshan", "沈阳", "東区", "億達"]
PRODUCTS = ["fetion", "mail139", "mms_pack", "video", "news"]
MEASURES = ["sms_p2p", "mms_p2p", "roaming_calls", "voice_min", "bill_query", "Odd measure|億"]
CAPS = ["wap", "mms", "java", "edge", "lte"]
LISTS = ["vip", "do_not_contact", "registration", "experience"]
PURPOSES = ["marketing", "location"]
MODELS = ["churn", "music"]
CAMPAIGNS = ["k0", "活动1", "K2", "k3"]
CHANNELS = ["sms", "mms", "wap", "wap_push", "app", "乗|x"]

BAD_NUMBER = ["1e3", "1,234.5", "１２", "NaN", "inf", "0x10", "-", "--5", "+5", ".5", "5.",
              " 5", "5 ", "1_000", "¥5", "NULL", "9" * 40, "10000000000000", "#N/A", "1 000"]
BAD_MONEY = BAD_NUMBER + ["1.234", "1.000", "-10000000000000.00", "9999999999999.999", "1.5e1"]
BAD_COUNT = BAD_NUMBER + ["-1", "1.0", "0.5", "-9999"]
BAD_DAY = ["2009-02-30", "2009-02-29", "1900-02-29", "2009-13-01", "2009-00-10", "2009-06-31",
           "2009-1-01", "20090101", "2009/01/01", "01/02/2009", "0000-00-00", "２００９-01-01",
           "09-01-01", "2009-01-00", "today"]
BAD_MONTH = ["2009-13", "2009-00", "2009-7", "200907", "2009/07", "July"]
BAD_TIME = ["2009-02-30 00:00:00", "2009-01-01 24:00:01", "2009-01-01 25:00:00",
            "2009-01-01 23:60:00", "2009-01-01 1:02:03", "2009-01-01 00:00",
            "01/02/2009 00:00:00", "2009-13-01T00:00:00Z", "1246406400", "2009-01-32",
            "2009-01-01 00:00:00 PM", "2009-01-01T00:00:00+8"]
DISPUTED_TIME = ["2009-01-01T00:00:00", "2009-01-01 23:59:60", "2009-01-01 00:00:00+08:00"]
BAD_REQUEST = ["0" * 31, "0" * 33, "A" * 32, "0x" + "0" * 30, "g" * 32, "０" * 32, " " + "0" * 31]
BAD_CHOICE = ["F", "Active", "unknown", "subscribe ", "TRUE", "1", "yes", "ｆ"]


def bad_value(rng, read, column, feed, edge):
    """A value the column can't take; None where every text is good."""
    if read is fields.money:
        return rng.choice(BAD_MONEY)
    if read is fields.count:
        return rng.choice(BAD_COUNT)
    if read is fields.points:
        return rng.choice(BAD_NUMBER + ["1.0", "0.5", "1000000000000", "-1000000000000"])
    if read is fields.percent:
        return rng.choice(BAD_COUNT + ["101", "1000"])
    if read is fields.month:
        return rng.choice(BAD_MONTH)
    future = fields.FEEDS[feed].moment == column and rng.random() < 0.2
    if read is fields.day:
        return "2999-01-01" if future else rng.choice(BAD_DAY)
    if read is fields.time:
        if future:
            return rng.choice(["2999-12-31 24:00:00", "2999-01-01T00:00:00Z", "2999-01-01"])
        return rng.choice(BAD_TIME + BAD_DAY[:6] + (DISPUTED_TIME if edge else []))
    if read is fields.request_id:
        return rng.choice(BAD_REQUEST)
    if read is fields.text or read is fields.words:
        return None
    return rng.choice(BAD_CHOICE)


def money(rng, fen):
    """One of the spellings of an amount given in fen."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    whole, part = divmod(fen, 100)
    if part == 0 and rng.random() < 0.3:
        return rng.choice([f"{sign}{whole}", f"{sign}{whole}.0", f"{sign}0{whole}"])
    if part % 10 == 0 and rng.random() < 0.3:
        return f"{sign}{whole}.{part // 10}"
    if fen == 0 and rng.random() < 0.2:
        return "-0.00"
    return f"{sign}{whole}.{part:02}"


def time(rng, moment, zone):
    """One of the spellings of a local time; `moment` is naive and local."""
    fraction = rng.choice([".9", ".999999999", ".000"]) if rng.random() < 0.15 else ""
    if rng.random() < 0.25:
        offset = rng.choice([0, 330, 480, -300, 525, -210, 840])
        elsewhere = moment.replace(tzinfo=zone).astimezone(
            dt.timezone(dt.timedelta(minutes=offset)))
        shown = elsewhere.strftime("%Y-%m-%dT%H:%M:%S") + fraction
        if offset == 0 and rng.random() < 0.5:
            return shown + "Z"
        sign, offset = ("-", -offset) if offset < 0 else ("+", offset)
        return f"{shown}{sign}{offset // 60:02}:{offset % 60:02}"
    if moment.time() == dt.time():
        kind = rng.randrange(3)
        if kind == 0:
            return moment.strftime("%Y-%m-%d")
        if kind == 1:
            return (moment - dt.timedelta(days=1)).strftime("%Y-%m-%d 24:00:00")
    return moment.strftime("%Y-%m-%d %H:%M:%S") + fraction
