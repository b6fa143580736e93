"""When an edition goes out, in the community's zone and over its clock changes, and how dates read in words. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.nouns import WEEKDAYS

WORK = (8, 16)  # the hours of the day in which a reminder is of use


def next_send(day: str, time: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The first weekly send time strictly after `after`, in UTC. `day` is one of WEEKDAYS; `after` is aware.

    A local time that a clock change skips moves to the first instant after the gap; one that comes twice counts once,
    the first time.
    """
    date = after.astimezone(zone).date()
    date += timedelta(days=(WEEKDAYS.index(day) - date.weekday()) % 7)
    while (moment := _instant(datetime.combine(date, time), zone)) <= after:
        date += timedelta(weeks=1)
    return moment


def next_round_up(day: str, time: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The first weekly send time of a month strictly after `after`, in UTC; arguments as for `next_send`."""
    moment = next_send(day, time, zone, after)
    while moment.astimezone(zone).day > 7:
        moment = next_send(day, time, zone, moment)
    return moment


def moved_round_up(day: str, time: time, zone: ZoneInfo, due: datetime, now: datetime) -> datetime:
    """When a round-up that was to go out at `due` does so by another schedule: in the same month, else as it was."""
    month = due.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    moment = next_round_up(day, time, zone, month.astimezone(UTC) - timedelta(microseconds=1))
    return moment if moment > now else due


def closes_at(send_at: datetime, lead_hours: int, zone: ZoneInfo) -> datetime:
    """When collecting ends, in UTC, so that the coordinator has `lead_hours` to review.

    Whole days of them are days of the calendar: what closes "a day before 7am" closes at 7am, over a clock change too.
    """
    days, hours = divmod(lead_hours, 24)
    wall = send_at.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    return (_instant(wall, zone) if days else send_at) - timedelta(hours=hours)


def reminder_at(closes_at: datetime, send_at: datetime, zone: ZoneInfo) -> datetime:
    """When to remind whoever reviews: the last hour in which people work that leaves them two before the deadline.

    On a weekday if the time to review has one, else at the weekend, else half-way; in UTC.
    """
    first, last = closes_at + timedelta(hours=2), send_at - timedelta(hours=2)
    hours = [
        hour
        for n in range(max(0, int((last - first) / timedelta(hours=1))) + 1)
        if WORK[0] <= (hour := last - timedelta(hours=n)).astimezone(zone).hour < WORK[1] and hour >= first
    ]
    weekdays = [hour for hour in hours if hour.astimezone(zone).weekday() < 5]
    return next(iter(weekdays or hours), closes_at + (send_at - closes_at) / 2)


def in_words(moment: datetime, zone: ZoneInfo) -> str:
    """ "Tuesday 24 November 2026 at 7:30am", as the NHS content style guide writes dates and times."""
    return f"{day_in_words(moment, zone)} at {_time_in_words(moment.astimezone(zone).time())}"


def day_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """ "Tuesday 24 November 2026"."""
    local = moment.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B} {local.year}"


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, when clocks in `zone` show `wall` for the first time, or pass over it."""
    # PEP 495: around a gap, fold=0 counts with the offset before it and fold=1 with the offset after it.
    moment, earlier = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    while moment - earlier > timedelta(seconds=1):  # the offset changes between the two: close in on where
        middle = earlier + timedelta(seconds=(moment - earlier) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset():
            moment = middle
        else:
            earlier = middle
    return moment


def _time_in_words(local: time) -> str:
    if (local.hour, local.minute) in ((0, 0), (12, 0)):
        return "midday" if local.hour else "midnight"
    minutes = f":{local.minute:02}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes}{'pm' if local.hour >= 12 else 'am'}"
