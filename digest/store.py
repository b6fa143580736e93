"""engine, transaction(), read(), migrations: the only place that knows which database is underneath."""

import fcntl
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

BUSY_MS = 30_000
#: Marks a session that only reads, in `Session.info`.
READING = "reading"


def connect(url: str) -> Engine:
    """An engine for `url`: SQLite (WAL, foreign keys, immediate transactions for writers) or PostgreSQL (psycopg 3)."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        return create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    # hide_parameters: what mails say stays out of error messages and logs
    engine = create_engine(address, hide_parameters=True, json_deserializer=_loads)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read later fails with no time-out (sqlite.org/lang_transaction).
        writer = connection.get_execution_options().get("writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _loads(text: str) -> Any:
    """JSON as it is read from a column. Most lists are empty, and the decoder takes long to find out."""
    return [] if text == "[]" else json.loads(text)


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One writing transaction: committed at the end, rolled back on any exception."""
    with Session(engine.execution_options(writer=True), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read(engine: Engine) -> Iterator[Session]:
    """A consistent view for reading. Nothing is written: what was asked once may be remembered (`steps.remembered`)."""
    with Session(engine, expire_on_commit=False, info={READING: True}) as session:
        yield session


class Turn:
    """What one process at a time may do, of all that share the database. It ends with its process, however that ends.

    A row with a time in it would not: whoever comes after a crash would have to wait until the time was over.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        self._session: Connection | None = None
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Whether it is ours from now on, or still. Raises SQLAlchemyError when the database does not answer."""
        if self._engine.dialect.name == "postgresql":
            return self._take_in_session()
        database = self._engine.url.database
        if self._file is None and database:
            self._file = Path(f"{database}-{self._name}").open("a")  # noqa: SIM115 (kept as long as the turn)
        try:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _take_in_session(self) -> bool:
        try:
            if self._session is None:
                session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                session.detach()  # so that closing it ends the server's session, and the turn with it
                self._session = session
                # A machine that lost its power says no goodbye: PostgreSQL would wait for it for two hours.
                for name, value in (("idle", 10), ("interval", 5), ("count", 3)):
                    session.execute(text(f"SET tcp_keepalives_{name} = {value}"))
            ours = text("SELECT pg_try_advisory_lock(:key)")  # who has it is told yes again
            return bool(self._session.scalar(ours, {"key": zlib.crc32(self._name.encode())}))
        except SQLAlchemyError:
            self.leave()
            raise

    def leave(self) -> None:
        """Let another process have it."""
        held, self._file, self._session = self._file or self._session, None, None
        if held is not None:
            held.close()


def migrate(engine: Engine) -> None:
    """Bring the schema up to date; safe at every start, and with several processes starting at once."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(writer=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(3834)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
