"""The service's own small mails to one person: queued with the change they tell of, sent by `deliver`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.edition import Sender
from digest.edition.render import letter
from digest.models import Member, Notice
from digest.steps.enrol import plain_address

#: How the keys begin of what coordinators are told besides what happens to an edition: of these, one a day.
BESIDES = ("waits ", "undeliverable ")
#: How the keys of sign-in links begin: asked for in a browser that the member has signed in with before, or elsewhere.
KNOWN, STRANGER = "sign-in/known/", "sign-in/stranger/"


def sender(settings: Settings, slug: str) -> Sender:
    """Whose mail a community's mail is."""
    community = settings.of(slug)
    return Sender(
        community=community.name,
        slug=slug,
        digest_sender=community.digest_sender,
        stream_address=community.stream_address,
        public_address=settings.public_address,
    )


def told(session: Session, member: Member, key: str) -> bool:
    """Whether `member` was sent a mail under `key`."""
    found = select(Notice.id).where(Notice.community_id == member.community_id, Notice.key == f"{key}/{member.id}")
    return session.exec(found).first() is not None


def queue(
    session: Session,
    settings: Settings,
    slug: str,
    member: Member,
    template: str,
    key: str,
    now: datetime,
    use_until: datetime | None = None,
    **values: object,
) -> None:
    """Queue the mail `template` to `member` under `key`; the same person is never told the same thing twice.

    `use_until`: it is of no use afterwards, such as a link that no longer works, so it is not sent then.
    """
    if told(session, member, key):
        return
    key = f"{key}/{member.id}"
    ours = sender(settings, slug)
    wire = letter(template, ours, member.name, member.email, key, now, **values)
    post(session, settings, slug, member, key, wire, now, use_until)


def post(
    session: Session,
    settings: Settings,
    slug: str,
    member: Member,
    key: str,
    wire: bytes,
    now: datetime,
    use_until: datetime | None = None,
) -> None:
    """Queue a mail to one person that is written already. `key`: what it is about, nobody else's."""
    session.add(
        Notice(
            community_id=member.community_id,
            member_id=member.id,
            key=key,
            sender=plain_address(settings.of(slug).digest_sender),
            address=member.email,
            wire=wire,
            next_attempt_at=now,
            use_until=use_until,
        )
    )
    session.flush()


def sent_lately(session: Session, member: Member, about: str, since: datetime) -> int:
    """How many mails whose key begins with `about` were queued for somebody since a time."""
    return session.exec(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.member_id == member.id,
            col(Notice.key).startswith(about, autoescape=True),
            col(Notice.next_attempt_at) >= since,
        )
    ).one()


def bothered(
    session: Session, member: Member, zone: ZoneInfo, now: datetime, about: Sequence[str] = BESIDES, days: int = 1
) -> bool:
    """Whether a coordinator had a mail of these kinds today, by the clock on their wall, or in the last `days`."""
    local = now.astimezone(zone)
    since = datetime(local.year, local.month, local.day, tzinfo=zone) - timedelta(days=days - 1)
    return any(sent_lately(session, member, kind, since.astimezone(UTC)) for kind in about)
