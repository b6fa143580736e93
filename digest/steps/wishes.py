"""What of the digest a member wishes to have, and how they say so: by a signed link without signing in, or by mail.

A link is signed with the service's key and bears the day it was made. It stops the digest for as long as the key is
the same (nobody is kept on a list by an old link); more it does for `FRESH` only, because mails are passed on.
"""

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import quote

from sqlmodel import Session, select

from digest.config import CommunitySettings, Settings
from digest.edition.calendar import next_round_up
from digest.models import Community, Member, Message
from digest.nouns import Frequency, HoldReason, Kind, MessageStatus
from digest.steps import note
from digest.steps.enrol import find
from digest.steps.notify import queue
from digest.steps.withdraw import withdraw

#: How long a link lets its holder change more than leave.
FRESH = timedelta(days=90)
#: A pause that ends when somebody ends it.
UNTIL_LIFTED = date.max

# What mail programs write for their users, from `List-Unsubscribe`, and what people write themselves.
_COMMAND = re.compile(r"\s*(?:unsubscribe|leave)(?:\s+(?P<token>\d[\w.-]*))?[\s.!]*", re.I)


@dataclass(frozen=True, slots=True)
class Link:
    """A member's signed link, as it came. `fresh`: it may do more than leave."""

    member: Member
    fresh: bool


# --- the link ----------------------------------------------------------------------------------------------------


def token(settings: Settings, member: Member, on: date) -> str:
    """The signed words of a link made `on` a day: the same each time they are made."""
    return _signed(settings.key(), member.community_id, member.id, on)


def tokens(settings: Settings, community_id: int, on: date) -> Callable[[int], str]:
    """The same for many members, by their ids."""
    return partial(_signed, settings.key(), community_id, on=on)  # the key is a file, which is read once


def _signed(key: bytes, community_id: int, member_id: int, on: date) -> str:
    claim = f"{member_id}.{on:%Y%m%d}"
    return f"{claim}.{_signature(key, community_id, claim)}"


def page(settings: Settings, signed: str) -> str:
    """The address of the page where a member changes their wish."""
    return f"{settings.public_address}/digest/{quote(signed)}"


def holder(session: Session, settings: Settings, signed: str, now: datetime) -> Link | None:
    """Whose link it is; None for one that this service did not sign."""
    number, _, rest = signed.partition(".")
    made, _, signature = rest.partition(".")
    if not (number.isdecimal() and len(number) < 10 and made.isdecimal() and len(made) == 8):
        return None
    member = session.get(Member, int(number))
    if member is None or not hmac.compare_digest(
        signature.encode(), _signature(settings.key(), member.community_id, f"{number}.{made}").encode()
    ):
        return None
    on = datetime.strptime(made, "%Y%m%d").replace(tzinfo=now.tzinfo)
    return Link(member, now - on < FRESH)


def _signature(key: bytes, community_id: int, claim: str) -> str:
    # 128 bits of it are plenty against guessing over the web (RFC 2104, 5), and keep the link short.
    digest = hmac.digest(key, f"digest wishes\0{community_id}\0{claim}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


# --- changing it -------------------------------------------------------------------------------------------------


def paused(member: Member, community: CommunitySettings, now: datetime) -> bool:
    """Whether a member's mail waits for the day they named."""
    return member.paused_until is not None and now.astimezone(community.zone).date() < member.paused_until


def change(
    session: Session, settings: Settings, member: Member, frequency: Frequency, by: Member, now: datetime
) -> None:
    """Set how often a member hears from the digest. What is on its way already still comes, unless they leave."""
    if member.frequency is frequency:
        return
    if frequency is Frequency.NONE:
        withdraw(session, member)
    community = settings.of(session.get_one(Community, member.community_id).slug)
    member.frequency = frequency
    member.round_up_at = (
        next_round_up(community.day, community.time, community.zone, now) if frequency is Frequency.MONTHLY else None
    )
    session.add(member)
    note(session, member.community_id, by, f"chose of the digest: {frequency}", f"member {member.id}", now)


def pause(session: Session, member: Member, until: date | None, by: Member | None, now: datetime) -> None:
    """Let nothing of the digest out to a member before the day `until` (None: before somebody ends the pause).

    What they miss comes in one mail afterwards, and so does what was still on its way.
    """
    member.paused_until = until or UNTIL_LIFTED
    withdraw(session, member)
    session.add(member)
    named = f"{until.day} {until:%B %Y}" if until else "further notice"
    note(session, member.community_id, by, f"paused the digest until {named}", f"member {member.id}", now)


def resume(session: Session, member: Member, by: Member | None, now: datetime) -> None:
    """End a pause."""
    if member.paused_until is not None:
        member.paused_until = None
        session.add(member)
        note(session, member.community_id, by, "ended the pause of the digest", f"member {member.id}", now)


# --- asked by mail (RFC 2369, 3.2) -------------------------------------------------------------------------------


def asks_to_leave(subject: str, words: str) -> bool:
    """Whether a mail to the digest's own address says nothing but that its sender wants to leave."""
    return bool(_COMMAND.fullmatch(subject) or _COMMAND.fullmatch(words))


def heed(session: Session, settings: Settings, community_id: int, now: datetime) -> None:
    """Do what mails ask that `file` held as wishes: by the link's signature, else for the member who wrote.

    A mail that names neither stays held, for the coordinator to see.
    """
    for message in session.exec(
        select(Message).where(
            Message.community_id == community_id,
            Message.status == MessageStatus.HELD,
            Message.hold_reason == HoldReason.WISH,
            Message.hold_note == "",
        )
    ).all():
        said = _COMMAND.fullmatch(message.subject)
        link = holder(session, settings, said["token"], now) if said and said["token"] else None
        member = link.member if link else find(session, community_id, message.from_address)
        session.add(message)
        if member is None or member.community_id != community_id:
            message.hold_note = "Somebody asks to leave the digest, but this address belongs to no member."
            continue
        message.status, message.hold_reason = MessageStatus.DISCARDED, None
        message.kind_reason = "It asked to leave the digest, which was done."
        change(session, settings, member, Frequency.NONE, member, now)
        if message.kind is Kind.ADMIN:  # RFC 3834, 2: nothing automatic is answered
            confirm_left(session, settings, member, now)


def confirm_left(session: Session, settings: Settings, member: Member, now: datetime) -> None:
    """Tell a member who asked by mail that they have left, and how to come back."""
    slug = session.get_one(Community, member.community_id).slug
    link = page(settings, token(settings, member, now.date()))
    queue(session, settings, slug, member, "left", f"left/{now:%Y%m%d}", now, link=link)


def send_fresh_link(session: Session, settings: Settings, member: Member, now: datetime) -> None:
    """Mail a member a link that does everything; once a day is enough for anybody."""
    slug = session.get_one(Community, member.community_id).slug
    link = page(settings, token(settings, member, now.date()))
    queue(session, settings, slug, member, "wishes", f"wishes/{now:%Y%m%d}", now, link=link, days=FRESH.days)
