"""What waits for the coordinator, the most pressing first."""

from collections import Counter
from datetime import timedelta

from starlette.responses import Response

from digest import store
from digest.nouns import CollationStatus, EditionStatus, HoldReason
from digest.steps import compose, deliver
from digest.web import reads
from digest.web.guards import MemberVisit
from digest.web.held import REASONS

#: An edition that leaves within this time and is not approved comes before everything else.
PRESSING = timedelta(hours=24)


def show(visit: MemberVisit) -> Response:
    """Today; members, who have nothing waiting, are shown the threads instead."""
    if not visit.coordinates:
        return visit.go("/threads")
    community_id = visit.member.community_id
    with store.read(visit.desk.engine) as session:
        waits = Counter(m.hold_reason for m in reads.held(session, community_id))
        waiting = reads.waiting(session, community_id, visit.now)
        open_editions = reads.editions(
            session, community_id, EditionStatus.IN_REVIEW, EditionStatus.APPROVED, EditionStatus.SENDING
        )
        collecting = reads.editions(session, community_id, EditionStatus.COLLECTING)
        return visit.page(
            "today",
            held=[
                (reason.name.lower(), heading, waits[reason])
                for reason, (heading, _) in REASONS.items()
                if waits[reason] and reason is not HoldReason.WHICH_THREAD
            ],
            homeless=waits[HoldReason.WHICH_THREAD],
            late=[w for w in waiting if w.unaccounted and w.status is not CollationStatus.DRAFT],
            to_review=[w for w in waiting if w.status is CollationStatus.DRAFT and w.replies > 0],
            to_approve=[w for w in waiting if w.status is CollationStatus.EDITED and not w.unaccounted],
            unanswered=sorted((w for w in waiting if w.days is not None), key=lambda w: -(w.days or 0)),
            unknown=reads.unknown_deliveries(session, community_id),
            left_out=reads.left_out(session, community_id),
            gate=deliver.shut_gate(session, visit.desk.settings, visit.now),
            editions=[
                (e, compose.hindrances(session, e.id), bool(e.paused_at) or e.send_at - visit.now < PRESSING)
                for e in reversed(open_editions)
            ],
            collecting=collecting[0] if collecting else None,
            collected=len(compose.waiting_threads(session, community_id)),
        )
