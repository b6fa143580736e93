"""The real worker, killed outright while it sends: nobody is missed, nobody is mailed twice."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlmodel import col, func, select

from digest import store
from digest.models import Delivery, Edition, Member
from digest.nouns import DeliveryStatus, EditionStatus
from digest.postoffice import PostOffice
from tests.steps.world import SERVICE, World, approved, make

MEMBERS = 40
PATIENCE = 60.0  # seconds without any progress, after which there is none to come: a busy machine is no fault
CONFIG = """
public_address = "https://digest.example.org"
data = "."
[imap]
host = "127.0.0.1"
port = {imap}
security = "none"
username = "digest"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
messages_per_minute = 60000
connections = 2
timeout = 1
[[community]]
slug = "leads"
name = "GP leads"
stream_address = "leads@lists.example.org"
digest_sender = "Digest <digest@example.org>"
"""


class SlowPostOffice(PostOffice):
    """Takes its time over each mail, before it keeps it and before it says so, so that a kill falls anywhere."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(random.uniform(0, 0.06))
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(random.uniform(0, 0.06))
        return answer


class Progress:
    """Whether something still changes, however slowly."""

    def __init__(self) -> None:
        self.seen: object = None
        self.since = time.monotonic()

    def goes_on(self, seen: object) -> bool:
        if seen != self.seen:
            self.seen, self.since = seen, time.monotonic()
        return time.monotonic() - self.since < PATIENCE


def left(world: World) -> int:
    """Rows that still have to come to an end by themselves."""
    with store.read(world.engine) as session:
        ended = (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN, DeliveryStatus.FAILED)
        return session.exec(select(func.count()).select_from(Delivery).where(col(Delivery.status).not_in(ended))).one()


def test_a_worker_killed_at_random_moments_misses_nobody_and_mails_nobody_twice(tmp_path: Path) -> None:
    world = make("", tmp_path)
    approved(world, datetime.now(UTC), MEMBERS)
    with SlowPostOffice({SERVICE}) as office:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(imap=office.imap_port, smtp=office.smtp_port))
        environment = {**os.environ, "DIGEST_IMAP__PASSWORD": office.password}
        kills, progress = 0, Progress()
        while left(world):
            assert progress.goes_on(left(world)), (tmp_path / "worker.log").read_text()
            command = [sys.executable, "-m", "digest", "worker", "--config", str(config)]
            with (tmp_path / "worker.log").open("ab") as log:
                worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            taken = len(office.outbox)
            while (waiting := left(world)) and len(office.outbox) < taken + 8:
                assert worker.poll() is None, (tmp_path / "worker.log").read_text()
                assert progress.goes_on((waiting, len(office.outbox))), (tmp_path / "worker.log").read_text()
                time.sleep(0.02)
            time.sleep(random.uniform(0, 0.1))
            if left(world):
                kills += 1
                worker.send_signal(signal.SIGKILL)
            else:
                wait_until_sent(world)
                worker.terminate()
            worker.wait(PATIENCE)
        accepted = Counter(recipient for recipient, wire in office.outbox if b"\r\nList-Id:" in wire)
    with store.read(world.engine) as session:
        rows = {d.address: d.status for d in session.exec(select(Delivery))}
        assert set(rows) == set(session.exec(select(Member.email).where(col(Member.active))))
        assert session.exec(select(Edition.status).where(Edition.number == 1)).one() is EditionStatus.SENT
    assert kills >= 3
    assert set(accepted.values()) == {1}
    for address, status in rows.items():
        assert status in {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
        if status is DeliveryStatus.SENT:
            assert accepted[address] == 1
    world.engine.dispose()


def wait_until_sent(world: World) -> None:
    """The worker's next tick finds that nothing is left to send."""
    progress = Progress()
    while progress.goes_on(None):
        with store.read(world.engine) as session:
            if session.exec(select(Edition.status).where(Edition.number == 1)).one() is EditionStatus.SENT:
                return
        time.sleep(0.1)


def test_a_worker_asked_to_stop_finishes_the_mail_in_hand(tmp_path: Path) -> None:
    world = make("", tmp_path)
    approved(world, datetime.now(UTC), MEMBERS)
    with SlowPostOffice({SERVICE}) as office:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(imap=office.imap_port, smtp=office.smtp_port))
        environment = {**os.environ, "DIGEST_IMAP__PASSWORD": office.password}
        for _ in range(3):
            taken = len(office.outbox)
            with (tmp_path / "worker.log").open("ab") as log:
                command = [sys.executable, "-m", "digest", "worker", "--config", str(config)]
                worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            progress = Progress()
            while len(office.outbox) < taken + 5:
                assert worker.poll() is None, (tmp_path / "worker.log").read_text()
                assert progress.goes_on(len(office.outbox))
                time.sleep(0.01)
            worker.terminate()
            assert worker.wait(PATIENCE) == 0
        accepted = {recipient for recipient, wire in office.outbox if b"\r\nList-Id:" in wire}
    with store.read(world.engine) as session:
        rows = {d.address: d.status for d in session.exec(select(Delivery))}
    assert set(rows.values()) == {DeliveryStatus.SENT, DeliveryStatus.DUE}
    assert {address for address, status in rows.items() if status is DeliveryStatus.SENT} == accepted
    world.engine.dispose()
