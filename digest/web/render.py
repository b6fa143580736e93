"""The pages' Jinja environment, and how dates, counts and messages' words are written for people."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from markupsafe import Markup, escape

from digest.assets import TEMPLATES
from digest.edition.compile import besides


def environment() -> Environment:
    """Templates below `templates/`, and the NHS.UK macros, which need ChainableUndefined."""
    pages = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), PackageLoader("nhsuk_frontend_jinja")]),
        undefined=ChainableUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "day": day,
        "moment": moment,
        "clock": clock,
        "count": count,
        "web_address": web_address,
        "listed": listed,
        "marked": marked,
        "without_label": without_label,
    }
    return pages


def day(at: datetime, zone: ZoneInfo) -> str:
    """24 November 2026."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Tuesday 24 November 2026 at 7:05am (NHS style: no minutes on the hour, midday and midnight in words)."""
    local = at.astimezone(zone)
    return f"{local:%A} {day(at, zone)} at {_clock(local)}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """7:05am."""
    return _clock(at.astimezone(zone))


def _clock(local: datetime) -> str:
    if local.minute == 0 and local.hour in {0, 12}:
        return "midday" if local.hour else "midnight"
    minutes = f":{local.minute:02}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes}{'am' if local.hour < 12 else 'pm'}"


def count(number: int, one: str, many: str = "") -> str:
    """1 reply, 2 replies."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """A, B and C."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def marked(text: str, cue: str) -> Markup:
    """`text` with the first place of `cue` marked; both are words from mail, so both are escaped."""
    before, found, after = text.partition(cue) if cue else (text, "", "")
    return escape(before) + (Markup("<mark>{}</mark>").format(found) if found else "") + escape(after)


def without_label(quote: str, label: str) -> str:
    """What a quote says besides the label above it, as the digest shows it."""
    return besides(quote, label) if label in quote else quote


def web_address(url: str) -> bool:
    """Whether a link from a mail may be made one: only the web's own schemes, never javascript: and the like."""
    try:
        return urlsplit(url).scheme.lower() in {"http", "https"}
    except ValueError:
        return False
