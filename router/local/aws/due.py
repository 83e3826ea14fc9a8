"""Tell when a schedule is due: `rate(5 minutes)`, `cron(0 2 * * ? *)` and `at(2030-01-31T12:00:00)`."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_LONGEST = 366 * 8  # days that are looked at; a 29 February comes within eight years
_FORM = re.compile(r"(?P<kind>rate|cron|at)\((?P<inner>[^()]+)\)")


class Cron(NamedTuple):
    """A cron expression. days: whether a date is one of its days."""

    minutes: list[int]
    hours: list[int]
    days: Callable[[date], bool]
    months: list[int]
    years: list[int]


def next_due(expression: str, after: datetime, zone: str = "", since: datetime | None = None) -> datetime | None:
    """Return the first moment after another at which a schedule is due; None where it never is again.

    expression: of EventBridge.
    after: an aware moment.
    zone: the name of a time zone; UTC where it is empty.
    since: the moment from which a rate counts; by default `after`.

    Raises:
        ConfigurationError: the expression or the zone is not one that is known.
    """
    found = _FORM.fullmatch(expression)
    if found is None:
        raise _unknown(expression)
    where = _zone(zone)
    if found["kind"] == "rate":
        return _next_rate(found["inner"], after, since or after)
    if found["kind"] == "at":
        moment = datetime.fromisoformat(found["inner"]).replace(tzinfo=where)
        return moment.astimezone(UTC) if moment > after else None
    return _next_cron(parse_cron(found["inner"]), after, where)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (LookupError, ValueError, OSError) as error:
        raise ConfigurationError(f"{name!r:.80} is not a time zone that this machine knows") from error


def _unknown(expression: str) -> ConfigurationError:
    return ConfigurationError(f"{expression!r:.80} is not a schedule that is understood here")


def _next_rate(inner: str, after: datetime, since: datetime) -> datetime:
    number, _, unit = inner.partition(" ")
    seconds = _UNITS.get(unit.removesuffix("s"))
    if seconds is None or not number.isdigit() or number == "0":
        raise _unknown(f"rate({inner})")
    every = timedelta(seconds=int(number) * seconds)
    return since + every * ((after - since) // every + 1)


def _next_cron(cron: Cron, after: datetime, where: ZoneInfo) -> datetime | None:
    local = after.astimezone(where)
    first = local.date()
    for offset in range(_LONGEST):
        day = first + timedelta(days=offset)
        if day.year not in cron.years or day.month not in cron.months or not cron.days(day):
            continue
        for hour in cron.hours:
            for minute in cron.minutes:
                moment = datetime.combine(day, time(hour, minute), where)
                # A time that the clocks skip in spring is no time; of one that comes twice in autumn the first counts
                # (EventBridge Scheduler User Guide, "Daylight savings time").
                real = moment.astimezone(UTC)
                if real.astimezone(where).replace(tzinfo=None) == moment.replace(tzinfo=None) and real > after:
                    return real
    return None


def parse_cron(fields: str) -> Cron:
    """Read the six fields of a cron expression.

    Raises:
        ConfigurationError: there are not six, or one of them is not known.
    """
    parts = fields.split()
    if len(parts) != 6:
        raise _unknown(f"cron({fields})")
    try:
        minutes, hours, day, month, weekday, year = parts
        return Cron(
            _numbers(minutes, 0, 59),
            _numbers(hours, 0, 23),
            _weekdays(weekday) if day == "?" else _dates(day),
            _numbers(month, 1, 12, _MONTHS),
            _numbers(year, 1970, 2199),
        )
    except ValueError as error:
        raise _unknown(f"cron({fields})") from error


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> list[int]:
    """Return the numbers that a field stands for, sorted.

    Raises:
        ValueError: it is not one.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        if span == "*":
            first, last = least, most
        else:
            first = _number(start, least, names)
            last = _number(end, least, names) if dash else most if slash else first
        every = int(step) if slash else 1
        if not least <= first <= most or not least <= last <= most or every < 1:
            raise ValueError(field)
        # A range may go over the end: FRI-MON.
        span_of = range(first, last + 1) if first <= last else [*range(first, most + 1), *range(least, last + 1)]
        found.update(list(span_of)[::every])
    return sorted(found)


def _number(text: str, least: int, names: tuple[str, ...]) -> int:
    return names.index(text.upper()) + least if text.upper() in names else int(text)


def _dates(field: str) -> Callable[[date], bool]:
    """Return whether a date is one of a field's days of the month: `1,15`, `L`, `15W`, `LW`."""
    if field.upper() == "L":
        return lambda day: day.day == _last(day)
    if field.upper().endswith("W"):
        nearest = field[:-1].upper()
        wanted = None if nearest == "L" else int(nearest)
        return lambda day: day == _nearest_weekday(day, wanted or _last(day))
    numbers = frozenset(_numbers(field, 1, 31))
    return lambda day: day.day in numbers


def _weekdays(field: str) -> Callable[[date], bool]:
    """Return whether a date is one of a field's days of the week: `MON-FRI`, `6L` for the last Friday, `3#2`."""
    name, number, count = field.partition("#")
    if number:
        wanted, which = _number(name, 1, _DAYS), int(count)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == which
    if field.upper() == "L":
        return lambda day: _weekday(day) == 7
    if field.upper().endswith("L"):
        last = _number(field[:-1], 1, _DAYS)
        return lambda day: _weekday(day) == last and day.day + 7 > _last(day)
    numbers = frozenset(_numbers(field, 1, 7, _DAYS))
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    """Return the day of the week as EventBridge counts it: 1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(month: date, wanted: int) -> date | None:
    """Return the weekday that is nearest to a day of the month, and in that month; None where it has no such day."""
    if wanted > _last(month):
        return None
    day = month.replace(day=wanted)
    if day.isoweekday() == 6:
        return day - timedelta(days=1) if wanted > 1 else day + timedelta(days=2)
    if day.isoweekday() == 7:
        return day + timedelta(days=1) if wanted < _last(month) else day - timedelta(days=2)
    return day
