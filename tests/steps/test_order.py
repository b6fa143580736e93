"""The order in which mails arrive does not change which of them make a thread."""

import base64
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from digest import store
from digest.models import Thread
from digest.steps import review
from tests.steps.world import NOON, World, mail, make

INDEX = base64.b64encode(bytes(range(22))).decode()
LATER = base64.b64encode(bytes(range(27))).decode()


def wrote(name: str, subject: str, body: str, days: float, message_id: str = "", **headers: str) -> bytes:
    headers = {key: value for key, value in headers.items() if value}
    return mail(f"{name}@example.org", subject, body, message_id, at=NOON + timedelta(days=days), **headers)


#: By thread. What each mail shows of its place is in its headers and subject alone.
MAIL = {
    "kits": [
        wrote("gwen", "Unreturned FIT kits", "Who chases the kit when it is late?", 0, "k1@x"),
        wrote("tunde", "Re: Unreturned FIT kits", "Our lab rings them.", 1, "k2@x", In_Reply_To="<k1@x>"),
        wrote("priya", "RE: [LEADS] Unreturned FIT kits", "Ours writes.", 2, "k3@x", References="<k1@x> <k2@x>"),
        wrote("gwen", "Re: Kits by post", "Thank you.", 3, "k4@x", In_Reply_To="<k3@x>", References="<k2@x> <k3@x>"),
        wrote("tunde", "AW: Unreturned FIT kits", "One more thing.", 12, "k5@x"),  # nothing but its subject
        wrote("priya", "Re: Unreturned FIT kits", "A note without any identifier.", 30),
    ],
    "parking": [  # typed over an old mail to reach the list
        wrote("tunde", "Staff parking permits", "May visitors stay overnight?", 4, "p1@x", In_Reply_To="<k2@x>"),
        wrote(
            "gwen",
            "Re: Staff parking permits",
            "No, they may not.",
            5,
            "p2@x",
            In_Reply_To="<p1@x>",
            References="<k1@x> <k2@x> <p1@x>",
        ),
    ],
    "lungs": [  # the first mail never came
        wrote("gwen", "Re: Lung health checks", "We begin in March.", 1, "l1@x", References="<lost@x>"),
        wrote("tunde", "Re: Lung health checks", "We in May.", 2, "l2@x", In_Reply_To="<lost@x>"),
        wrote("priya", "Re: Lung health checks", "Next year.", 29, "l3@x", In_Reply_To="<l2@x>", References="<l2@x>"),
    ],
    "hubs": [  # Outlook without In-Reply-To
        wrote("gwen", "Hub staffing", "How many nurses sit in a hub?", 6, "h1@x", Thread_Index=INDEX),
        wrote("priya", "RE: Hub staffing", "Two.", 7, "h2@x", Thread_Index=LATER),
        wrote("tunde", "Hub staffing", "Three.", 8, "h3@x", Thread_Index=LATER),
    ],
    "copies": [  # one Message-ID, two mails
        wrote("gwen", "Ultrasound slots", "Where are slots kept?", 9, "u1@x"),
        wrote("gwen", "Ultrasound slots", "Where are slots kept, and by whom?", 9, "u1@x"),
        wrote("tunde", "Re: Ultrasound slots", "In the diary.", 10, "u2@x", In_Reply_To="<u1@x>"),
    ],
    "alone": [wrote("tunde", "Unreturned FIT kits", "Do prisons have a lead of their own?", 90, "a1@x")],
}
EVERY = [(thread, raw) for thread, mails in MAIL.items() for raw in mails]


def parts(world: World) -> set[frozenset[str]]:
    """The threads, as the texts of their mails."""
    threads: dict[int | None, set[str]] = {}
    with store.read(world.engine) as session:
        for message in world.messages(session):
            assert message.thread_id is not None
            threads.setdefault(message.thread_id, set()).add(message.text.strip())
    return {frozenset(texts) for texts in threads.values()}


def texts(raws: list[bytes]) -> frozenset[str]:
    return frozenset(raw.rpartition(b"\n\n")[2].decode().strip() for raw in raws)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(range(len(EVERY))), st.integers(1, len(EVERY)))
def test_any_order_of_arrival_makes_the_same_threads(order: list[int], at_once: int) -> None:
    arriving = [EVERY[at][1] for at in order]
    with tempfile.TemporaryDirectory() as folder:
        world = make("", Path(folder))
        for start in range(0, len(arriving), at_once):
            world.receive(*arriving[start : start + at_once])
        made = parts(world)
        world.engine.dispose()
    assert made == {texts(mails) for mails in MAIL.values()}


def test_a_split_by_the_coordinator_outlives_later_mail(world: World) -> None:
    question, first, second, *_ = MAIL["kits"]
    world.receive(question, first)
    with store.transaction(world.engine) as session:
        moved = world.messages(session)[1]
        review.move(session, moved.id, None, world.member(session, "ruth@charity.example.org"), NOON)
    by_subject = MAIL["kits"][4]
    world.receive(second, by_subject)
    with store.read(world.engine) as session:
        q, m, answers_both, alike = world.messages(session)
        assert m.thread_id != q.thread_id
        assert answers_both.thread_id in (q.thread_id, m.thread_id)
        assert alike.thread_id in (q.thread_id, m.thread_id)
        assert session.exec(select(Thread).where(Thread.merged_into != None)).all() == []  # noqa: E711


def test_a_question_that_comes_after_its_bare_reply_finds_it(world: World) -> None:
    question, *_, bare = MAIL["kits"][:5]
    world.receive(bare, question)
    with store.read(world.engine) as session:
        reply, asked = world.messages(session)
        assert asked.thread_id == reply.thread_id
        assert asked.thread_reason == "is what stored replies with the same subject answer, within 30 days"
