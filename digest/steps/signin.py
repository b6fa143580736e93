"""A person signs in: a mailed link that works once, and a session that ends."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from digest.config import Settings
from digest.models import Community, Member, Notice, SignIn, WebSession
from digest.steps import note
from digest.steps.enrol import find
from digest.steps.notify import queue

#: Links one person may ask for in the time one of them works: enough for a lost mail, too few to flood a mailbox.
MOST = 3


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link(session: Session, settings: Settings, member: Member, now: datetime) -> str:
    """A fresh sign-in link for `member`, for whoever is allowed to hand it out."""
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(minutes=settings.web.sign_in_minutes)
    session.add(
        SignIn(community_id=member.community_id, member_id=member.id, token_sha256=_hash(token), expires_at=expires_at)
    )
    return f"{settings.public_address}/sign-in/{token}"


def request(session: Session, settings: Settings, address: str, now: datetime) -> None:
    """Queue a sign-in link for every membership of `address`. Says nothing about whether there is one."""
    for community in session.exec(select(Community)):
        member = find(session, community.id, address)
        if member is None or not member.active:
            continue
        waiting = session.exec(
            select(func.count()).select_from(SignIn).where(SignIn.member_id == member.id, col(SignIn.expires_at) > now)
        ).one()
        if waiting >= MOST:
            continue
        address_to = link(session, settings, member, now)
        queue(
            session,
            settings,
            community.slug,
            member,
            "sign_in",
            f"sign-in/{secrets.token_hex(8)}",
            now,
            link=address_to,
            minutes=settings.web.sign_in_minutes,
        )


def redeem(session: Session, token: str, now: datetime, settings: Settings) -> str | None:
    """Use up a sign-in link; returns the cookie of a new session, or None when the link is spent or unknown."""
    found = session.exec(
        select(SignIn)
        .where(SignIn.token_sha256 == _hash(token), col(SignIn.used_at).is_(None), col(SignIn.expires_at) > now)
        .with_for_update()
    ).one_or_none()
    member = session.get(Member, found.member_id) if found else None
    if found is None or member is None or not member.active:
        return None
    found.used_at = now
    cookie = secrets.token_urlsafe(32)
    session.add(found)
    session.add(
        WebSession(
            community_id=member.community_id,
            member_id=member.id,
            token_sha256=_hash(cookie),
            expires_at=now + timedelta(hours=settings.web.session_hours),
        )
    )
    note(session, member.community_id, member, "signed in", f"member {member.id}", now)
    return cookie


def who(session: Session, cookie: str, now: datetime) -> Member | None:
    """The member whose browser holds `cookie`, while their session lasts and they are active."""
    member = session.exec(
        select(Member)
        .join(WebSession, WebSession.member_id == Member.id)  # type: ignore[arg-type]
        .where(WebSession.token_sha256 == _hash(cookie), col(WebSession.expires_at) > now)
    ).one_or_none()
    return member if member is not None and member.active else None


def leave(session: Session, cookie: str) -> None:
    """End the session of `cookie`."""
    for row in session.exec(select(WebSession).where(WebSession.token_sha256 == _hash(cookie))):
        session.delete(row)


def tidy(session: Session, now: datetime) -> None:
    """Forget links, sessions and notices that can no longer be used."""
    for row in session.exec(select(SignIn).where(col(SignIn.expires_at) < now - timedelta(days=1))):
        session.delete(row)
    for ended in session.exec(select(WebSession).where(col(WebSession.expires_at) < now)):
        session.delete(ended)
    for old in session.exec(
        select(Notice).where(col(Notice.key).startswith("sign-in/"), col(Notice.settled_at) < now - timedelta(days=1))
    ):
        session.delete(old)
