"""`bench/faults --rounds N [--postgres]`: is delivery provable?

A round is one edition to MEMBERS people, sent by the real worker (with --postgres: two of them) through a mail server
that does whatever a mail server has ever done (bench.moody), while the workers are killed with SIGKILL at random
moments and begun anew, and a person now and then has an unknown one sent again. Afterwards every row is held against
what the server knows it has taken. Pauses between attempts are not waited for: the bench moves them to now. The last
line is one JSON object; the run ends with 1 when anything in it is not as it must be.

Workers are forked from a process that has imported the service, so that a start takes no second; all else is real.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import random
import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col, func, select

from bench.moody import Moody, moody
from digest import store
from digest.models import Delivery, Edition, Gate, Member
from digest.nouns import DeliveryStatus, EditionStatus
from digest.steps import deliver
from tests.live import servers
from tests.live.servers import Certificate, Postgres
from tests.steps.world import MEMBERS, approved, make

MORE = 16  # members besides the four of tests.steps.world
TIMEOUT = 1.0  # seconds one SMTP transaction may take, where this machine has nothing else to do
STUCK = 300.0  # such seconds after which a round that has not ended never will
KILLS = 3  # in a round, at most
RESENDS = 2  # of one mail, at most
ENDED = (DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)
CONFIG = """
public_address = "https://digest.example.org"
data = "."
database_url = "{database}"
[imap]
host = "127.0.0.1"
port = 1
security = "none"
username = "digest"
[smtp]
host = "127.0.0.1"
port = {port}
security = "{security}"
{ca}
messages_per_minute = 60000
connections = 2
mails_per_member_a_day = 1000
timeout = {timeout}
[[community]]
slug = "leads"
name = "GP leads"
stream_address = "leads@lists.example.org"
digest_sender = "Digest <digest@example.org>"
"""

_context = multiprocessing.get_context("forkserver")


def work(config: Path, log: Path) -> None:
    """`digest worker`, in a process of its own."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    os.environ["DIGEST_IMAP__PASSWORD"] = "no mailbox is read here"
    sys.argv = ["digest", "worker", "--config", str(config)]
    from digest.cli import main

    main()


@dataclass
class Found:
    """What the rounds came to."""

    rounds: int = 0
    missed: int = 0  # recipients without exactly one of sent, failed, unknown, or whose row says what is not true
    twice: int = 0  # taken by the server more often than a person asked for
    unknown: int = 0  # rows that were ever unknown
    resent: int = 0  # unknown ones that a person had sent again
    stuck: int = 0  # rounds that did not end, or whose worker did not stop when asked to
    kills: int = 0
    deliveries: int = 0
    sent: int = 0
    failed: int = 0
    moods: Counter[str] = field(default_factory=Counter, repr=False)

    @property
    def clean(self) -> bool:
        return not (self.missed or self.twice or self.stuck)

    def as_json(self) -> str:
        return json.dumps({k: v for k, v in vars(self).items() if k != "moods"})


# --- a round -----------------------------------------------------------------------------------------------------


class Round:
    """One edition, from approved to ended."""

    def __init__(self, number: int, seed: int, folder: Path, database: str, certificate: Certificate, workers: int):
        self.name, self.folder, self.database, self.workers = (
            f"round {number} (--seed {seed})",
            folder,
            database,
            workers,
        )
        self.certificate = certificate
        self.rng = random.Random(f"{seed}/{number}")
        self.engine: Engine = store.connect(database)
        self.looking = asyncio.Lock()
        self.timeout = TIMEOUT * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 4)  # or even good mail times out
        self.unknown = set[int]()
        self.resent = Counter[str]()
        self.kills = 0
        self.said: list[str] = []  # what is not as it must be

    async def play(self, found: Found) -> None:
        encrypted = self.rng.random() < 0.4
        context = None
        if encrypted:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate.file, self.certificate.key)
        server = Moody(self.rng, 0.4 * self.timeout, context)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(moody(server))
            settings = {
                "database": self.database,
                "port": server.port,
                "timeout": self.timeout,
                "security": "starttls" if encrypted else "none",
                "ca": f'ca_file = "{self.certificate.file}"' if encrypted else "",
            }
            config = self.folder / "config.toml"
            config.write_text(CONFIG.format(**settings))
            stop = asyncio.Event()
            person = asyncio.create_task(self._person(stop))
            lanes = [asyncio.create_task(self._worker(config, server, stop)) for _ in range(self.workers)]
            try:
                deadline = time.monotonic() + STUCK * self.timeout
                while not await self._has_ended(stop) and not any(lane.done() for lane in lanes):
                    if time.monotonic() > deadline:
                        self.said.append("did not end")
                        found.stuck += 1
                        break
                    await asyncio.sleep(0.25)
            finally:
                stop.set()
                stopped = await asyncio.gather(*lanes)
                await person
        if not all(stopped):
            self.said.append("a worker ended by itself, or did not stop when asked to")
            found.stuck += 1
        self._judge(server, found)
        found.kills += self.kills
        found.moods += server.moods
        found.rounds += 1
        self.engine.dispose()

    async def _worker(self, config: Path, server: Moody, stop: asyncio.Event) -> bool:
        """Begin a worker, kill it, begin another; the last may live. Whether all ended as they should."""
        kills = self.rng.randint(1, KILLS)
        while True:
            process = _context.Process(target=work, args=(config, self.folder / "worker.log"))
            process.start()
            try:
                if kills == 0:
                    while process.is_alive() and not stop.is_set():
                        await asyncio.sleep(0.1)
                    early = not process.is_alive()
                    process.terminate()
                    await asyncio.to_thread(process.join, 20)
                    # Asked before it was ready to be asked, it ends as any process does.
                    return not early and process.exitcode in {0, -signal.SIGTERM}
                kills -= 1
                await self._moment(server, stop)
                if process.exitcode is not None:
                    return False
            finally:
                process.kill()
                await asyncio.to_thread(process.join)
                process.close()
            self.kills += 1

    async def _moment(self, server: Moody, stop: asyncio.Event) -> None:
        """A random moment: at the start, or while mail is being sent."""
        if self.rng.random() > 0.1:
            before, deadline = server.connections, time.monotonic() + 4
            while server.connections == before and time.monotonic() < deadline and not stop.is_set():
                await asyncio.sleep(0.01)
        await asyncio.sleep(self.rng.uniform(0, 1.0) ** 2)

    async def _person(self, stop: asyncio.Event) -> None:
        """Lets pauses pass, and has some unknown ones sent again, as the edition's page does."""
        while not stop.is_set():
            async with self.looking:
                if not stop.is_set():
                    with suppress(OperationalError):  # SQLite was busy for longer than anybody waits: later, then
                        await asyncio.to_thread(self._meddle)
            await asyncio.sleep(0.3)

    async def _has_ended(self, stop: asyncio.Event) -> bool:
        """Whether everything has an end; then nobody meddles any more."""
        async with self.looking:
            if await asyncio.to_thread(self._ended):
                stop.set()
        return stop.is_set()

    def _meddle(self) -> None:
        now, again = datetime.now(UTC), list[str]()
        with store.transaction(self.engine) as session:
            session.execute(update(Gate).values(opens_at=None))
            session.execute(
                update(Delivery).where(col(Delivery.status) == DeliveryStatus.DEFERRED).values(next_attempt_at=now)
            )
            for row in session.exec(select(Delivery).where(Delivery.status == DeliveryStatus.UNKNOWN)).all():
                if row.id not in self.unknown or self.rng.random() < 0.1:
                    self.unknown.add(row.id)
                    if self.rng.random() < 0.5 and self.resent[row.address] < RESENDS:
                        ruth = session.exec(select(Member).where(Member.role == "coordinator")).one()
                        deliver.decide_unknown(session, row.id, True, ruth, now)
                        again.append(row.address)
        self.resent.update(again)

    def _ended(self) -> bool:
        with store.read(self.engine) as session:
            left = session.exec(
                select(func.count()).select_from(Delivery).where(col(Delivery.status).not_in(ENDED))
            ).one()
            edition = session.exec(select(Edition.status).where(Edition.number == 1)).one()
        return left == 0 and edition is EditionStatus.SENT

    def _judge(self, server: Moody, found: Found) -> None:
        with store.read(self.engine) as session:
            rows = session.exec(select(Delivery)).all()
            members = set(session.exec(select(Member.email).where(col(Member.active))))
        found.missed += len(members ^ {row.address for row in rows})
        for row in rows:
            taken, resent = server.taken[row.address], self.resent[row.address]
            false = {
                DeliveryStatus.SENT: taken == 0,  # we say that it was taken, and it was not
                DeliveryStatus.FAILED: taken > resent,  # we say that it was refused, and it was taken
                DeliveryStatus.UNKNOWN: False,
            }.get(row.status, True)
            if false:
                found.missed += 1
                self.said.append(f"{row.address} is {row.status}, taken {taken} times, resent {resent}: {row.answer}")
            if taken > 1 + resent:
                found.twice += 1
                self.said.append(f"{row.address} was taken {taken} times, resent {resent}: {row.answer}")
        if server.ghosts:
            found.missed += server.ghosts
            self.said.append(f"{server.ghosts} mails were handed over for nobody")
        found.deliveries += len(rows)
        found.sent += sum(row.status is DeliveryStatus.SENT for row in rows)
        found.failed += sum(row.status is DeliveryStatus.FAILED for row in rows)
        found.unknown += len(self.unknown | {row.id for row in rows if row.status is DeliveryStatus.UNKNOWN})
        found.resent += sum(self.resent.values())


# --- all rounds --------------------------------------------------------------------------------------------------


@contextmanager
def databases(postgres: bool, folder: Path) -> Iterator[Callable[[Path], str]]:
    """A function that makes each round its database, with an edition that is about to be sent."""
    with ExitStack() as stack:
        server: Postgres | None = stack.enter_context(servers.postgresql()) if postgres else None
        if server is not None:
            with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                admin.execute("CREATE DATABASE pattern")
        world = make(server.url("pattern") if server else "", folder)
        approved(world, datetime.now(UTC), MORE)
        world.engine.dispose()

        def fresh(place: Path) -> str:
            if server is None:
                shutil.copy(folder / "digest.db", place / "digest.db")
                return f"sqlite:///{place / 'digest.db'}"
            with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {place.name} TEMPLATE pattern")
            return server.url(place.name)

        yield fresh


async def run(rounds: int, seed: int, at_once: int, fresh: Callable[[Path], str], folder: Path, workers: int) -> Found:
    """Play the rounds, some side by side; what a round with a find logged is kept."""
    found, numbers = Found(), iter(range(rounds))
    certificate = servers.certificate(folder)

    async def lane() -> None:
        for number in numbers:
            place = folder / f"round_{number}"
            place.mkdir()
            one = Round(number, seed, place, await asyncio.to_thread(fresh, place), certificate, workers)
            await one.play(found)
            for said in one.said:
                print(f"{one.name}: {said}; see {place}", flush=True)
            if not one.said:
                shutil.rmtree(place)
            if found.rounds % 50 == 0:
                print(found.as_json(), flush=True)

    await asyncio.gather(*(lane() for _ in range(at_once)))
    return found


def bench(rounds: int, seed: int, at_once: int = 3, postgres: bool = False) -> Found:
    """Play the rounds against SQLite and one worker, or PostgreSQL and two."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    _context.set_forkserver_preload(["digest.cli"])
    folder = Path(tempfile.mkdtemp(prefix="digest-faults-"))
    with databases(postgres, folder) as fresh:
        found = asyncio.run(run(rounds, seed, at_once, fresh, folder, 2 if postgres else 1))
    if found.clean:
        shutil.rmtree(folder)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--postgres", action="store_true", help="two workers on a PostgreSQL of its own")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--at-once", type=int, default=3, help="rounds side by side")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    database, workers = ("PostgreSQL", "two workers") if options.postgres else ("SQLite", "one worker")
    print(f"{options.rounds} rounds of {MORE + len(MEMBERS)} mails, {workers} on {database}, --seed {seed}", flush=True)
    found = bench(options.rounds, seed, options.at_once, options.postgres)
    for mood, count in sorted(found.moods.items()):
        print(f"{count:6} {mood!r}")
    print(found.as_json())
    sys.exit(0 if found.clean else 1)


if __name__ == "__main__":
    main()
