"""Care after a first trial: who opened a service and does not use it, why, and what is due.

Days are walked one by one; months are running ints.
"""

import datetime as dt
from collections import Counter

from attributes import Subject

DAY = dt.timedelta(days=1)


def day_of(value):
    """Of a TOML date, or of a text."""
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def month_of(day):
    return day.year * 12 + day.month - 1


class Calendar:
    def __init__(self, table):
        self.holidays = {day_of(value) for value in table.get("holidays", [])}
        self.workdays = {day_of(value) for value in table.get("workdays", [])}

    def worked(self, day):
        """The working days from a day on, which may be one of them."""
        while True:
            if day in self.workdays or day.weekday() < 5 and day not in self.holidays:
                yield day
            day += DAY

    def dates(self, step, opened, used):
        """The days on which a step is due, in their order, without end where it recurs."""
        if used is not None:
            if "after" in step:
                year, index = divmod(used + 1, 12)
                yield next(self.worked(dt.date(year, index + 1, 1)))
        elif "every_working_days" in step:
            for number, day in enumerate(self.worked(opened + DAY), 1):
                if number % step["every_working_days"] == 0:
                    yield day
        elif "monthly" in step:
            seen = None
            for day in self.worked(opened.replace(day=1)):
                if month_of(day) != seen and (day - opened).days >= step.get("after_days", 21):
                    yield day
                seen = month_of(day)


class Case:
    """A customer who holds the product of a care."""

    def __init__(self, world, care, customer):
        self.customer, self.care = customer, care
        self.opened = None
        for at, _, action, _ in world.orders.get((customer, care["product"]), ()):
            if action == "cancel":
                self.opened = None
            elif self.opened is None:
                self.opened = at.date()
        sums = world.usage.get(customer, {})
        measure = care.get("used_by") or care["active_measure"]
        self.used = self.opened and min(
            (month for (month, of), total in sums.items()
             if of == measure and total > 0 and month >= month_of(self.opened)), default=None)

    def tasks(self, calendar, today):
        """(step, due, state): the latest day of a step that has come, and the next one."""
        for step in self.care.get("steps", []):
            last = None
            for day in calendar.dates(step, self.opened, self.used):
                if day > today:
                    yield step["do"], day, "planned"
                    break
                last = day
            if last is not None:
                yield step["do"], last, "due"

    def reason(self, subject):
        for rule, reason in self.care["rules"]:
            if rule.holds(subject):
                return reason
        return None


def rows(programme, world, tier):
    """Rows of care_task, care_diagnosis and care_count. `tier` gives a customer's class."""
    tasks, diagnoses, counts = [], [], Counter()
    for care in programme.cares:
        product = care["product"]
        for customer in {customer for customer, of in world.orders if of == product}:
            case = Case(world, care, customer)
            if case.opened is None:
                continue
            tasks += [[customer, product, *task]
                      for task in case.tasks(programme.calendar, world.now.date())]
            if case.used is None:
                reason = case.reason(Subject(world, customer, world.as_of, tier(customer)))
                diagnoses.append([customer, product, reason, case.opened, world.city(customer)])
                counts[product, reason] += 1
    return tasks, diagnoses, [[*key, n] for key, n in counts.items()]
