"""Who belongs."""

from starlette.responses import Response

from digest import store
from digest.web import reads
from digest.web.guards import MemberVisit


def show(visit: MemberVisit) -> Response:
    """Everybody, by name."""
    with store.read(visit.desk.engine) as session:
        return visit.page("members", members=reads.members(session, visit.member.community_id))
