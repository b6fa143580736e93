"""The main job on real mail and real servers: SMTP into Dovecot, IMAP over TLS, and out through Postfix.

On SQLite and on PostgreSQL, with the labelled stream; then with a public list's archive imported as mbox.
"""

import asyncio
import email
import email.policy
import gzip
import json
import re
import smtplib
import ssl
from collections import Counter
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from digest import store, worker
from digest.address import is_address
from digest.cli import import_mail, write_export
from digest.config import CommunitySettings, Settings
from digest.demo import approve_all
from digest.mailbox.imap import connect
from digest.models import Delivery, Edition, Member, Message, RawMessage
from digest.nouns import HUMAN, DeliveryStatus, EditionStatus, MessageStatus, Role
from digest.steps import compose, enrol, publish, review
from tests.live.conftest import SENDER, STREAM
from tests.live.servers import Dovecot, Postfix

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="../shared/corpora is not beside this checkout")


def service(data: Path, url: str, dovecot: Dovecot, postfix: Postfix) -> tuple[Settings, Engine, int]:
    """The service, set up between the two servers, with a database of its own."""
    imap = dovecot.settings()
    community = CommunitySettings(
        slug="leads", name="GP leads", stream_address=STREAM, digest_sender=f"Digest <{SENDER}>", imap=imap
    )
    settings = Settings(
        public_address="https://digest.example.org",
        data=data,
        database_url=url,
        imap=imap,
        smtp=postfix.settings(messages_per_minute=60_000),
        community=(community,),
    )
    engine = store.connect(settings.database)
    store.migrate(engine)
    with store.transaction(engine) as session:
        return settings, engine, enrol.communities(session, settings)["leads"]


def post(postfix: Postfix, mails: list[Path]) -> None:
    """Deliver files as they are to the stream's mailbox, over SMTP with STARTTLS."""
    trusted = ssl.create_default_context(cafile=str(postfix.settings().ca_file))
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port) as smtp:
        smtp.starttls(context=trusted)
        for path in mails:
            smtp.sendmail("bounces@lists.example.org", [SENDER], path.read_bytes())


def inbox(dovecot: Dovecot, user: str) -> list[bytes]:
    """Every mail in a mailbox of Dovecot's."""
    client = connect(dovecot.settings(user))
    try:
        client.select_folder("INBOX", readonly=True)
        uids = client.search()
        return [part[b"BODY[]"] for part in client.fetch(uids, ["BODY.PEEK[]"]).values()] if uids else []
    finally:
        client.logout()


def editions(mails: list[bytes]) -> dict[str, list[EmailMessage]]:
    """The digests among `mails`, by whom they are to."""
    found: dict[str, list[EmailMessage]] = {}
    for raw in mails:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        if mail["List-Id"]:
            found.setdefault(parseaddr(str(mail["To"]))[1], []).append(mail)
    return found


def check_sent(session: Session, edition_id: int, dovecot: Dovecot) -> EmailMessage:
    """Everybody got the edition once and the books say so; returns one of the mails."""
    members = set(session.exec(select(Member.email).where(col(Member.active))))
    received = editions(inbox(dovecot, "members"))
    assert {to: len(mails) for to, mails in received.items()} == dict.fromkeys(members, 1)
    statuses = Counter(session.exec(select(Delivery.status).where(Delivery.edition_id == edition_id)))
    assert statuses == {DeliveryStatus.SENT: len(members)}
    assert session.get_one(Edition, edition_id).status is EditionStatus.SENT
    return received[min(members)][0]


@needs_corpora
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_labelled_stream_goes_all_the_way_through(
    database: str, tmp_path: Path, dovecot: Dovecot, postfix: Postfix, request: pytest.FixtureRequest
) -> None:
    stream = CORPORA / "gp-stream"
    url = request.getfixturevalue("postgres") if database == "postgresql" else ""
    settings, engine, community_id = service(tmp_path, url, dovecot, postfix)
    with store.transaction(engine) as session:
        enrol.members(session, community_id, enrol.read_csv(stream / "members.csv"), worker.now())
    mails = sorted((stream / "mail").glob("*.eml"))
    post(postfix, mails)
    assert worker.poll(engine, settings) == len(mails)
    assert worker.poll(engine, settings) == 0
    with store.transaction(engine) as session:
        assert session.exec(select(func.count()).select_from(RawMessage)).one() == len(mails)
        assert session.exec(select(func.count()).select_from(Message).where(col(Message.filed_at).is_(None))).one() == 0
        edition_id = approve_all(session, settings, community_id, worker.now())
    asyncio.run(worker.Outbox(engine, settings).run(until_empty=True))
    worker.tick(engine, settings, [community_id])
    with store.read(engine) as session:
        mail = check_sent(session, edition_id, dovecot)
    assert mail.get_content_type() == "multipart/alternative"
    text = mail.get_body(("plain",))
    assert text is not None
    words = " ".join(re.sub(r"(?m)^> ", "", text.get_content()).split())
    gold = json.loads((stream / "gold.json").read_text())
    with store.read(engine) as session:
        sent_at = {m.rfc_message_id: m.sent_at or m.received_at for m in session.exec(select(Message))}
    last: dict[str, datetime] = {}
    for one in gold["messages"]:
        said = sent_at.get((one["message_id"] or "").strip("<>"))
        if said and one["kind"] in HUMAN:
            last[one["thread"] or ""] = max(said, last.get(one["thread"] or "", said))
    recent = {thread for thread, at in last.items() if at >= max(last.values()) - compose.OLD}
    questions = [t["question"] for t in gold["threads"] if t["question"] and t["id"] in recent]
    assert len(questions) > 10
    missing = [q for q in questions if " ".join(q.split()) not in words]
    assert len(missing) <= 0.1 * len(questions), missing
    identifiers = {p["text"] for m in gold["messages"] for p in m["pii"] if p["type"] == "nhs_number"}
    assert not any(identifier in words for identifier in identifiers)
    lines = write_export(engine, community_id, tmp_path / "export.jsonl", with_identifiers=False)
    exported = (tmp_path / "export.jsonl").read_text()
    assert lines == len(exported.splitlines())
    assert not any(identifier in exported for identifier in identifiers)
    engine.dispose()


@needs_corpora
def test_a_public_lists_archive_goes_all_the_way_through(tmp_path: Path, dovecot: Dovecot, postfix: Postfix) -> None:
    settings, engine, community_id = service(tmp_path, "", dovecot, postfix)
    archive = CORPORA / "linux-mips-2000.mbox.gz"
    with gzip.open(archive, "rb") as mbox:
        froms = re.findall(rb"(?im)^From: (.+)$", mbox.read())
    senders = Counter(parseaddr(line.decode("latin-1"))[1].lower() for line in froms)
    # Nobody real is written to: the list's busiest writers are members under invented addresses, and write by alias.
    writers = [a for a, _ in senders.most_common(40) if is_address(a)]
    rows = [{"email": f"m{n}@example.org", "name": f"Member {n}", "aliases": a} for n, a in enumerate(writers)]
    rows.append({"email": "ruth@example.org", "name": "Ruth Calloway", "role": "coordinator"})
    with store.transaction(engine) as session:
        enrol.members(session, community_id, rows, worker.now())
    stored, filed = import_mail(engine, community_id, settings.community[0], [archive])
    assert stored == filed > 1900
    assert import_mail(engine, community_id, settings.community[0], [archive]) == (0, 0)
    with store.transaction(engine) as session:
        held = Counter(session.exec(select(Message.hold_reason).where(Message.status == MessageStatus.HELD)))
        assert sum(held.values()) < filed
        ruth = session.exec(select(Member).where(Member.role == Role.COORDINATOR)).one()
        now = worker.now()
        edition = publish.ensure_collecting(session, settings.community[0], community_id, now)
        publish.close(session, settings, edition.id, now)
        for place in compose.places(session, edition)[12:]:
            publish.include(session, edition.id, place.thread_id, False, ruth, now)
        for place in compose.places(session, edition)[:12]:
            for message in session.exec(select(Message).where(Message.thread_id == place.thread_id)).all():
                if message.status is MessageStatus.HELD:
                    review.redact(session, message.id, ruth, now)
        edition_id = edition.id
    with store.transaction(engine) as session:
        approve_open(session, settings, edition_id)
    asyncio.run(worker.Outbox(engine, settings).run(until_empty=True))
    worker.tick(engine, settings, [community_id])
    with store.read(engine) as session:
        check_sent(session, edition_id, dovecot)
    engine.dispose()


def approve_open(session: Session, settings: Settings, edition_id: int) -> None:
    """Approve what an edition under review includes, as it was drafted, and send it."""
    from digest.steps import collate

    ruth = session.exec(select(Member).where(Member.role == Role.COORDINATOR)).one()
    for place in compose.places(session, session.get_one(Edition, edition_id)):
        latest = collate.current(session, place.thread_id)
        if place.included and latest is not None:
            collate.approve(session, place.thread_id, latest.version, ruth, worker.now())
    publish.approve(session, edition_id, ruth, worker.now())
    publish.send_now(session, settings, edition_id, ruth, worker.now())
