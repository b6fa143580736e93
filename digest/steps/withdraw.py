"""Mail that is on its way to a member is taken back, while it can be."""

from datetime import timedelta

from sqlmodel import Session, col, select

from digest.models import Delivery, Edition, Member, Variant
from digest.nouns import DeliveryStatus


def withdraw(session: Session, member: Member) -> None:
    """Take back mail of editions that no server has been given yet: it then counts as not had."""
    waiting = (DeliveryStatus.DUE, DeliveryStatus.DEFERRED)
    for row in session.exec(
        select(Delivery).where(Delivery.member_id == member.id, col(Delivery.status).in_(waiting)).with_for_update()
    ).all():
        variant = session.get_one(Variant, row.variant_id) if row.variant_id is not None else None
        for edition in session.exec(
            select(Edition).where(col(Edition.id).in_([row.edition_id] if variant is None else variant.covers))
        ):
            if edition.began_at and member.had_until and edition.began_at <= member.had_until:
                member.had_until = edition.began_at - timedelta.resolution
        session.delete(row)
    session.add(member)
    session.flush()
