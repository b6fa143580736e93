"""Several workers on one database: together they open no more connections than the provider allows."""

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from digest import store, worker
from digest.config import Settings, Smtp
from digest.models import Delivery
from digest.nouns import DeliveryStatus
from tests.live import servers
from tests.live.servers import until
from tests.steps.world import approved, make

CONNECTIONS, MORE = 2, 26
HOLD = """
import sys
from digest import store
turn = store.Turn(store.connect(sys.argv[1]), "outbox")
print(turn.take(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""


class Counting:
    """aiosmtpd's handler: takes every mail, slowly, and counts how many connections there are at once."""

    def __init__(self) -> None:
        self.taken = Counter[str]()
        self.open = self.most = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(0.02)
        self.taken.update(envelope.rcpt_tos)
        return "250 kept"


class Counted(SMTP):
    """aiosmtpd's server, which tells its handler who comes and goes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.event_handler.open += 1
        self.event_handler.most = max(self.event_handler.most, self.event_handler.open)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.open -= 1


def test_two_workers_open_no_more_connections_than_one_and_the_second_goes_on_when_the_first_ends(
    url: str, tmp_path: Path
) -> None:
    world = make(url, tmp_path)
    approved(world, datetime.now(UTC), MORE)
    counting = Counting()

    def outbox(settings: Settings) -> tuple[asyncio.Event, worker.Outbox]:
        stop = asyncio.Event()
        return stop, worker.Outbox(store.connect(settings.database), settings, stop)

    async def sent(count: int) -> None:
        async with asyncio.timeout(60):
            while counting.taken.total() < count:
                await asyncio.sleep(0.01)

    async def work() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(lambda: Counted(counting), servers.HOST, 0)
        port = listening.sockets[0].getsockname()[1]
        smtp = Smtp(host=servers.HOST, port=port, security="none", connections=CONNECTIONS, messages_per_minute=10_000)
        settings = world.settings.model_copy(update={"smtp": smtp})
        (first_stop, first), (second_stop, second) = outbox(settings), outbox(settings)
        first_run = asyncio.create_task(first.run())
        await sent(1)
        second_run = asyncio.create_task(second.run())
        await sent(10)
        first_stop.set()
        by_first = await first_run
        await sent(4 + MORE + 1)  # "an edition waits" besides
        second_stop.set()
        by_second = await second_run
        listening.close()
        for box in (first, second):
            box.engine.dispose()
        return by_first, by_second

    by_first, by_second = asyncio.run(work())
    assert by_first >= 10
    assert by_second >= 1
    assert counting.most == CONNECTIONS
    assert counting.taken.pop("ruth@charity.example.org") == 2
    assert set(counting.taken.values()) == {1}
    with store.read(world.engine) as session:
        assert set(session.exec(select(Delivery.status))) == {DeliveryStatus.SENT}
    world.engine.dispose()


def test_a_turn_is_one_process_s_and_ends_with_it_however_it_ends(url: str, tmp_path: Path) -> None:
    world = make(url, tmp_path)
    ours, another = store.Turn(world.engine, "outbox"), store.Turn(world.engine, "something else")
    command = [sys.executable, "-c", HOLD, world.settings.database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert not ours.take()
        assert another.take()
        other.kill()
        other.wait()
    until(ours.take, "the end of the other's turn", 5)
    assert ours.take()  # and still
    later = store.Turn(world.engine, "outbox")
    assert not later.take()
    ours.leave()
    until(later.take, "the end of our turn", 5)
    later.leave()
    another.leave()
    world.engine.dispose()


def test_who_lost_the_database_has_lost_the_turn_and_can_take_it_anew(postgres: str, tmp_path: Path) -> None:
    world = make(postgres, tmp_path)
    turn = store.Turn(world.engine, "outbox")
    assert turn.take()
    with world.engine.connect() as admin:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert admin.exec_driver_sql(query).scalar() == 1
    with pytest.raises(SQLAlchemyError):
        turn.take()
    assert turn.take()
    turn.leave()
    world.engine.dispose()
