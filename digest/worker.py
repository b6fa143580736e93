"""What runs when: mailboxes watched, the schedule ticked, the outbox emptied. Every decision is a step's.

Time is a column (`Edition.send_at`, `next_attempt_at`); APScheduler only makes the clock audible, so a machine that
slept misses nothing.
"""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from digest.config import CommunitySettings, Settings
from digest.delivery import Outcome
from digest.delivery.pacing import Pace
from digest.delivery.smtp import Connection, DeliveryError
from digest.edition import Frozen
from digest.mailbox import Arrival, Position
from digest.mailbox.imap import mailbox_name, poll_once, watch
from digest.message import understand
from digest.nouns import DeliveryStatus
from digest.steps import collate, deliver, enrol, file, publish, receive, remind, signin
from digest.store import read, transaction

log = logging.getLogger(__name__)

TICK_SECONDS = 2
IDLE_SECONDS = 0.5  # how often an empty outbox is looked at
LONGEST_REST = 60.0  # seconds between attempts to reach a server that is down
BATCH = 200  # mails understood and filed in one transaction
DRAFTS = 20  # threads drafted in one transaction


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


# --- mail in -----------------------------------------------------------------------------------------------------


Progress = Callable[[int], None]


def file_all(
    engine: Engine,
    community_id: int,
    community: CommunitySettings,
    pool: ProcessPoolExecutor | None = None,
    progress: Progress = lambda _done: None,
) -> int:
    """Understand and file every mail nobody has looked at, a batch a transaction; returns how many.

    With a `pool`, understanding (pure) runs in its processes while this one writes.
    """
    filed = 0
    with read(engine) as session:
        ours = file.ours(session, community_id, community)
    while True:
        with read(engine) as session:
            batch = file.unfiled(session, community_id, BATCH)
        if not batch:
            return filed
        raws = [raw for _, raw in batch]
        reader = partial(understand, ours=ours)
        understood = list(pool.map(reader, raws, chunksize=20)) if pool else [reader(raw) for raw in raws]
        mails = [(message_id, one) for (message_id, _), one in zip(batch, understood, strict=True)]
        with transaction(engine) as session:
            file.file(session, community_id, community, mails, now())
        filed += len(batch)
        progress(len(batch))


def draft_all(engine: Engine, community_id: int, progress: Progress = lambda _done: None) -> None:
    """Draft every thread whose messages changed, some a transaction."""
    drafted = DRAFTS
    while drafted == DRAFTS:
        with transaction(engine) as session:
            drafted = collate.draft_waiting(session, community_id, now(), DRAFTS)
        progress(drafted)


def take_in(engine: Engine, community_id: int, community: CommunitySettings) -> None:
    """File what is stored and draft what that changed; goes on where an earlier process stopped."""
    file_all(engine, community_id, community)
    draft_all(engine, community_id)


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
            remind.tick(session, settings, community_id, now())
    with transaction(engine) as session:
        unknown = deliver.recover(session, settings, now())
        signin.tidy(session, now())
    if unknown:
        log.warning("%d deliveries were cut off before the server's answer was stored; a person must decide", unknown)


async def _tick(engine: Engine, settings: Settings, community_ids: Iterable[int]) -> None:
    """`tick`, for the scheduler: what fails now is due again at the next beat."""
    try:
        await asyncio.to_thread(tick, engine, settings, community_ids)
    except SQLAlchemyError as error:
        log.error("The database did not answer (%s); trying again in %d seconds", brief(error), TICK_SECONDS)  # noqa: TRY400


def brief(error: SQLAlchemyError) -> str:
    """What the database said, on one line and without any of our data."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


# --- mail out ----------------------------------------------------------------------------------------------------


class Outbox:
    """Sends what is due, over a few connections, no faster than the provider allows."""

    def __init__(self, engine: Engine, settings: Settings, stop: asyncio.Event | None = None) -> None:
        self.engine, self.settings, self.stop = engine, settings, stop or asyncio.Event()
        with read(engine) as session:
            self.pace = Pace(settings.smtp.messages_per_minute, deliver.recent(session, now()))
        self.editions: dict[int, Frozen] = {}

    def _claim(self) -> tuple[deliver.Claim, deliver.Mail] | None:
        with transaction(self.engine) as session:
            claim = deliver.claim(session, now())
            if claim is None:
                return None
            try:
                return claim, deliver.mail(session, claim, self.editions)
            except ValueError as error:  # no mail can be made for this address; the others must not wait for it
                deliver.settle(session, claim, Outcome(DeliveryStatus.FAILED, f"Not sent: {error}"), now())
        return self._claim()

    def _settle(self, claim: deliver.Claim, outcome: Outcome) -> None:
        with transaction(self.engine) as session:
            deliver.settle(session, claim, outcome, now())

    def _release(self, claim: deliver.Claim) -> None:
        with transaction(self.engine) as session:
            deliver.release(session, claim)

    async def _write(self, write: Callable[[], None]) -> None:
        """Store what came of a mail, however long the database takes to come back: an answer heard must not be lost."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except SQLAlchemyError as error:
                log.error("The database did not answer (%s); a mail's outcome waits to be stored", brief(error))  # noqa: TRY400
                await asyncio.sleep(1.0)

    async def _rest(self, seconds: float) -> None:
        """Wait, but not past the end of the service."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)

    async def lane(self, until_empty: bool = False) -> int:
        """Send one mail after another over one connection until stopped, or until nothing is due; returns how many."""
        sent, pause = 0, IDLE_SECONDS
        async with Connection(self.settings.smtp) as connection:
            while not self.stop.is_set():
                if wait := self.pace.take(now()):
                    await self._rest(wait)
                    continue
                try:
                    found = await asyncio.to_thread(self._claim)
                    if found is None:
                        self.pace.give_back()
                        if until_empty:
                            break
                        await self._rest(IDLE_SECONDS)
                        continue
                    claim, mail = found
                    try:
                        outcome = await connection.send(mail.sender, mail.recipient, mail.wire)
                    except DeliveryError:
                        await self._write(partial(self._release, claim))
                        raise
                    await self._write(partial(self._settle, claim, outcome))
                    sent, pause = sent + 1, IDLE_SECONDS
                except (DeliveryError, SQLAlchemyError) as error:
                    self.pace.give_back()
                    if until_empty:
                        raise
                    said = (
                        error if isinstance(error, DeliveryError) else f"The database did not answer ({brief(error)})."
                    )
                    log.warning("%s Trying again in %.1f seconds.", said, pause)
                    await self._rest(pause)
                    pause = min(pause * 2, LONGEST_REST)
        return sent

    async def run(self) -> None:
        """Send until stopped, over as many connections as the settings allow."""
        await asyncio.gather(*(self.lane() for _ in range(self.settings.smtp.connections)))


# --- all of it ---------------------------------------------------------------------------------------------------


async def run(engine: Engine, settings: Settings, stop: asyncio.Event) -> None:
    """Watch, tick and send until `stop` is set; a mail that is being handed over is finished first."""
    found = intakes(engine, settings)
    for intake in found:  # what an earlier process stored but did not come to file or draft
        await asyncio.to_thread(take_in, engine, intake.community_id, intake.community)
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(
        _tick,
        "interval",
        args=[engine, settings, [i.community_id for i in found]],
        seconds=TICK_SECONDS,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    leave = threading.Event()
    watchers = [
        threading.Thread(target=watch, args=(i.community.imap, i.position, i.store, leave), daemon=True) for i in found
    ]
    for watcher in watchers:
        watcher.start()
    try:
        await Outbox(engine, settings, stop).run()
    finally:
        leave.set()
        scheduler.shutdown(wait=False)
        for watcher in watchers:
            await asyncio.to_thread(watcher.join, 5)


def until_signalled() -> asyncio.Event:
    """An event that is set when the process is asked to end (SIGTERM, SIGINT). Call it inside the running loop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def together(stop: asyncio.Event, *parts: Coroutine[None, None, None]) -> None:
    """Run the parts of the service side by side; when one ends, for whatever reason, the others are asked to."""
    tasks = [asyncio.create_task(part) for part in parts]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.gather(*tasks)
