"""The desk with what is behind it, and browsers for its people."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning

from digest import store, worker
from digest.mailbox import Arrival
from digest.models import Member
from digest.steps import enrol, publish, receive, signin
from tests.steps.world import NOON, World

with warnings.catch_warnings():
    # Starlette would rather have httpx2, which is not among what we test with.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient as TestClient

HOST = "https://digest.example.org"
COORDINATOR, GP, STRANGER = "ruth@charity.example.org", "gwen@example.org", "nobody@example.net"
OUTSIDER = "olga@other.example.org"  # the coordinator of another community on the same instance


@dataclass
class Desk:
    """The application, and what is behind it."""

    world: World
    app: Starlette

    def browser(self, raising: bool = True) -> TestClient:
        """A browser that nobody has signed in with. `raising`: a failure of the desk is the test's failure."""
        return TestClient(
            self.app,
            base_url=HOST,
            follow_redirects=False,
            headers={"Origin": HOST},
            raise_server_exceptions=raising,
        )

    def signed_in(self, email: str) -> TestClient:
        """The browser of this person."""
        browser = self.browser()
        with store.transaction(self.world.engine) as session:
            member = session.exec(select(Member).where(Member.email == email).order_by(col(Member.id))).first()
            assert member is not None
            link = signin.link(session, self.world.settings, member, datetime.now(UTC))
        assert browser.post(link.removeprefix(HOST)).status_code == 303
        return browser

    def receive(self, *raws: bytes) -> None:
        self.world.receive(*raws, now=datetime.now(UTC))

    def edition(self) -> int:
        """The id of the edition that collects."""
        with store.transaction(self.world.engine) as session:
            return publish.ensure_collecting(
                session, self.world.community, self.world.community_id, datetime.now(UTC)
            ).id


def elsewhere(desk: Desk, raw: bytes) -> None:
    """Mail that arrives in the other community."""
    with store.transaction(desk.world.engine) as session:
        other_id = enrol.communities(session, desk.world.settings)["other"]
        receive.store(session, other_id, [Arrival("elsewhere.eml", raw, NOON)])
    worker.take_in(desk.world.engine, other_id, desk.world.settings.of("other"))
