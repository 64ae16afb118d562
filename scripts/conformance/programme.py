"""The parts of a programme file that these views need: settings, tiers, segments, care."""

import datetime as dt
import os
import tomllib
from fractions import Fraction
from zoneinfo import ZoneInfo

from care import Calendar
from expression import Rule, RuleError
from targets import Campaign, Limits

NOT_AS_OF = ("holds.", "terminal.", "tag.", "on_list.", "consent.", "score.",
             "trial.", "health.", "drive.", "response.")


class Settings:
    def __init__(self, table, wall=None):
        self.zone = ZoneInfo(table.get("timezone", "Asia/Shanghai"))
        self.window = table.get("window", 3)
        self.lag = table.get("lag", 3)
        self.history = table.get("history", 12)
        self.max_bad_rows = Fraction(table.get("max_bad_rows", Fraction(1, 100)))
        self.control = table.get("control", "optional")
        self.same_version = table.get("same_version", "reject")
        self.population = table.get("population")
        self.negative_balance = table.get("negative_balance", "allow_negative")
        if wall is None:
            self.wall = dt.datetime.now(self.zone).replace(tzinfo=None)
        else:
            self.wall = dt.datetime.strptime(wall, "%Y-%m-%d %H:%M:%S")


class Programme:
    def __init__(self, path, wall=None):
        merged = {}
        names = sorted(os.listdir(path)) if os.path.isdir(path) else [""]
        for name in names:
            with open(os.path.join(path, name) if name else path, "rb") as file:
                for key, value in tomllib.load(file, parse_float=Fraction).items():
                    if isinstance(value, list):
                        merged.setdefault(key, []).extend(value)
                    else:
                        merged.setdefault(key, {}).update(value)
        self.stages = {"new_days": 30, "silent_days": 30, "lapsed_days": 90}
        self.stages.update(merged.get("settings", {}).get("stages", {}))
        self.settings = Settings(merged.get("settings", {}), wall)
        self.tiers = [(t["id"], self.rule(t.get("when"))) for t in merged.get("tier", [])]
        self.segments = [(s["id"], self.rule(s["when"])) for s in merged.get("segment", [])]
        self.drives = {
            drive["id"]: (self.rule(drive["when"]),
                          {sign["id"]: self.rule(sign["when"]) for sign in drive.get("signs", [])},
                          drive.get("at_least", min(1, len(drive.get("signs", [])))))
            for drive in merged.get("drive", [])}
        self.cares = merged.get("care", [])
        for care in self.cares:
            care["rules"] = [(self.rule(diagnosis["when"]), diagnosis["reason"])
                             for diagnosis in care.get("diagnose", [])]
        self.campaigns = [Campaign(table, self.rule) for table in merged.get("campaign", [])]
        self.packs, self.limits = merged.get("pack", []), Limits(merged.get("settings", {}))
        self.calendar = Calendar(merged.get("calendar", {}))
        self.measures = {care["product"]: care.get("used_by") or care["active_measure"]
                         for care in self.cares}
        self.measures.update(merged.get("settings", {}).get("active_measures", {}))
        self.population = self.rule(self.settings.population)
        self.points = merged.get("points", {}).get("rule", [])
        self.ranks = [(rank["from"], rank["id"]) for rank in merged.get("rank", [])]
        for rule in [self.population] + [rule for _, rule in self.tiers]:
            for name in rule.names if rule else ():
                if name in ("tier", "rank", "points", "member", "member_stage") or name.startswith(NOT_AS_OF):
                    raise RuleError(f"{name} is not as of as_of")

    @staticmethod
    def rule(text):
        return None if text is None else Rule(text)
