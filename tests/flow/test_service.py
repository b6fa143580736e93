"""`digest run` as its own process, between a real IMAP server and a real SMTP server."""

import os
import re
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from digest import store
from digest.models import Collation, Message
from digest.postoffice import PostOffice
from tests.flow.test_killed import CONFIG
from tests.steps.world import QUESTION, SERVICE, World, make


def until(true: Callable[[], object], what: str, seconds: float) -> None:
    """Wait for something to come true; fail with `what` when it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {what}"
        time.sleep(0.02)


@contextmanager
def running(world: World, folder: Path, office: PostOffice) -> Iterator[httpx.Client]:
    """The service, and a browser that looks at its desk."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    config = CONFIG.replace("https://digest.example.org", address) + f"[web]\nport = {port}\n"
    (folder / "config.toml").write_text(config.format(imap=office.imap_port, smtp=office.smtp_port))
    environment = {**os.environ, "DIGEST_IMAP__PASSWORD": office.password}
    command = [sys.executable, "-m", "digest", "run", "--config", str(folder / "config.toml")]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=address, headers={"Origin": address}, follow_redirects=True) as browser:

            def well() -> bool:
                assert process.poll() is None, (folder / "service.log").read_text()
                try:
                    return browser.get("/health").status_code == 200
                except httpx.TransportError:
                    return False

            until(well, "the desk answers", 30)
            yield browser
    finally:
        process.terminate()
        assert process.wait(15) == 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make("", tmp_path)
    yield made
    made.engine.dispose()


def test_a_mail_is_stored_within_two_seconds_and_a_member_signs_in_by_mail(world: World, tmp_path: Path) -> None:
    with PostOffice({SERVICE}) as office, running(world, tmp_path, office) as browser:

        def post(raw: bytes) -> None:
            with smtplib.SMTP("127.0.0.1", office.smtp_port) as smtp:
                smtp.sendmail("bounces@lists.example.org", [SERVICE], raw)

        def stored(table: type[Message] | type[Collation]) -> int:
            with store.read(world.engine) as session:
                return len(session.exec(select(table)).all())

        # The first mail may find the watcher still connecting; the second finds it waiting in IDLE.
        post(QUESTION)
        until(lambda: stored(Collation) == 1, "the first mail is stored and drafted", 20)
        time.sleep(0.5)
        post(QUESTION.replace(b"q1@example.org", b"q2@example.org").replace(b"FIT kits", b"CT reports"))
        until(lambda: stored(Message) == 2, "a mail that arrives under IDLE is stored", 2)

        assert browser.post("/sign-in", data={"address": "stranger@example.com"}).status_code == 200
        assert browser.post("/sign-in", data={"address": "ruth@charity.example.org"}).status_code == 200
        until(lambda: office.outbox, "the sign-in mail", 10)
        ((recipient, wire),) = office.outbox
        assert recipient == "ruth@charity.example.org"
        found = re.search(rb"/sign-in/[\w-]+", wire.replace(b"=\r\n", b""))
        assert found
        link = found[0].decode()
        assert "Sign in" in browser.get(link).text
        assert browser.get("/threads").url.path == "/sign-in", "looking at the link signs nobody in"
        assert "Unreturned FIT kits" in browser.post(link).text + browser.get("/threads").text
        with httpx.Client(base_url=browser.base_url, headers={"Origin": str(browser.base_url)}) as other:
            other.post(link)
            assert other.get("/threads").status_code in {302, 303, 401}, "the link works once"
    log = (tmp_path / "service.log").read_text()
    assert "ruth@" not in log
    assert link not in log
