"""Mail that is on its way to a member is taken back, while it can be."""

from sqlmodel import Session, col, select

from digest.models import Delivery, Member, Variant
from digest.nouns import DeliveryStatus


def withdraw(session: Session, member: Member) -> None:
    """Take back mail of editions that no server has been given yet: it then counts as not had."""
    waiting = (DeliveryStatus.DUE, DeliveryStatus.DEFERRED)
    for row in session.exec(
        select(Delivery).where(Delivery.member_id == member.id, col(Delivery.status).in_(waiting)).with_for_update()
    ).all():
        variant = session.get_one(Variant, row.variant_id) if row.variant_id is not None else None
        taken = [row.edition_id] if variant is None else variant.covers
        member.taken_back = sorted({*member.taken_back, *taken})
        session.delete(row)
    session.add(member)
    session.flush()
