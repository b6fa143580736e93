"""What runs when: mailboxes watched, the schedule ticked, the outbox emptied. Every decision is a step's.

Time is a column (`Edition.send_at`, `next_attempt_at`); APScheduler only makes the clock audible, so a machine that
slept misses nothing.
"""

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from digest import llm
from digest.config import CommunitySettings, ConfigError, Settings
from digest.delivery import Outcome
from digest.delivery.smtp import Connection, DeliveryError
from digest.mailbox import Arrival, Position
from digest.mailbox.imap import mailbox_name, poll_once, watch
from digest.message import understand
from digest.steps import (
    asked,
    bounces,
    collate,
    deliver,
    enrol,
    file,
    publish,
    receive,
    remind,
    signin,
    signing,
    wishes,
    word,
)
from digest.store import Turn, read, transaction

log = logging.getLogger(__name__)

TICK_SECONDS = 2
IDLE_SECONDS = 0.5  # how often an empty outbox is looked at
AHEAD_SECONDS, MOST_AHEAD = 0.5, 200  # how much mail is claimed ahead: what goes out in that time, at most so many
GATHER_SECONDS = 0.1  # answers heard within this time are stored together
KEEP_SECONDS = 30.0  # how long a connection is kept that nobody uses
LONGEST_WORDLESS = 900.0  # seconds between attempts to reach a language model that does not answer
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


def index_all(engine: Engine, community_id: int) -> None:
    """Write down what threads ask that an earlier version of the service drafted, some a transaction."""
    lacking = DRAFTS
    while lacking == DRAFTS:
        with transaction(engine) as session:
            lacking = asked.catch_up(session, community_id, DRAFTS)


def draft_all(engine: Engine, community_id: int, progress: Progress = lambda _done: None) -> None:
    """Draft every thread whose messages changed, some a transaction."""
    drafted = DRAFTS
    while drafted == DRAFTS:
        with transaction(engine) as session:
            drafted = collate.draft_waiting(session, community_id, now(), DRAFTS)
        progress(drafted)


def take_in(engine: Engine, community_id: int, community: CommunitySettings) -> None:
    """File what is stored, draft what that changed, heed what came back; goes on where an earlier process stopped."""
    file_all(engine, community_id, community)
    draft_all(engine, community_id)
    read_all_bounces(engine, community_id, community)


def read_all_bounces(engine: Engine, community_id: int, community: CommunitySettings) -> None:
    """Read every report of undelivered mail that nobody has read, some a transaction."""
    done = bounces.BATCH
    while done == bounces.BATCH:
        with transaction(engine) as session:
            done = bounces.take_in(session, community_id, community, now())


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
            wishes.heed(session, settings, community_id, now())
            publish.tick(session, settings, community_id, now())
            remind.tick(session, settings, community_id, now())
            bounces.judge_refused(session, community_id, now())
            bounces.tell(session, settings, community_id, now())
    with transaction(engine) as session:
        unknown = deliver.recover(session, settings, now())
        signin.tidy(session, now())
    if unknown:
        log.warning("%d deliveries were cut off before the server's answer was stored; a person must decide", unknown)


async def _tick(engine: Engine, settings: Settings, community_ids: Iterable[int]) -> None:
    """`tick`, for the scheduler: what fails now is due again at the next beat."""
    try:
        with contextlib.suppress(asyncio.CancelledError):  # the service is stopping; the thread finishes its beat
            await asyncio.to_thread(tick, engine, settings, community_ids)
    except SQLAlchemyError as error:
        log.error("The database did not answer (%s); trying again in %d seconds", brief(error), TICK_SECONDS)  # noqa: TRY400


def brief(error: SQLAlchemyError) -> str:
    """What the database said, on one line and without any of our data."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


# --- wording -----------------------------------------------------------------------------------------------------


class Wordings:
    """Asks the language model about each draft once, where one is configured; on any failure the draft stands."""

    def __init__(self, engine: Engine, settings: Settings, community_ids: Iterable[int]) -> None:
        self.engine, self.settings, self.community_ids = engine, settings.wording, list(community_ids)
        self.seen: set[word.Key] = set()

    def beat(self) -> bool:
        """Ask about one draft; returns whether there was one. Raises llm.Unworded when no answer was had."""
        for community_id in self.community_ids:
            with read(self.engine) as session:
                found = word.waiting(session, community_id, self.seen)
            if found is None:
                continue
            key, asked = found
            if asked is not None:
                kept, dropped = word.checked(llm.complete(self.settings, asked.messages()), asked)
                with transaction(self.engine) as session:
                    word.keep(session, key, kept)
                log.info("A draft was worded: %d suggestions kept, %d dropped", len(kept), len(dropped))
            self.seen.add(key)
            return True
        return False

    def run(self, leave: threading.Event) -> None:
        """Ask until told to leave; an endpoint that fails is asked again about the same draft after a longer rest."""
        pause = 0.0
        while self.settings.address and not leave.wait(pause):
            try:
                pause = 0.0 if self.beat() else TICK_SECONDS
            except (llm.Unworded, ConfigError, SQLAlchemyError) as error:
                pause = min(max(pause, TICK_SECONDS) * 2, LONGEST_WORDLESS)
                said = brief(error) if isinstance(error, SQLAlchemyError) else error
                log.warning("No wording was had: %s Drafts stand without it; trying again in %d seconds.", said, pause)


# --- mail out ----------------------------------------------------------------------------------------------------


#: What came of a mail: the server's answer; that there is no server to answer; or None, when it was not begun at all.
Heard = tuple[deliver.Claim, Outcome | DeliveryError | None]


class Outbox:
    """Sends what is due, over a few connections, no faster than the provider allows.

    Of several workers one sends, and another when that one ends: the provider counts the connections of them all.

    One pump talks to the database: each of its transactions stores the answers heard since the last and claims the next
    mails. As many are claimed ahead as go out in AHEAD_SECONDS, so that a fast server never waits for the database, and
    a process that dies leaves few mails of which nobody can know.
    """

    def __init__(self, engine: Engine, settings: Settings, stop: asyncio.Event | None = None) -> None:
        signing.check_keys(settings)
        self.engine, self.settings, self.stop = engine, settings, stop or asyncio.Event()
        self.presses: deliver.Presses = {}
        self._turn = Turn(engine, "outbox")
        self._todo = asyncio.Queue[tuple[deliver.Claim, deliver.Mail] | None]()
        self._heard: list[Heard] = []
        self._news = asyncio.Event()
        self._broken: BaseException | None = None
        self._pace = AHEAD_SECONDS  # seconds a mail takes of late

    async def run(self, until_empty: bool = False) -> int:
        """Send until stopped, or until nothing is due; returns how many mails had an answer.

        Raises DeliveryError, with `until_empty` only, when the server cannot be used.
        """
        lanes = [asyncio.create_task(self._lane()) for _ in range(self.settings.smtp.connections)]
        try:
            answered = await self._pump(len(lanes), until_empty)
        except BaseException:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            raise
        else:
            for _ in lanes:
                self._todo.put_nowait(None)
            await asyncio.gather(*lanes)
            return answered
        finally:
            self._turn.leave()

    async def _pump(self, lanes: int, until_empty: bool) -> int:
        held, answered = 0, 0
        failure: DeliveryError | None = None
        while True:
            closing = self.stop.is_set() or failure is not None
            if closing:
                self._withdraw()
            if self._broken is not None:
                raise self._broken
            self._news.clear()
            heard, self._heard = self._heard, []
            answered += sum(isinstance(result, Outcome) for _, result in heard)
            held -= len(heard)
            ahead = max(lanes, min(MOST_AHEAD, int(lanes * AHEAD_SECONDS / self._pace)))
            tasks, shut = await self._exchange(heard, 0 if closing else max(0, ahead - held), until_empty)
            held += len(tasks)
            for task in tasks:
                self._todo.put_nowait(task)
            if shut:  # the mails in hand are finished, the others wait
                self._withdraw()
                failure = DeliveryError(shut) if until_empty else None
            if held:
                await self._news.wait()
                until = time.monotonic() + GATHER_SECONDS
                while self._todo.qsize() > ahead // 2 and time.monotonic() < until and not self.stop.is_set():
                    await asyncio.sleep(0.005)  # the lanes have enough to do: hear some more first
            elif failure is not None:
                raise failure
            elif self.stop.is_set() or (until_empty and not tasks):
                return answered
            else:
                await self._rest(IDLE_SECONDS)

    async def _exchange(
        self, heard: list[Heard], want: int, until_empty: bool
    ) -> tuple[list[tuple[deliver.Claim, deliver.Mail]], str]:
        """`_store_and_claim`, however long the database takes to come back: an answer heard must not be lost."""
        while True:
            try:
                return await asyncio.to_thread(self._store_and_claim, heard, want)
            except SQLAlchemyError as error:
                if not heard and (until_empty or self.stop.is_set()):
                    raise
                log.error("The database did not answer (%s); trying again in a second.", brief(error))  # noqa: TRY400
                await asyncio.sleep(1.0)

    def _store_and_claim(self, heard: list[Heard], want: int) -> tuple[list[tuple[deliver.Claim, deliver.Mail]], str]:
        """Store what was heard, then take up to `want` mails; and why the server is left alone now, if it is."""
        moment = now()
        if not heard:
            with read(self.engine) as session:
                if not want or not deliver.ready(session, self.settings, moment):
                    return [], deliver.shut(session, self.settings, moment)
        if not self._turn.take():  # another worker sends
            if not heard:
                return [], ""
            want = 0
        why = next((str(result) for _, result in heard if isinstance(result, DeliveryError)), "")
        back = [claim for claim, result in heard if not isinstance(result, Outcome)]
        tasks: list[tuple[deliver.Claim, deliver.Mail]] = []
        with transaction(self.engine) as session:
            answers = [(claim, result) for claim, result in heard if isinstance(result, Outcome)]
            deliver.settle(session, self.settings, answers, moment)
            if back:
                deliver.release(session, self.settings, back, moment, why)
            # The clock is read anew: a claim counts from when it was had, however long the database kept us waiting.
            while not tasks and (claims := deliver.claim(session, self.settings, now(), want)):
                tasks = deliver.mails(session, self.settings, claims, self.presses, moment)
            shut = deliver.shut(session, self.settings, moment)
        if why:
            log.warning("%s Mail waits and will be tried again.", why)
        return tasks, shut

    def _withdraw(self) -> None:
        """Take back what no lane has begun."""
        while not self._todo.empty():
            task = self._todo.get_nowait()
            if task is not None:
                self._heard.append((task[0], None))
                self._news.set()

    async def _rest(self, seconds: float) -> None:
        """Wait, but not past the end of the service."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)

    async def _lane(self) -> None:
        """Send one mail after another over one connection."""
        try:
            async with Connection(self.settings.smtp) as connection:
                while (task := await self._next(connection)) is not None:
                    claim, mail = task
                    result: Outcome | DeliveryError | None = None
                    began = time.monotonic()
                    data = mail.data if mail.key is None else await asyncio.to_thread(mail.signed)
                    if deliver.in_time(self.settings, claim, now()):
                        try:
                            result = await connection.send(mail.sender, mail.recipient, data)
                        except DeliveryError as error:
                            result = error
                        self._pace += 0.2 * (time.monotonic() - began - self._pace)
                    self._heard.append((claim, result))
                    self._news.set()
        except Exception as error:
            self._broken = error
            self._news.set()

    async def _next(self, connection: Connection) -> tuple[deliver.Claim, deliver.Mail] | None:
        """The next mail to send. A connection nobody needs for a while is closed: providers count them."""
        if self._todo.empty():
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._todo.get(), KEEP_SECONDS)
            await connection.leave()
        return await self._todo.get()


# --- all of it ---------------------------------------------------------------------------------------------------


async def run(engine: Engine, settings: Settings, stop: asyncio.Event) -> None:
    """Watch, tick and send until `stop` is set; a mail that is being handed over is finished first."""
    found = intakes(engine, settings)
    for intake in found:  # what an earlier process stored but did not come to file or draft
        await asyncio.to_thread(index_all, engine, intake.community_id)
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
    wordings = Wordings(engine, settings, [i.community_id for i in found])
    watchers.append(threading.Thread(target=wordings.run, args=(leave,), daemon=True))
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
