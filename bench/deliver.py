"""`bench/deliver`: mails a second into Postfix's smtp-sink, ours beside plain aiosmtplib and smtp-source (C).

Ours is everything: an edition of 50 kB made of the sample stream, rendered for each of the members with their own links
and headers, claimed from and settled in a fresh database, sent by the worker's outbox. aiosmtplib sends the same bytes
from memory over the same number of connections; smtp-source sends as many bytes of nothing, over whatever number of
connections suits it best. They take turns, each in a process of its own, and the ratios are medians over the passes.
Memory is the peak of our process with MEMBERS members and with a tenth of them. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import aiosmtplib
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import delete
from sqlmodel import col, func, select

from digest import demo, store, worker
from digest.assets import SAMPLE
from digest.config import CommunitySettings, Dkim, Settings, Smtp
from digest.mailbox import Arrival
from digest.models import Delivery, Edition, Member, Notice
from digest.nouns import DeliveryStatus
from digest.steps import collate, compose, deliver, enrol, publish, receive
from tests.live.servers import HOST, answers, free_port, until

SIZE = 50_000  # bytes of a mail, at least
SESSIONS = (1, 2, 4, 8, 16)
SENDER = "digest@example.org"
FAST = {"messages_per_minute": 10_000_000, "recipients_per_day": 10_000_000, "mails_per_member_a_day": 1_000}
INTRODUCTION = (
    "Thank you for a lively fortnight. Many of you wrote about kits that do not come back, and about who should ring "
    "the patient; there is more agreement than it may seem from the threads below. Please read the question on bloods "
    "before a referral as well: three Alliances have changed what they ask for, and a fourth is about to."
)


def settings(folder: Path, port: int, connections: int, key: Path | None = None) -> Settings:
    community = CommunitySettings(
        slug="leads",
        name="GP cancer leads",
        stream_address=demo.STREAM,
        digest_sender=f"Digest <{SENDER}>",
        dkim=Dkim(domain="example.org", selector="s1", private_key_file=key) if key else None,
    )
    smtp = Smtp.model_validate({"host": HOST, "port": port, "security": "none", "connections": connections} | FAST)
    return Settings(public_address="https://digest.example.org", data=folder, smtp=smtp, community=(community,))


def pattern(folder: Path) -> Path:
    """A database with the sample stream in it and its edition approved, made SIZE long by its introduction."""
    ours = settings(folder, 1, 1)
    engine = store.connect(ours.database)
    store.migrate(engine)
    now = datetime.now(UTC)
    with store.transaction(engine) as session:
        id = enrol.communities(session, ours)["leads"]
        enrol.members(session, id, enrol.read_csv(SAMPLE / "members.csv"), now)
        mails = [Arrival(f"{n}.eml", raw, now - timedelta(hours=1)) for n, raw in enumerate(demo.sample_mail(now))]
        receive.store(session, id, mails)
    worker.take_in(engine, id, ours.community[0])
    with store.transaction(engine) as session:
        coordinator = enrol.coordinators(session, id)[0]
        demo.decide_held(session, coordinator, now)
        edition = publish.ensure_collecting(session, ours.community[0], id, now)
        publish.close(session, ours, edition.id, now)
        for place in compose.places(session, edition):
            latest = collate.current(session, place.thread_id)
            if latest is not None:
                collate.approve(session, place.thread_id, latest.version, coordinator, now)
        while len(compose.preview(session, ours, edition.id, coordinator, now).wire) < SIZE:
            publish.introduce(session, edition.id, f"{edition.introduction}\n\n{INTRODUCTION}", coordinator, now)
        session.execute(delete(Notice))  # only the edition is measured
        publish.approve(session, edition.id, coordinator, now)
    engine.dispose()
    return folder / "digest.db"


def begun(database: Path, folder: Path, members: int, ours: Settings) -> None:
    """A copy of the database with so many members, the edition being sent to them."""
    shutil.copy(database, folder / "digest.db")
    engine = store.connect(ours.database)
    now = datetime.now(UTC)
    with store.transaction(engine) as session:
        id = enrol.communities(session, ours)["leads"]
        known = session.exec(select(func.count()).select_from(Member).where(col(Member.active))).one()
        session.add_all(
            Member(community_id=id, email=f"m{n}@practice{n % 97}.example.org", name=f"Dr Robin {n}", created_at=now)
            for n in range(members - known)
        )
        session.flush()
        publish.begin_sending(session, ours, session.exec(select(Edition.id).where(Edition.number == 1)).one(), now)
    engine.dispose()


# --- the three, each in a process of its own: seconds it took ----------------------------------------------------


def ours(say: Pipe, made: Settings, members: int) -> None:
    """The worker's outbox, from the first claim to the last row settled; and the peak of memory in kB."""
    engine = store.connect(made.database)
    began, worked = time.perf_counter(), cpu()
    asyncio.run(worker.Outbox(engine, made).run(until_empty=True))
    took = time.perf_counter() - began
    with store.read(engine) as session:
        sent = session.exec(
            select(func.count()).select_from(Delivery).where(Delivery.status == DeliveryStatus.SENT)
        ).one()
    assert sent == members, f"{sent} of {members} mails were sent"
    say.send((took, cpu() - worked, peak()))


def plain(say: Pipe, made: Settings, members: int) -> None:
    """aiosmtplib alone: the same bytes from memory, the same connections."""
    engine = store.connect(made.database)
    with store.read(engine) as session:
        claims = [deliver.Claim(Delivery, id, datetime.now(UTC)) for id in session.exec(select(Delivery.id))]
        mails = [mail for _, mail in deliver.mails(session, made, claims, {}, datetime.now(UTC))]
    assert len(mails) == members

    async def lane() -> None:
        async with aiosmtplib.SMTP(hostname=HOST, port=made.smtp.port, start_tls=False) as client:
            while mails:
                mail = mails.pop()
                await client.sendmail(mail.sender, [mail.recipient], mail.wire)

    async def send() -> None:
        await asyncio.gather(*(lane() for _ in range(made.smtp.connections)))

    began, worked = time.perf_counter(), cpu()
    asyncio.run(send())
    say.send((time.perf_counter() - began, cpu() - worked, 0))


def peak() -> int:
    """The most memory this process has had, in kB. Not `ru_maxrss`: that begins with what its parent had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def cpu(who: int = resource.RUSAGE_SELF) -> float:
    """Seconds of processor time, the system's for us included: what a busy machine does not change."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def in_c(port: int, sessions: int, members: int, size: int) -> tuple[float, float]:
    command = ["smtp-source", "-d", "-s", sessions, "-m", members, "-l", size, "-f", SENDER, f"{HOST}:{port}"]
    began, worked = time.perf_counter(), cpu(resource.RUSAGE_CHILDREN)
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return time.perf_counter() - began, cpu(resource.RUSAGE_CHILDREN) - worked


def apart(target: Callable[..., None], *arguments: object) -> tuple[float, float, int]:
    """Run it in a fresh process; (seconds, seconds of processor time, kB)."""
    context = multiprocessing.get_context("spawn")
    hear, say = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(say, *arguments))
    process.start()
    say.close()
    try:
        took: tuple[float, float, int] = hear.recv()
    except EOFError:
        sys.exit("A measured process ended early; its words are above.")
    process.join()
    return took


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink on a free port, which takes every mail and keeps none."""
    port = free_port()
    process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"{HOST}:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port), "smtp-sink's start")
        yield port
    finally:
        process.kill()
        process.wait()


def private_key(folder: Path) -> Path:
    file = folder / "dkim.pem"
    key = rsa.generate_private_key(65537, 2048)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--dkim", action="store_true", help="sign each mail (RSA, 2048 bits), ours and aiosmtplib's")
    options = parser.parse_args()
    if shutil.which("smtp-source") is None:
        sys.exit("smtp-source is not here; it comes with Postfix (on Debian: apt-get install postfix).")
    few, many, passes = options.members // 10, options.members, range(options.passes)
    names = ("ours", "aiosmtplib", "smtp_source")
    rates: dict[str, list[float]] = {name: [] for name in names}
    work: dict[str, list[float]] = {name: [] for name in names}
    memory = {few: 0, many: 0}
    with tempfile.TemporaryDirectory(prefix="digest-deliver-") as name, sink() as port:
        folder = Path(name)
        place = folder / "sending"
        place.mkdir()
        made = settings(place, port, options.connections, private_key(folder) if options.dkim else None)
        database = pattern(folder)
        begun(database, place, few, made)
        memory[few] = apart(ours, made, few)[2]
        for _ in passes:
            begun(database, place, many, made)
            found = {"aiosmtplib": apart(plain, made, many)[:2]}
            *found_ours, memory[many] = apart(ours, made, many)
            found["ours"] = (found_ours[0], found_ours[1])
            found["smtp_source"] = min(in_c(port, sessions, many, SIZE) for sessions in SESSIONS)
            for name in names:
                rates[name].append(many / found[name][0])
                work[name].append(1000 * found[name][1] / many)
            print({name: round(values[-1]) for name, values in rates.items()}, flush=True)

    def ratio(to: str) -> float:
        return round(statistics.median(a / b for a, b in zip(rates["ours"], rates[to], strict=True)), 2)

    said: dict[str, float] = {f"{name}_per_second": round(statistics.median(rates[name])) for name in names}
    said |= {f"{name}_cpu_ms": round(statistics.median(work[name]), 2) for name in names}
    said |= {"members": many, "connections": options.connections, "bytes": SIZE}
    said |= {"memory_mb_few": memory[few] // 1024, "memory_mb": memory[many] // 1024}
    said |= {"ratio_aiosmtplib": ratio("aiosmtplib"), "ratio_smtp_source": ratio("smtp_source")}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
