"""The form of an edition's own words: its introduction, its announcements and its dates."""

from datetime import datetime

from digest.models import Edition
from digest.web.guards import MemberVisit

DATE = ("on", "at", "what", "where")  # what a row of dates is made of


def written(visit: MemberVisit) -> tuple[str, str]:
    """The introduction and the announcements as they were sent."""
    return visit.field("introduction").replace("\r\n", "\n"), visit.field("announcements").replace("\r\n", "\n")


def dates(visit: MemberVisit) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows of dates that were filled in, and what is wrong with them: field → sentence."""
    rows, faults = [], {}
    for number in sorted({n for n in visit.form.getlist("date") if isinstance(n, str) and n.isdecimal()}, key=int):
        on, at, what, where = (visit.field(f"{name}.{number}") for name in DATE)
        if not (on or at or what or where):
            continue
        moment = when(on, at or "00:00", visit)
        if moment is None:
            faults[f"on.{number}"] = "Enter a date and a time, like 24/11/2026 and 13:30."
        elif not what:
            faults[f"what.{number}"] = "Say what happens then, or leave the whole row empty."
        else:
            rows.append({"at": moment.isoformat(), "what": what, "where": where})
    return rows, faults


def when(on: str, at: str, visit: MemberVisit) -> datetime | None:
    """A day and a time as a browser sends them (HTML, "date" and "time" inputs), in the community's zone."""
    try:
        return datetime.fromisoformat(f"{on}T{at}").replace(tzinfo=visit.community.zone)
    except ValueError:
        return None


def shown(visit: MemberVisit, edition: Edition, as_sent: bool) -> dict[str, object]:
    """What the form holds: what is stored, or what was sent; its dates in rows, with room for one more."""
    if as_sent and "introduction" in visit.form:
        numbers = [n for n in visit.form.getlist("date") if isinstance(n, str) and n.isdecimal()]
        introduction, announcements = written(visit)
        rows = [{name: visit.field(f"{name}.{n}") for name in DATE} for n in numbers]
        return {"introduction": introduction, "announcements": announcements, "rows": rows}
    rows = []
    for date in edition.dates:
        local = datetime.fromisoformat(date["at"]).astimezone(visit.community.zone)
        rows.append({"on": f"{local:%Y-%m-%d}", "at": f"{local:%H:%M}", "what": date["what"], "where": date["where"]})
    rows.append(dict.fromkeys(DATE, ""))
    return {"introduction": edition.introduction, "announcements": edition.announcements, "rows": rows}
