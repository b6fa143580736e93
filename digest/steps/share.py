"""Who gets what of an edition: its rows in the outbox, as each member wishes, with no gap and nothing twice.

An edition is *owed* to a member when it began to go out after `Member.had_until`, or was taken back before it left
(`Member.taken_back`), and no row of theirs covers it yet.
Who wants every edition gets what is owed with the next one, who wants the round-up gets it with that.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from digest.config import CommunitySettings, Settings
from digest.edition.calendar import moved_round_up, next_round_up
from digest.models import Delivery, Edition, Member, Variant
from digest.nouns import Frequency
from digest.steps import compose, wishes


def edition(session: Session, settings: Settings, edition: Edition, now: datetime) -> None:
    """Give everybody who wishes to have it their row of an edition that begins to go out."""
    community = compose.settings_of(session, settings, edition.community_id)
    before = [e.began_at for e in _begun(session, edition.community_id) if e.began_at and e.id != edition.id]
    active = select(Member).where(Member.community_id == edition.community_id, col(Member.active))
    questions = _questions(session, settings, edition, now)
    for member in session.exec(active.order_by(col(Member.id))).all():
        if wishes.paused(member, community, now) or member.undeliverable_at is not None:
            continue
        if member.frequency is Frequency.EVERY:
            behind = member.taken_back or (member.had_until and any(member.had_until < began for began in before))
            _row(session, settings, member, owed(session, member) if behind else [edition], now)
        elif member.frequency is Frequency.UNANSWERED and questions is not None:
            _add(session, member, edition, questions, now)
    session.flush()
    # Who has it on its way has had it, and so has who wished for none of it.
    reached = select(Delivery.member_id).where(Delivery.edition_id == edition.id)
    unwished = ~col(Member.active) | col(Member.frequency).in_((Frequency.UNANSWERED, Frequency.NONE))
    session.execute(
        update(Member)
        .where(col(Member.community_id) == edition.community_id, col(Member.id).in_(reached) | unwished)
        .values(had_until=edition.began_at, taken_back=[])
    )


def round_ups(session: Session, settings: Settings, community_id: int, now: datetime) -> None:
    """Give their row to those whose monthly round-up is due; who is paused gets it when the pause is over."""
    community = compose.settings_of(session, settings, community_id)
    _reschedule(session, community, community_id, now)
    for member in session.exec(
        select(Member).where(
            Member.community_id == community_id,
            col(Member.active),
            Member.frequency == Frequency.MONTHLY,
            col(Member.round_up_at) <= now,
        )
    ).all():
        if wishes.paused(member, community, now) or member.undeliverable_at is not None:
            continue
        if covers := owed(session, member):
            _row(session, settings, member, covers, now)
            member.had_until, member.taken_back = covers[-1].began_at, []
        member.round_up_at = next_round_up(community.day, community.time, community.zone, now)
        session.add(member)
    session.flush()


def _reschedule(session: Session, community: CommunitySettings, community_id: int, now: datetime) -> None:
    """Move the round-ups that are to come, where config.toml has another day, time or zone than when they were set."""
    coming = col(Member.community_id) == community_id, col(Member.round_up_at) > now
    for due in session.exec(select(Member.round_up_at).where(*coming).distinct()).all():
        if due and (moved := moved_round_up(community.day, community.time, community.zone, due, now)) != due:
            session.execute(update(Member).where(*coming, col(Member.round_up_at) == due).values(round_up_at=moved))


def owed(session: Session, member: Member) -> list[Edition]:
    """The editions that are still to reach a member, in the order in which they went out."""
    had = {
        edition_id
        for row, variant in session.exec(
            select(Delivery, Variant)
            .join(Variant, col(Variant.id) == col(Delivery.variant_id), isouter=True)
            .where(Delivery.member_id == member.id)
        )
        for edition_id in ([row.edition_id] if variant is None else variant.covers)
    }
    since = member.had_until or member.created_at
    return [
        e
        for e in _begun(session, member.community_id)
        if e.began_at and (e.began_at > since or e.id in member.taken_back) and e.id not in had
    ]


def _begun(session: Session, community_id: int) -> Sequence[Edition]:
    """Every edition that has begun to go out, in that order."""
    return session.exec(
        select(Edition)
        .where(Edition.community_id == community_id, col(Edition.began_at).is_not(None))
        .order_by(col(Edition.began_at), col(Edition.number))
    ).all()


def _row(session: Session, settings: Settings, member: Member, covers: Sequence[Edition], now: datetime) -> None:
    *earlier, latest = covers
    variant = _round_up(session, settings, covers, now) if earlier else None
    _add(session, member, latest, variant, now)


def _add(session: Session, member: Member, edition: Edition, variant: Variant | None, now: datetime) -> None:
    session.add(
        Delivery(
            community_id=member.community_id,
            edition_id=edition.id,
            member_id=member.id,
            variant_id=variant.id if variant else None,
            address=member.email,
            next_attempt_at=now,
        )
    )


def _questions(session: Session, settings: Settings, edition: Edition, now: datetime) -> Variant | None:
    """The edition's unanswered questions alone, where somebody wants just them and there are any."""
    wanted = session.exec(
        select(Member.id)
        .where(Member.community_id == edition.community_id, Member.frequency == Frequency.UNANSWERED)
        .limit(1)
    ).first()
    frozen = compose.questions(session, settings, edition, now) if wanted is not None else None
    return _keep(session, edition, [], frozen) if frozen else None


def _round_up(session: Session, settings: Settings, covers: Sequence[Edition], now: datetime) -> Variant:
    """Several editions as one mail, made once for everybody who is owed the same ones."""
    ids = [e.id for e in covers]
    for made in session.exec(select(Variant).where(Variant.edition_id == ids[-1])):
        if made.covers == ids:
            return made
    return _keep(session, covers[-1], ids, compose.round_up(session, settings, covers, now))


def _keep(session: Session, latest: Edition, covers: list[int], frozen: bytes) -> Variant:
    variant = Variant(community_id=latest.community_id, edition_id=latest.id, covers=covers, frozen=frozen)
    session.add(variant)
    session.flush()
    return variant
