"""The embedded default: a post office in this process, a sample community, and the main job from first mail to digest.

Development only. It is also the test harness: `once` runs the same steps as the service does, over real IMAP and SMTP.
"""

import asyncio
import email
import email.policy
import email.utils
import smtplib
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from digest import store, worker
from digest.assets import SAMPLE
from digest.config import CommunitySettings, Settings, Web
from digest.models import Collation, Edition, Member, Message, Thread
from digest.nouns import CollationStatus, DeliveryStatus, EditionStatus, HoldReason, MessageStatus, Role
from digest.postoffice import PostOffice
from digest.steps import collate, compose, deliver, enrol, publish, review, signin
from digest.web.app import create_app
from digest.web.server import serve

STREAM = "gp-leads@lists.example.org"
SERVICE = "digest@example.org"

out = Console(soft_wrap=True, highlight=False)


class DemoError(Exception):
    """The demonstration did not come to its end; the text is one sentence."""


def show(once: bool, folder: Path | None) -> None:
    """Run the demonstration. `once`: without waiting for a person, writing each mail received to `folder`."""
    if not SAMPLE.is_dir():
        raise DemoError("The sample community is not installed; run scripts/demo in a checkout of the project.")
    with tempfile.TemporaryDirectory(prefix="digest-demo-") as data, PostOffice({SERVICE}) as office:
        settings = sample_settings(Path(data), office)
        out.print(f"A post office is open: IMAP on port {office.imap_port}, SMTP on port {office.smtp_port}.")
        engine = store.connect(settings.database)
        store.migrate(engine)
        with store.transaction(engine) as session:
            community_id = enrol.communities(session, settings)["gp-leads"]
            rows = enrol.read_csv(SAMPLE / "members.csv")
            added = enrol.members(session, community_id, rows, worker.now()).added
        out.print(f"The sample community has {added} members.")
        sent = post_sample(office)
        out.print(f"{sent} mails of the sample stream were delivered to {SERVICE} over SMTP.")
        if once:
            run_once(engine, settings, community_id, office, sent, folder)
        else:
            asyncio.run(stay(engine, settings, community_id, office))
        engine.dispose()


def sample_settings(data: Path, office: PostOffice) -> Settings:
    """Settings that fit the post office; the digest is due on an ordinary Monday."""
    port = free_port()
    return Settings(
        public_address=f"http://127.0.0.1:{port}",
        data=data,
        imap=office.imap,
        smtp=office.smtp,
        web=Web(port=port),
        community=(
            CommunitySettings(
                slug="gp-leads",
                name="GP cancer leads",
                stream_address=STREAM,
                digest_sender=f"GP cancer leads digest <{SERVICE}>",
                imap=office.imap,
            ),
        ),
    )


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def sample_mail(now: datetime) -> Iterator[bytes]:
    """The sample stream in order of arrival, its Date headers moved so that the newest is an hour old."""
    raws = [path.read_bytes() for path in sorted((SAMPLE / "mail").glob("*.eml"))]
    dates = [_date(raw) for raw in raws]
    shift = now - timedelta(hours=1) - max(d for d in dates if d)
    for raw, date in zip(raws, dates, strict=True):
        if date is None:
            yield raw
        else:
            lines = raw.split(b"\n")
            at = next(n for n, line in enumerate(lines) if line.lower().startswith(b"date:"))
            end = b"\r" if lines[at].endswith(b"\r") else b""
            lines[at] = b"Date: " + email.utils.format_datetime(date + shift).encode() + end
            yield b"\n".join(lines)


def _date(raw: bytes) -> datetime | None:
    value = email.message_from_bytes(raw, policy=email.policy.compat32)["Date"]
    return email.utils.parsedate_to_datetime(value) if value else None


def post_sample(office: PostOffice) -> int:
    """Deliver the sample stream into the service's mailbox over SMTP; returns the number of mails."""
    number = 0
    with smtplib.SMTP("127.0.0.1", office.smtp_port) as smtp:
        for raw in sample_mail(worker.now()):
            smtp.sendmail("gp-leads-bounces@lists.example.org", [SERVICE], raw)
            number += 1
    return number


# --- without a person --------------------------------------------------------------------------------------------


def run_once(
    engine: Engine, settings: Settings, community_id: int, office: PostOffice, sent: int, folder: Path | None
) -> None:
    """Poll, decide as the sample coordinator would, approve, send, and check that every member got the edition once."""
    fetched = worker.poll(engine, settings)
    if fetched != sent:
        raise DemoError(f"{sent} mails were posted but {fetched} came out of the mailbox.")
    with store.read(engine) as session:
        kinds = Counter[str](session.exec(select(Message.kind)))
        threads = len(session.exec(select(Thread.id).where(col(Thread.merged_into).is_(None))).all())
    out.print(
        f"{fetched} mails were read over IMAP: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    )
    out.print(f"They make {threads} threads, each with a drafted collation.")
    with store.transaction(engine) as session:
        edition_id = approve_all(session, settings, community_id, worker.now())
    asyncio.run(worker.Outbox(engine, settings).run(until_empty=True))
    worker.tick(engine, settings, [community_id])
    with store.read(engine) as session:
        edition = session.get_one(Edition, edition_id)
        counts = deliver.counts(session, edition_id)
        members = session.exec(select(Member.email).where(col(Member.active))).all()
    received = Counter(recipient for recipient, wire in office.outbox if _is_edition(wire))
    if folder is not None:
        write_mail(office, folder)
    if edition.status is not EditionStatus.SENT or counts != {DeliveryStatus.SENT: len(members)}:
        raise DemoError(f"Issue {edition.number} did not reach everybody: {dict(counts)}.")
    if received != Counter(members):
        raise DemoError("The edition did not reach every member exactly once.")
    where = f" Each mail received is in {folder}." if folder else ""
    out.print(f"Issue {edition.number} was sent to {len(members)} members, each exactly once.{where}")


def approve_all(session: Session, settings: Settings, community_id: int, now: datetime) -> int:
    """What the sample coordinator does: decide about held mail, approve each collation as drafted, send now."""
    coordinator = session.exec(
        select(Member).where(Member.community_id == community_id, Member.role == Role.COORDINATOR)
    ).first()
    if coordinator is None:
        raise DemoError("The sample community has no coordinator.")
    decide_held(session, coordinator, now)
    community = settings.community[0]
    edition = publish.ensure_collecting(session, community, community_id, now)
    publish.close(session, settings, edition.id, now)
    for place in compose.places(session, edition):
        latest = collate.current(session, place.thread_id)
        if latest is not None and latest.status is not CollationStatus.APPROVED:
            collate.approve(session, place.thread_id, latest.version, coordinator, now)
    publish.approve(session, edition.id, coordinator, now)
    publish.send_now(session, settings, edition.id, coordinator, now)
    drafted = len(session.exec(select(Collation.id).where(Collation.status == CollationStatus.APPROVED)).all())
    out.print(f"The coordinator approved {drafted} collations and Issue {edition.number}.")
    return edition.id


def decide_held(session: Session, coordinator: Member, now: datetime) -> None:
    """Redact what may identify a patient, discard what is held for other reasons."""
    for message in session.exec(select(Message).where(Message.status == MessageStatus.HELD)).all():
        if message.status is not MessageStatus.HELD:
            continue  # it repeats what was redacted in another, so it was let in with that one
        if message.hold_reason is HoldReason.IDENTIFIER:
            review.redact(session, message.id, coordinator, now)
            out.print("A mail that may identify a patient was held; the coordinator had it redacted.")
        else:
            review.discard(session, message.id, coordinator, "Not for the digest.", now)
            out.print(f"A mail was held ({message.hold_reason}); the coordinator discarded it.")


def _is_edition(wire: bytes) -> bool:
    return b"\r\nList-Id:" in wire.split(b"\r\n\r\n", 1)[0]


def write_mail(office: PostOffice, folder: Path) -> None:
    """Write every mail the post office received for others than the service to `folder`, as .eml."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (recipient, wire) in enumerate(office.outbox, start=1):
            (folder / f"{number:04}-{recipient}.eml").write_bytes(wire)
    except OSError as error:
        raise DemoError(f"The mails cannot be written to {folder}: {error.strerror}.") from None


# --- with a person -----------------------------------------------------------------------------------------------


async def stay(engine: Engine, settings: Settings, community_id: int, office: PostOffice) -> None:
    """Run the service until interrupted, with an outbox page beside the desk that shows every mail it sends."""
    app = Starlette(
        routes=[
            Route("/outbox", lambda request: _outbox(office, request)),
            Route("/outbox/{number:int}.{form:str}", lambda request: _outbox_mail(office, request)),
            Mount("/", create_app(settings, engine)),
        ]
    )
    stop = worker.until_signalled()
    service = asyncio.create_task(worker.together(stop, serve(app, settings, stop), worker.run(engine, settings, stop)))
    with store.transaction(engine) as session:
        coordinator = session.exec(
            select(Member).where(Member.community_id == community_id, Member.role == Role.COORDINATOR)
        ).first()
        if coordinator is None:
            raise DemoError("The sample community has no coordinator.")
        link = signin.link(session, settings, coordinator, worker.now())
    deadline = time.monotonic() + 60
    while True:
        with store.read(engine) as session:
            threads = len(session.exec(select(Thread.id).where(col(Thread.merged_into).is_(None))).all())
            waiting = len(session.exec(select(Message.id).where(col(Message.filed_at).is_(None))).all())
        if threads and not waiting:
            break
        if service.done() or time.monotonic() > deadline:
            raise DemoError("The worker stopped before it had read the sample stream.")
        await asyncio.sleep(0.2)
    out.print(f"The worker read them over IMAP: {threads} threads are drafted and wait for the coordinator.\n")
    out.print(f"The desk:   {settings.public_address}")
    out.print(f"Sign in as {coordinator.name}:   {link}")
    out.print(f"Every mail the service sends:   {settings.public_address}/outbox")
    out.print("\nStop with Ctrl+C.")
    await service


PAGE = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><title>Outbox</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>Outbox</h1>{}</main></body></html>"""
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cache-Control": "no-store",
}


def _outbox(office: PostOffice, _request: Request) -> Response:
    from html import escape

    rows = []
    for number, (recipient, wire) in enumerate(office.outbox):
        subject = str(email.message_from_bytes(wire, policy=email.policy.default)["Subject"])
        links = " ".join(f'<a href="/outbox/{number}.{form}">{form}</a>' for form in ("html", "text", "raw"))
        rows.append(f"<li>{escape(recipient)}: {escape(subject)} ({links})</li>")
    listing = f"<ol>{''.join(rows)}</ol>" if rows else "<p>No mail has been sent yet.</p>"
    return HTMLResponse(PAGE.format(listing), headers=SAFE)


def _outbox_mail(office: PostOffice, request: Request) -> Response:
    number, form = request.path_params["number"], request.path_params["form"]
    if number >= len(office.outbox) or form not in {"html", "text", "raw"}:
        return PlainTextResponse("There is no such mail.", 404)
    wire = office.outbox[number][1]
    if form == "raw":
        return PlainTextResponse(wire.decode("utf-8", "replace"), headers=SAFE)
    body = email.message_from_bytes(wire, policy=email.policy.default).get_body(
        ("html" if form == "html" else "plain",)
    )
    content = str(body.get_content()) if body else ""
    return HTMLResponse(content, headers=SAFE) if form == "html" else PlainTextResponse(content, headers=SAFE)
