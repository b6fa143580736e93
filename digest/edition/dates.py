"""Dates for the diary as a calendar file (RFC 5545). Pure."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parseaddr

from icalendar import Calendar, Event

from digest.edition import Sender, When


def calendar_file(dates: Sequence[When], made_at: datetime, sender: Sender) -> str:
    """The dates as one calendar. A date keeps its identity from issue to issue, so that no diary has it twice."""
    domain = parseaddr(sender.digest_sender)[1].rpartition("@")[2]
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//digest//digest//EN")
    calendar.add("method", "PUBLISH")
    for date in dates:
        event = Event()
        mark = hashlib.sha256(repr((sender.slug, date.at.astimezone(UTC), date.what)).encode()).hexdigest()[:24]
        event.add("uid", f"{sender.slug}.{mark}@{domain}")
        event.add("dtstamp", made_at.astimezone(UTC))
        # In UTC, which every program shows in its reader's own time, over a change of the clocks too. Nobody said when
        # it ends, so it has no end (3.6.1: it then takes no time).
        event.add("dtstart", date.at.astimezone(UTC))
        event.add("summary", date.what)
        if date.where:
            event.add("location", date.where)
        calendar.add_component(event)
    return bytes(calendar.to_ical()).decode()
