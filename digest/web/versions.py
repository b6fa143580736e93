"""The versions of a collation: each can be seen, compared with the one that counts, and brought back."""

from starlette.responses import Response

from digest import store
from digest.steps import collate
from digest.web import compare, reads
from digest.web.guards import MemberVisit
from digest.web.said import said


def index(visit: MemberVisit) -> Response:
    """Every version that is kept."""
    with store.read(visit.desk.engine) as session:
        thread = reads.thread(session, visit.member.community_id, visit.request.path_params["thread"])
        return visit.page(
            "versions",
            thread=thread,
            versions=collate.versions(session, thread.id),
            people=reads.people(session, thread.community_id),
        )


def show(visit: MemberVisit) -> Response:
    """One version, and what is different in the one that counts."""
    return _page(visit)


def _page(visit: MemberVisit, refused: str = "", status: int = 200) -> Response:
    community_id = visit.member.community_id
    with store.read(visit.desk.engine) as session:
        thread = reads.thread(session, community_id, visit.request.path_params["thread"])
        old = reads.version(session, thread.id, visit.request.path_params["version"])
        latest = collate.current(session, thread.id) or old
        people = reads.people(session, community_id)
        by_id = {
            m.id: said(session, m, people, latest, old.content, thread.id) for m in collate.messages(session, thread.id)
        }
        return visit.page(
            "version",
            status,
            thread=thread,
            version=old,
            latest=latest,
            saved_by=people.get(old.saved_by or 0),
            by_id=by_id,
            changes=compare.changes(
                old.content, latest.content, lambda id: by_id[id].name if id in by_id else "a message no longer shown"
            ),
            refused=refused,
        )


def bring_back(visit: MemberVisit) -> Response:
    """Make an old version the one that counts, as a new version: nothing in between is lost."""
    try:
        with store.transaction(visit.desk.engine) as session:
            thread = reads.thread(session, visit.member.community_id, visit.request.path_params["thread"])
            old = reads.version(session, thread.id, visit.request.path_params["version"])
            collate.save(session, thread.id, visit.number("seen") or 0, old.content, visit.member, visit.now)
    except (collate.Conflict, collate.Ungrounded) as refused:
        return _page(visit, str(refused), 409)
    return visit.go(f"/thread/{thread.id}?done=brought_back&at=collation#collation")
