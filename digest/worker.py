"""What runs when: mailboxes watched, the schedule ticked, the outbox emptied. Every decision is a step's.

Time is a column (`Edition.send_at`, `next_attempt_at`); APScheduler only makes the clock audible, so a machine that
slept misses nothing.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Engine

from digest.config import CommunitySettings, Settings
from digest.delivery import Outcome
from digest.delivery.pacing import Pace
from digest.delivery.smtp import Connection, DeliveryError
from digest.edition import Frozen
from digest.mailbox import Arrival, Position
from digest.mailbox.imap import mailbox_name, poll_once, watch
from digest.message import understand
from digest.steps import collate, deliver, enrol, file, publish, receive, signin
from digest.store import read, transaction

log = logging.getLogger(__name__)

TICK_SECONDS = 2
IDLE_SECONDS = 0.5  # how often an empty outbox is looked at
BATCH = 200  # mails understood and filed in one transaction
DRAFTS = 20  # threads drafted in one transaction


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


# --- mail in -----------------------------------------------------------------------------------------------------


def take_in(
    engine: Engine,
    community_id: int,
    community: CommunitySettings,
    pool: ProcessPoolExecutor | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> int:
    """Understand and file every mail nobody has looked at, a batch a transaction, and draft the threads it changed.

    With a `pool`, understanding (pure) runs in its processes while this one writes. Returns how many were filed.
    """
    filed = 0
    with read(engine) as session:
        ours = file.ours(session, community_id, community)
    while True:
        with read(engine) as session:
            batch = file.unfiled(session, community_id, BATCH)
        if not batch:
            break
        raws = [raw for _, raw in batch]
        reader = partial(understand, ours=ours)
        understood = list(pool.map(reader, raws, chunksize=20)) if pool else [reader(raw) for raw in raws]
        with transaction(engine) as session:
            for (message_id, _), one in zip(batch, understood, strict=True):
                file.file(session, message_id, one, community, now())
        filed += len(batch)
        progress(len(batch))
    drafted = True
    while drafted:
        with transaction(engine) as session:
            drafted = collate.draft_waiting(session, community_id, now(), DRAFTS) > 0
    return filed


class Intake:
    """Where a mailbox's mail goes: stored with its position in one transaction, then understood and filed."""

    def __init__(self, engine: Engine, community_id: int, community: CommunitySettings) -> None:
        self.engine, self.community_id, self.community = engine, community_id, community
        self.mailbox = mailbox_name(community.imap)

    def position(self) -> Position | None:
        with read(self.engine) as session:
            return receive.position(session, self.community_id, self.mailbox)

    def store(self, arrivals: list[Arrival], position: Position) -> None:
        with transaction(self.engine) as session:
            stored = receive.store(session, self.community_id, arrivals, self.mailbox, position)
        take_in(self.engine, self.community_id, self.community)
        if stored:
            log.info("%s: %d new messages stored", self.community.slug, stored)


def intakes(engine: Engine, settings: Settings) -> list[Intake]:
    """One intake for each community."""
    with transaction(engine) as session:
        ids = enrol.communities(session, settings)
    return [Intake(engine, ids[c.slug], c) for c in settings.community]


def poll(engine: Engine, settings: Settings) -> int:
    """Read every community's mailbox once; returns how many messages were fetched."""
    return sum(poll_once(i.community.imap, i.position, i.store) for i in intakes(engine, settings))


# --- the schedule ------------------------------------------------------------------------------------------------


def tick(engine: Engine, settings: Settings, community_ids: Iterable[int]) -> None:
    """Whatever is due, each community in a transaction of its own."""
    for community_id in community_ids:
        with transaction(engine) as session:
            publish.tick(session, settings, community_id, now())
    with transaction(engine) as session:
        unknown = deliver.recover(session, settings, now())
        signin.tidy(session, now())
    if unknown:
        log.warning("%d deliveries were cut off before the server's answer was stored; a person must decide", unknown)


# --- mail out ----------------------------------------------------------------------------------------------------


class Outbox:
    """Sends what is due, over a few connections, no faster than the provider allows."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        with read(engine) as session:
            self.pace = Pace(settings.smtp.messages_per_minute, deliver.recent(session, now()))
        self.editions: dict[int, Frozen] = {}

    def _claim(self) -> tuple[deliver.Claim, deliver.Mail] | None:
        with transaction(self.engine) as session:
            claim = deliver.claim(session, now())
            return (claim, deliver.mail(session, claim, self.editions)) if claim else None

    def _settle(self, claim: deliver.Claim, outcome: Outcome) -> None:
        with transaction(self.engine) as session:
            deliver.settle(session, claim, outcome, now())

    def _release(self, claim: deliver.Claim) -> None:
        with transaction(self.engine) as session:
            deliver.release(session, claim)

    async def lane(self, until_empty: bool = False) -> int:
        """Send one mail after another over one connection, for ever or until nothing is due; returns how many."""
        sent, pause = 0, IDLE_SECONDS
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(Connection(self.settings.smtp))
            while True:
                while wait := self.pace.take(now()):
                    await asyncio.sleep(wait)
                found = await asyncio.to_thread(self._claim)
                if found is None:
                    self.pace.give_back()
                    if until_empty:
                        return sent
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                claim, mail = found
                try:
                    outcome = await connection.send(mail.sender, mail.recipient, mail.wire)
                except DeliveryError as error:
                    self.pace.give_back()
                    await asyncio.to_thread(self._release, claim)
                    if until_empty:
                        raise
                    log.warning("%s Trying again in %.0f seconds.", error, pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 60.0)
                    continue
                pause = IDLE_SECONDS
                await asyncio.to_thread(self._settle, claim, outcome)
                sent += 1

    async def run(self) -> None:
        """Send for ever over as many connections as the settings allow."""
        await asyncio.gather(*(self.lane() for _ in range(self.settings.smtp.connections)))


# --- all of it ---------------------------------------------------------------------------------------------------


async def run(engine: Engine, settings: Settings) -> None:
    """Watch, tick and send until cancelled."""
    found = intakes(engine, settings)
    stop = threading.Event()
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(
        partial(asyncio.to_thread, tick, engine, settings, [i.community_id for i in found]),
        "interval",
        seconds=TICK_SECONDS,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    for intake in found:  # what an earlier process stored but did not come to file
        await asyncio.to_thread(take_in, engine, intake.community_id, intake.community)
    scheduler.start()
    watchers = [
        threading.Thread(target=watch, args=(i.community.imap, i.position, i.store, stop), daemon=True) for i in found
    ]
    for watcher in watchers:
        watcher.start()
    try:
        await Outbox(engine, settings).run()
    finally:
        stop.set()
        scheduler.shutdown(wait=False)
        for watcher in watchers:
            await asyncio.to_thread(watcher.join, 5)
