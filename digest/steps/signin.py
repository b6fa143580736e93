"""A person signs in: a mailed link that works once, in the browser that asked for it, and a session that ends."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from digest.address import canonical
from digest.config import Settings
from digest.models import Community, Member, Notice, SignIn, WebSession
from digest.nouns import Role
from digest.steps import note
from digest.steps.enrol import find
from digest.steps.notify import KNOWN, STRANGER, queue

#: Links one person may ask for in the time one of them works: enough for a lost mail, too few to flood a mailbox.
MOST = 3


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link(
    session: Session,
    settings: Settings,
    member: Member,
    now: datetime,
    browser: str = "",
    leads_to: str = "",
    until: datetime | None = None,
) -> str:
    """A fresh sign-in link for `member`, for whoever is allowed to hand it out.

    With `browser`, the secret of one, it works in that browser alone; without, in any. It opens the page `leads_to`
    ("": where they were going), and works until then, else for `sign_in_minutes`.
    """
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            community_id=member.community_id,
            member_id=member.id,
            token_sha256=_hash(token),
            browser_sha256=_hash(browser) if browser else "",
            leads_to=leads_to,
            address=member.email,
            expires_at=until or now + timedelta(minutes=settings.web.sign_in_minutes),
        )
    )
    return f"{settings.public_address}/sign-in/{token}"


def acquaintance(settings: Settings, address: str) -> str:
    """What a browser keeps that `address` has signed in with before."""
    return hmac.new(settings.key(), f"known {address.lower()}".encode(), hashlib.sha256).hexdigest()


def request(session: Session, settings: Settings, address: str, now: datetime, browser: str, known: str = "") -> None:
    """Queue a sign-in link that works in `browser` for every membership of `address`; says not whether there is one.

    A browser that is `known` to have been theirs has an allowance of its own: whoever asks for links in their name
    elsewhere uses up strangers' allowance, and locks nobody out.
    """
    for community in session.exec(select(Community)):
        member = find(session, community.id, address)
        if member is None or not member.active:
            continue
        waiting = (
            select(func.count())
            .select_from(SignIn)
            .where(SignIn.member_id == member.id, SignIn.browser_sha256 != "", col(SignIn.expires_at) > now)
        )
        is_known = hmac.compare_digest(known.encode(), acquaintance(settings, member.email).encode())
        if is_known:
            waiting = waiting.where(SignIn.browser_sha256 == _hash(browser))
        if session.exec(waiting).one() >= MOST:
            continue
        address_to = link(session, settings, member, now, browser)
        queue(
            session,
            settings,
            community.slug,
            member,
            "sign_in",
            f"{KNOWN if is_known else STRANGER}{secrets.token_hex(8)}",
            now,
            use_until=now + timedelta(minutes=settings.web.sign_in_minutes),
            link=address_to,
            minutes=settings.web.sign_in_minutes,
        )


def opens(session: Session, token: str) -> tuple[int, str] | None:
    """Whose link the one of `token` is, and the page it leads to, also once it is spent; None when it is unknown."""
    return session.exec(
        select(SignIn.member_id, SignIn.leads_to).where(SignIn.token_sha256 == _hash(token))
    ).one_or_none()


def fits(session: Session, token: str, browser: str) -> bool:
    """Whether the link of `token` works in `browser`; an unknown one fits, so that looking tells nothing."""
    asked = session.exec(select(SignIn.browser_sha256).where(SignIn.token_sha256 == _hash(token))).one_or_none()
    return not asked or hmac.compare_digest(asked, _hash(browser))


def redeem(session: Session, token: str, now: datetime, settings: Settings, browser: str) -> tuple[Member, str] | None:
    """Use up a sign-in link: whose it is and the cookie of a new session; None when it is spent, unknown or another's.

    A link that one browser asked for is not used up by pressing its button in another.
    """
    found = session.exec(
        select(SignIn)
        .where(SignIn.token_sha256 == _hash(token), col(SignIn.used_at).is_(None), col(SignIn.expires_at) > now)
        .with_for_update()
    ).one_or_none()
    if found is None or not fits(session, token, browser):
        return None
    member = session.get(Member, found.member_id)
    if member is None or not member.active:
        return None
    found.used_at = now
    session.add(found)
    return member, begin(session, settings, member, now, "signed in", found.address)


def vouched(session: Session, settings: Settings, address: str, now: datetime) -> tuple[Member, str] | None:
    """Whose `address` it is, which an OpenID provider vouched for, and the cookie of a new session; None: no member's.

    Somebody in several communities comes to the one they coordinate, else to the first.
    """
    found = [
        member
        for community in session.exec(select(Community).order_by(col(Community.id)))
        if (member := find(session, community.id, address)) is not None and member.active
    ]
    found.sort(key=lambda member: member.role is not Role.COORDINATOR)
    if not found:
        return None
    return found[0], begin(session, settings, found[0], now, "signed in with a work account", canonical(address))


def memberships(session: Session, cookie: str, now: datetime) -> list[Member]:
    """The active memberships of whoever holds `cookie`, by community: those with the address they showed to be theirs.

    Their membership's address as it is now shows nothing: a coordinator could write somebody else's there.
    """
    own = _session(session, cookie, now)
    if own is None or not own.address:
        return []
    found = select(Member).where(Member.email == own.address, col(Member.active)).order_by(col(Member.community_id))
    return list(session.exec(found))


def change(session: Session, cookie: str, member_id: int, now: datetime) -> str | None:
    """Go over to another membership of one's own; returns the new cookie, None when it is not one's own.

    The session is a new one that ends when the old one would have; the old one ends now.
    """
    own = _session(session, cookie, now)
    member = next((m for m in memberships(session, cookie, now) if m.id == member_id), None)
    if own is None or member is None:
        return None
    fresh = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            community_id=member.community_id,
            member_id=member.id,
            token_sha256=_hash(fresh),
            address=own.address,
            expires_at=own.expires_at,
        )
    )
    session.delete(own)
    note(session, member.community_id, member, "came over from another community", f"member {member.id}", now)
    return fresh


def _session(session: Session, cookie: str, now: datetime) -> WebSession | None:
    return session.exec(
        select(WebSession).where(WebSession.token_sha256 == _hash(cookie), col(WebSession.expires_at) > now)
    ).one_or_none()


def begin(session: Session, settings: Settings, member: Member, now: datetime, how: str, address: str) -> str:
    """Start a session for `member`, who has shown that `address` is theirs; returns its cookie."""
    cookie = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            community_id=member.community_id,
            member_id=member.id,
            token_sha256=_hash(cookie),
            address=address,
            expires_at=now + timedelta(hours=settings.web.session_hours),
        )
    )
    note(session, member.community_id, member, how, f"member {member.id}", now)
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
