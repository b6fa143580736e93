"""Each test of the desk has a fresh database with two communities."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digest import store
from digest.config import CommunitySettings
from digest.steps import enrol
from digest.web.app import create_app
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, SLIP, make
from tests.web.desk import OUTSIDER, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two communities; nobody has written anything."""
    world = make("", tmp_path)
    other = CommunitySettings(
        slug="other", name="Others", stream_address="o@lists.example.org", digest_sender="o@example.org"
    )
    settings = world.settings.model_copy(update={"community": (*world.settings.community, other)})
    world = replace(world, settings=settings)
    with store.transaction(world.engine) as session:
        other_id = enrol.communities(session, settings)["other"]
        enrol.members(session, other_id, [{"email": OUTSIDER, "name": "Olga Other", "role": "coordinator"}], NOON)
    yield Desk(world, create_app(settings, world.engine))
    world.engine.dispose()


@pytest.fixture
def flurry(desk: Desk) -> Desk:
    """The desk with one thread: a question, a reply, one that differs, and one held for a patient identifier."""
    desk.receive(QUESTION, REPLY, DISSENT, SLIP)
    return desk
