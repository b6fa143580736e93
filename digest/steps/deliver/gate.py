"""The mail server as a whole: whether it takes mail now, and the row that whoever claims mail locks first."""

import random
from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from digest.config import Settings
from digest.delivery import pacing
from digest.models import Gate


def server(settings: Settings) -> str:
    smtp = settings.smtp
    return f"{smtp.host}:{smtp.port}/{smtp.username}"


def locked_gate(session: Session, settings: Settings) -> Gate:
    """The server's gate, locked until the transaction ends."""
    query = select(Gate).where(Gate.server == server(settings)).with_for_update()
    gate = session.exec(query).first()
    if gate is None:
        values = {"server": server(settings), "failures": 0, "streak": 0, "answer": ""}
        make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(make(Gate).values(values).on_conflict_do_nothing())  # another worker may be doing the same
        gate = session.exec(query).one()
    return gate


def is_shut(gate: Gate, now: datetime) -> bool:
    return gate.opens_at is not None and gate.opens_at > now


def close(gate: Gate, why: str, now: datetime) -> None:
    if not is_shut(gate, now):  # else another lane has said so already
        gate.failures += 1
        gate.opens_at = now + pacing.shut(gate.failures, random.random())  # noqa: S311
    gate.answer = why[:500]


def shut(session: Session, settings: Settings, now: datetime) -> str:
    """Why the mail server is left alone now: its words or ours; "" while it takes mail."""
    gate = shut_gate(session, settings, now)
    return gate.answer if gate else ""


def shut_gate(session: Session, settings: Settings, now: datetime) -> Gate | None:
    """The mail server's gate while it is shut: until when it is left alone, and why. None while it takes mail."""
    gate = session.exec(select(Gate).where(Gate.server == server(settings))).first()
    return gate if gate is not None and is_shut(gate, now) else None
