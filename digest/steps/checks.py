"""What must hold of an edition's own words and links before it goes out, beside provenance and the dissent guard."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlmodel import Session, select

from digest.message import privacy
from digest.models import Alias, Edition, Member
from digest.nouns import MASKED, Content, Place

_LINK = re.compile(r"\bhttps?://[^\s<>()\"]+|\]\(([^)\s]*)\)", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What must be mended, in a sentence, and the id of its place on the page."""

    sentence: str
    anchor: str


def known(session: Session, community_id: int) -> privacy.Known:
    """Who is no patient."""
    people = session.exec(select(Member.name, Member.email).where(Member.community_id == community_id)).all()
    aliases = session.exec(select(Alias.address).where(Alias.community_id == community_id)).all()
    return privacy.Known.of((name for name, _ in people), [*(email for _, email in people), *aliases])


def in_collation(content: Content, nobody: privacy.Known) -> Iterator[Problem]:
    """Points that say nothing, links that look broken, and own words that may name a patient."""
    for number, point in enumerate(content.points, start=1):
        at = f"point-{point.id}"
        if not point.label.strip():
            yield Problem(f"Point {number} says nothing.", at)
        elif point.own:
            yield from _identifying(point.label, f"Point {number}", at, nobody)
    yield from _identifying(content.note, "What you wrote in your own words", "note", nobody)
    for url in _links(content.note):
        if broken(url):
            yield Problem(f"A link in your own words looks broken: {url}", "note")
    for resource in content.resources:
        if resource.url and broken(resource.url):
            yield Problem(f"A link looks broken: {resource.url}", "resources")


def in_edition(edition: Edition, nobody: privacy.Known) -> Iterator[Problem]:
    """The same for what is written in the edition itself."""
    for name, text in (("introduction", edition.introduction), ("announcements", edition.announcements)):
        yield from _identifying(text, f"The {name}", name, nobody)
        for url in _links(text):
            if broken(url):
                yield Problem(f"A link in the {name} looks broken: {url or '(nothing)'}", name)
    for row in edition.dates:
        yield from _identifying(f"{row['what']} {row['where']}", "A date", "dates", nobody)


def broken(url: str) -> bool:
    """Whether a link cannot lead anywhere for its reader: no host, a host of one word, or a cut-off end."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return True
    if parts.scheme == "mailto":
        return "@" not in parts.path
    if parts.scheme not in {"http", "https"}:
        return True
    numbers = re.fullmatch(r"[\d.]+|[0-9a-f:]+", host) is not None  # an address of a machine, not of the web
    cut = any(mark in url for mark in ("…", "...", "<", ">", " ", "\\"))
    return numbers or cut or _HOST.fullmatch(_ascii(host)) is None


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""


def _links(text: str) -> list[str]:
    return [m.group(1) if m.group(1) is not None else m.group().rstrip(".,;:!?") for m in _LINK.finditer(text)]


def _identifying(text: str, where: str, anchor: str, nobody: privacy.Known) -> Iterator[Problem]:
    kinds = dict.fromkeys(MASKED.get(hit.type, hit.type) for hit in privacy.identifiers(text, Place.BODY, nobody))
    if kinds:
        yield Problem(f"{where} may identify a patient ({', '.join(kinds)}).", anchor)
