"""A small community on a fresh database, and a pen to write mail with."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from digest import store
from digest.config import CommunitySettings, Settings
from digest.mailbox import Arrival
from digest.message import understand
from digest.models import Member, Message
from digest.steps import collate, compose, enrol, file, publish, receive

STREAM = "leads@lists.example.org"
SERVICE = "digest@example.org"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
MEMBERS = [
    {"email": "gwen@example.org", "name": "Dr Gwen Pryce", "alliance": "Northern", "aliases": "gwen@nhs.example.org"},
    {"email": "tunde@example.org", "name": "Dr Tunde Ade", "alliance": "Greater Manchester"},
    {"email": "priya@example.org", "name": "Dr Priya Rao", "alliance": "Peninsula"},
    {"email": "ruth@charity.example.org", "name": "Ruth Calloway", "alliance": "Charity", "role": "coordinator"},
]


@dataclass
class World:
    """A community with its database; `now` is moved by hand."""

    engine: Engine
    settings: Settings
    community_id: int
    sent: int = field(default=0)

    @property
    def community(self) -> CommunitySettings:
        return self.settings.community[0]

    def member(self, session: Session, email: str) -> Member:
        return session.exec(select(Member).where(Member.email == email, Member.community_id == self.community_id)).one()

    def receive(self, *raws: bytes, now: datetime = NOON) -> int:
        """Store mails at `now` and take them in, as the poller does; returns how many were new."""
        arrivals = []
        for raw in raws:
            self.sent += 1
            arrivals.append(Arrival(f"{self.sent:04}.eml", raw, NOON + timedelta(seconds=self.sent)))
        with store.transaction(self.engine) as session:
            new = receive.store(session, self.community_id, arrivals)
            ours = file.ours(session, self.community_id, self.community)
            mails = [(id, understand(raw, ours)) for id, raw in file.unfiled(session, self.community_id, 100)]
            file.file(session, self.community_id, self.community, mails, now)
            collate.draft_waiting(session, self.community_id, now)
        return new

    def messages(self, session: Session) -> list[Message]:
        return list(
            session.exec(select(Message).where(Message.community_id == self.community_id).order_by(col(Message.id)))
        )


@functools.cache
def migrated() -> Path:
    """An empty SQLite database of today's schema; each test has a copy, because migrating takes longer than most."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "digest.db"
    engine = store.connect(f"sqlite:///{path}")
    store.migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


#: Makes an empty database of today's schema and says where it is: under `pytest --postgresql`, see tests/conftest.py.
elsewhere: Callable[[], str] | None = None


def make(url: str, folder: Path) -> World:
    """A database with one community and its four members: at `url`, or a fresh one (SQLite in `folder`; elsewhere)."""
    ready = not url
    if ready and elsewhere is not None:
        url = elsewhere()
    community = CommunitySettings(
        slug="leads", name="GP leads", stream_address=STREAM, digest_sender=f"Digest <{SERVICE}>"
    )
    settings = Settings(
        public_address="https://digest.example.org", data=folder, database_url=url, community=(community,)
    )
    if not url:
        shutil.copyfile(migrated(), folder / "digest.db")
    engine = store.connect(settings.database)
    if not ready:
        store.migrate(engine)
    with store.transaction(engine) as session:
        community_id = enrol.communities(session, settings)["leads"]
        enrol.members(session, community_id, MEMBERS, NOON)
    return World(engine, settings, community_id)


def mail(
    sender: str,
    subject: str,
    body: str,
    message_id: str = "",
    answers: str = "",
    at: datetime = NOON,
    to: str = STREAM,
    **headers: str,
) -> bytes:
    """A plain-text mail to the stream; `message_id` and `answers` without their angle brackets."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(at)
    if message_id:
        message["Message-ID"] = f"<{message_id}>"
    if answers:
        message["In-Reply-To"] = message["References"] = f"<{answers}>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


QUESTION = mail(
    "Gwen Pryce <gwen@example.org>",
    "Unreturned FIT kits",
    "Dear all,\n\nWho chases the kit when it does not come back to the lab?\n\nGwen\n",
    "q1@example.org",
)
REPLY = mail(
    "Tunde Ade <tunde@example.org>",
    "Re: Unreturned FIT kits",
    "Hi Gwen,\n\nWe run a weekly EMIS search for kits requested more than 14 days ago, and a receptionist rings.\n\n"
    "Tunde\n",
    "r1@example.org",
    answers="q1@example.org",
    at=NOON + timedelta(hours=1),
)
DISSENT = mail(
    "Priya Rao <priya@example.org>",
    "Re: Unreturned FIT kits",
    "I disagree with Tunde. The lab knows first that the kit has not come back, so the reminder should start there.\n",
    "r2@example.org",
    answers="r1@example.org",
    at=NOON + timedelta(hours=2),
)
#: 943 476 5919 passes the NHS number's check digit and is the NHS's own published example.
SLIP = mail(
    "Priya Rao <priya@example.org>",
    "Re: Unreturned FIT kits",
    "We had this last week with Mrs Edith Marlow, NHS number 943 476 5919, whose kit sat in a drawer for a month.\n",
    "r3@example.org",
    answers="q1@example.org",
    at=NOON + timedelta(hours=3),
)


def approved(world: World, now: datetime, more: int) -> None:
    """Begin to send an edition, to the four members and `more` others."""
    world.receive(QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        rows = [{"email": f"m{n}@example.org", "name": f"Member {n}"} for n in range(more)]
        enrol.members(session, world.community_id, rows, now)
        ruth = world.member(session, "ruth@charity.example.org")
        edition = publish.ensure_collecting(session, world.community, world.community_id, now)
        publish.close(session, world.settings, edition.id, now)
        for place in compose.places(session, edition):
            latest = collate.current(session, place.thread_id)
            assert latest is not None
            collate.approve(session, place.thread_id, latest.version, ruth, now)
        publish.approve(session, edition.id, ruth, now)
        publish.begin_sending(session, world.settings, edition.id, now)
