"""`bench/pages --messages N`: how long each page of the desk keeps the server busy with N messages stored.

A community that has written for years: N messages in threads of five, each with its collation, most of them in a past
issue, a week's worth in the edition under review, 300 members, the record of it all. Every page a coordinator or a
member opens is asked for in this process, so that no network is in the figure. What counts is the processor's time, the
median of nine turns. The same run says what a page that reads nothing (`/health`) takes. The last line is one JSON
object: messages, slowest_ms, slowest, health_ms. The run ends with 1 when a page takes longer than 100 ms.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, Table, insert, update
from sqlmodel import Session, SQLModel, select
from starlette.exceptions import StarletteDeprecationWarning

from digest import store
from digest.edition.render import dumps
from digest.models import Audit, Collation, Delivery, Edition, EditionThread, Member, Message, Reference, Thread
from digest.nouns import (
    CollationStatus,
    Content,
    DeliveryStatus,
    EditionStatus,
    Evidence,
    HoldReason,
    Kind,
    MessageStatus,
    Point,
    Role,
    Segment,
    SegmentRole,
    Stance,
)
from digest.steps import compose, publish, signin
from digest.web.app import create_app
from tests.steps.world import World, make

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

PER_THREAD = 5
WEEK = 12  # threads of the edition under review
ISSUES = 200
MEMBERS = 300
LIMIT = 100.0  # milliseconds
TURNS = 9
FIRST = "We run a weekly search for FIT kits requested more than fourteen days ago, and a receptionist rings."
#: What replies are put together from, each its own way: no page may live on having read the same words before.
SENTENCES = (
    "It takes half an hour and finds about three a month.",
    "The lab writes to us as well, but six weeks later.",
    "Would not do it again by letter: nobody answered.",
    "I agree with the others about ringing people up.",
    "I would be careful: our two part-timers could not keep it up over the summer.",
    "We tried text messages first and stopped, because half of the numbers were out of date.",
    "It only works if the practice manager has it in the diary every Monday.",
    "Has anybody got a template for the search that they could share?",
    "Ours is on the shared drive, and I can send it to whoever asks.",
    "The cancer care coordinator does it here, with a list from the clinical system.",
    "Not convinced that it is worth it for a list of four thousand.",
    "We found two cancers that way last year, both of them early.",
    "Patients do not mind being rung; several said thank you.",
    "See https://www.example.nhs.uk/fit for how the region words it.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = make("", Path(folder))
        began = time.perf_counter()
        fill(world, args.messages)
        print(f"{args.messages} messages stored in {time.perf_counter() - began:.0f} s", flush=True)
        taken = measure(world, args.messages)
        world.engine.dispose()
    health = taken.pop("/health")
    for path, milliseconds in sorted(taken.items(), key=lambda one: -one[1]):
        print(f"{milliseconds:8.1f} ms  {path}")
    slowest = max(taken, key=lambda path: taken[path])
    result = {"messages": args.messages, "slowest_ms": round(taken[slowest], 1), "slowest": slowest}
    print(json.dumps({**result, "health_ms": round(health, 1)}))
    sys.exit(taken[slowest] > LIMIT)


def measure(world: World, messages: int) -> dict[str, float]:
    """Path → milliseconds, the median of some turns, as a coordinator who has signed in."""
    browser = signed_in(world)
    threads = messages // PER_THREAD
    with store.read(world.engine) as session:
        edition = session.exec(select(Edition.id).where(Edition.status == EditionStatus.IN_REVIEW)).one()
        collecting = session.exec(select(Edition.id).where(Edition.status == EditionStatus.COLLECTING)).one()
    paths = [
        *("/health", "/", "/threads", f"/threads?page={threads // 60}", "/held", "/discarded", "/editions", "/members"),
        *("/audit", "/audit?page=20", f"/audit?about=thread%20{threads}"),
        *(f"/thread/{threads}", f"/thread/{threads}/versions", f"/thread/{threads}/version/1"),
        *(f"/message/{messages}/move", f"/edition/{edition}", f"/edition/{edition}/html", f"/edition/{collecting}"),
        *("/edition/1", "/edition/1/deliveries"),
    ]
    taken = {}
    for path in paths:
        times = []
        browser.get(path)  # templates are read once in a service's life
        for _ in range(TURNS):
            began = time.process_time()
            answer = browser.get(path)
            times.append((time.process_time() - began) * 1000)
            if answer.status_code != 200:
                sys.exit(f"{path} answered {answer.status_code}.")
        taken[path] = statistics.median(times)
    return taken


def _table(model: type[SQLModel]) -> Table:
    """The bare table: a mapped class leaves out what is None and with it the order of the rows."""
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    return table


def signed_in(world: World) -> TestClient:
    address = world.settings.public_address
    browser = TestClient(
        create_app(world.settings, world.engine), base_url=address, follow_redirects=False, headers={"Origin": address}
    )
    with store.transaction(world.engine) as session:
        member = session.exec(select(Member).where(Member.role == Role.COORDINATOR)).first()
        if member is None:
            sys.exit("The community has no coordinator.")
        link = signin.link(session, world.settings, member, datetime.now(UTC))
    if browser.post(link.removeprefix(address)).status_code != 303:
        sys.exit("The coordinator could not sign in.")
    return browser


def fill(world: World, messages: int) -> None:
    """Years of mail, written straight into the tables."""
    now = datetime.now(UTC)
    threads = messages // PER_THREAD
    begins = now - timedelta(days=7 * ISSUES)
    step = (now - timedelta(hours=1) - begins) / threads
    with store.transaction(world.engine) as session:
        community = world.community_id
        session.add_all(
            Member(community_id=community, email=f"m{n}@example.org", name=f"Dr Member {n}", created_at=begins)
            for n in range(MEMBERS - 4)
        )
        session.flush()
    for first in range(0, threads, 2000):
        _threads(world.engine, world.community_id, range(first, min(first + 2000, threads)), begins, step)
    with store.transaction(world.engine) as session:
        _editions(session, world, threads, begins)
        first = session.get_one(Edition, 1)
        mail = dumps(compose.frozen_now(session, world.settings, first, now))
        session.execute(update(_table(Edition)).values(frozen=mail))  # a whole mail with each, as they have
        edition = publish.ensure_collecting(session, world.community, world.community_id, now)
        publish.close(session, world.settings, edition.id, now)
        session.execute(
            insert(_table(Audit)),
            [
                {
                    "community_id": world.community_id,
                    "at": begins,
                    "member_id": 4,
                    "what": "approved the collation",
                    "subject": f"thread {n % threads + 1}",
                }
                for n in range(threads * 2)
            ],
        )


def _threads(engine: Engine, community: int, numbers: range, begins: datetime, step: timedelta) -> None:
    threads, mails, named, collations = [], [], [], []
    for n in numbers:
        at = begins + n * step
        threads.append(
            {
                "id": n + 1,
                "community_id": community,
                "title": f"Who chases kit {n}?",
                "topics": [],
                "related": [max(1, n - 7)],
                "started_at": at,
                "to_draft": False,
                "said": PER_THREAD - (n % 4000 == 0),
                "last_at": at + timedelta(minutes=7 * PER_THREAD),
                "new_at": at + timedelta(minutes=7 * PER_THREAD),
                "answered": True,
                "titled": False,
                "held_back": False,
            }
        )
        for k in range(PER_THREAD):
            id = n * PER_THREAD + k + 1
            mails.append(_mail(id, community, n, k, at + timedelta(minutes=7 * k), held=n % 4000 == 0 and k == 4))
            named.append({"message_id": id, "rfc_message_id": f"{id}@example.org", "community_id": community})
        collations.append(
            {
                "community_id": community,
                "thread_id": n + 1,
                "version": 1,
                "status": CollationStatus.APPROVED,
                "content": _content(n),
                "saved_at": at + timedelta(hours=1),
                "saved_by": 4,
                "auto": False,
            }
        )
    with store.transaction(engine) as session:
        for table, rows in ((Thread, threads), (Message, mails), (Reference, named), (Collation, collations)):
            session.execute(insert(_table(table)), rows)


def _words(id: int) -> str:
    """A reply's words: three paragraphs of a few sentences, the first of them always the same."""
    of = random.Random(id)
    said = of.sample(SENTENCES, 7)
    return f"{FIRST} {said[0]} {said[1]}\n\n{' '.join(said[2:5])}\n\n{' '.join(said[5:])}\n"


def _mail(id: int, community: int, n: int, k: int, at: datetime, held: bool) -> dict[str, object]:
    text = _words(id) if k else f"Dear all,\n\nWho chases kit {n} when it does not come back to the lab?\n"
    return {
        "id": id,
        "community_id": community,
        "source": f"{id}.eml",
        "copies": [],
        "received_at": at,
        "raw_sha256": f"{id:064x}",
        "filed_at": at,
        "rfc_message_id": f"{id}@example.org",
        "subject": f"Who chases kit {n}?",
        "base_subject": f"who chases kit {n}?",
        "sent_at": at,
        "from_name": "Dr Member",
        "from_address": "m1@example.org",
        "member_id": 5 + (n + k) % (MEMBERS - 4),
        "kind": Kind.REPLY if k else Kind.QUESTION,
        "status": MessageStatus.HELD if held else MessageStatus.ACCEPTED,
        "hold_reason": HoldReason.UNKNOWN_SENDER if held else None,
        "text": text,
        "segments": [Segment(0, len(text), SegmentRole.NEW)],
        "links": [],
        "anchors": {},
        "attachments": [],
        "problems": [],
        "thread_id": n + 1,
        "thread_reason": "In-Reply-To",
        "stance": Stance.NONE,
    }


def _content(n: int) -> Content:
    first = n * PER_THREAD + 1
    end = len(FIRST)
    return Content(
        question=[Evidence(message=first, start=11, end=30, quote="Who chases kit "[:19])],
        points=[
            Point(
                id=f"m{first + 1}-0",
                label=FIRST,
                supporters=[first + k for k in range(1, PER_THREAD - 1)],
                evidence=[Evidence(message=first + 1, start=0, end=end, quote=FIRST)],
            )
        ],
        set_aside=[first + PER_THREAD - 1],
    )


def _editions(session: Session, world: World, threads: int, begins: datetime) -> None:
    """A past issue a week, each with its share of the threads; the last threads are in none yet."""
    per_issue = max(1, (threads - WEEK) // ISSUES)
    placed = 0
    for number in range(1, ISSUES + 1):
        at = begins + timedelta(days=7 * number)
        session.execute(
            insert(_table(Edition)),
            [
                {
                    "id": number,
                    "community_id": world.community_id,
                    "number": number,
                    "status": EditionStatus.SENT,
                    "closes_at": at,
                    "send_at": at,
                    "approved_at": datetime.now(UTC),
                    "sent_at": at,
                    "introduction": "",
                    "announcements": "",
                    "dates": [],
                }
            ],
        )
        last = threads - WEEK if number == ISSUES else min(placed + per_issue, threads - WEEK)
        session.execute(
            insert(_table(EditionThread)),
            [
                {
                    "edition_id": number,
                    "thread_id": t + 1,
                    "community_id": world.community_id,
                    "position": t - placed,
                    "included": True,
                }
                for t in range(placed, last)
            ],
        )
        placed = last
    session.execute(
        insert(_table(Delivery)),
        [
            {
                "community_id": world.community_id,
                "edition_id": 1 + n // MEMBERS,
                "member_id": 1 + n % MEMBERS,
                "address": f"m{n % MEMBERS}@example.org",
                "status": DeliveryStatus.SENT,
                "attempts": 1,
                "next_attempt_at": begins,
                "settled_at": begins,
                "answer": "250 ok",
            }
            for n in range(ISSUES * MEMBERS)
        ],
    )


if __name__ == "__main__":
    main()
