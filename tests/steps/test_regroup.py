"""Threads that a coordinator joined or parted stay so whatever comes, and what was written about them goes along."""

from datetime import timedelta

from sqlmodel import Session

from digest import store
from digest.models import Collation, Thread
from digest.nouns import CollationStatus
from digest.steps import collate, place, review
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, World, mail

RUTH = "ruth@charity.example.org"
#: Two more mails of another question.
SLOTS = mail(
    "priya@example.org", "Ultrasound slots", "Who keeps the urgent ultrasound slots for you?\n", "s1@example.org"
)
DIARY = mail(
    "tunde@example.org",
    "Re: Ultrasound slots",
    "Our radiology diary keeps two of them back each morning.\n",
    "s2@example.org",
    answers="s1@example.org",
    at=NOON + timedelta(hours=1),
)


def later(to: str, name: str, hours: int, names: str = "") -> bytes:
    """An answer to a mail."""
    return mail(
        "gwen@example.org",
        "Re: whatever",
        f"That is what we do as well since {name} asked us to.\n",
        f"{name}@example.org",
        answers=to,
        at=NOON + timedelta(hours=hours),
        **({"References": names} if names else {}),
    )


def threads(session: Session, world: World) -> dict[str, int | None]:
    """The thread of each mail, by the first part of its Message-ID."""
    return {m.rfc_message_id.partition("@")[0]: m.thread_id for m in world.messages(session)}


def edit(session: Session, world: World, thread: int, prefix: str) -> None:
    """Give each point of a thread's collation a label of the coordinator's own."""
    latest = here(session, thread)
    points = [p.model_copy(update={"label": f"{prefix}{p.id}", "own": True}) for p in latest.content.points]
    assert points
    content = latest.content.model_copy(update={"points": points})
    collate.save(session, thread, latest.version, content, world.member(session, RUTH), NOON)


def here(session: Session, thread: int | None) -> Collation:
    assert thread is not None
    latest = collate.current(session, thread)
    assert latest is not None
    assert collate.check(session, thread, latest.content) == []
    return latest


def labels(session: Session, thread: int | None) -> list[str]:
    return [p.label for p in here(session, thread).content.points if p.own]


def test_a_split_keeps_later_mail_apart_and_takes_along_what_was_written(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT)
    with store.transaction(world.engine) as session:
        question, reply, dissent = world.messages(session)
        first = question.thread_id or 0
        edit(session, world, first, "Ours: ")
        points = here(session, first).content.points
        mine = {p.label for p in points if p.rests_on() == {dissent.id}}
        shared = {p.label for p in points if p.rests_on() > {dissent.id}}  # the reply's, from which the dissent differs
        assert mine
        assert shared
        ruling = review.split(session, dissent.id, world.member(session, RUTH), NOON)
        second = dissent.thread_id
        assert second not in (None, first)
        assert {*labels(session, second)} == mine
        left = collate.current(session, first)
        assert left is not None
        assert {p.label for p in left.content.points} == shared
        faults = collate.check(session, first, left.content)  # a person decides what becomes of it
        assert ["no longer in this thread" in fault.sentence for fault in faults] == [True]
        assert here(session, second).status is CollationStatus.EDITED
        reply_id, dissent_id = reply.rfc_message_id, dissent.rfc_message_id
    world.receive(later(dissent_id, "l1", 5), later(reply_id, "l2", 6))
    world.receive(later("missing@example.org", "l4", 8, f"<{dissent_id}> <missing@example.org>"))
    world.receive(later(dissent_id, "missing", 7))
    with store.transaction(world.engine) as session:
        found = threads(session, world)
        assert found["l1"] == found["l4"] == found["missing"] == second
        assert found["l2"] == first
        everything = [m.id for m in world.messages(session)]
        assert place.settle(session, world.community_id, everything, NOON) == []
        review.undo(session, ruling.id, world.member(session, RUTH), NOON)
        assert set(threads(session, world).values()) == {first}
        assert sorted(labels(session, first)) == sorted({*shared, *mine})


def test_a_merge_holds_for_later_mail_and_its_undoing_gives_each_thread_back_its_points(world: World) -> None:
    world.receive(QUESTION, REPLY, SLOTS, DIARY)
    with store.transaction(world.engine) as session:
        question, _, slots, _ = world.messages(session)
        stays, gone = question.thread_id or 0, slots.thread_id or 0
        assert stays != gone
        edit(session, world, stays, "Kits: ")
        edit(session, world, gone, "Slots: ")
        ours, theirs = labels(session, stays), labels(session, gone)
        ruling = review.merge(session, gone, stays, world.member(session, RUTH), NOON)
        assert labels(session, stays) == ours + theirs
    world.receive(later("s2@example.org", "l1", 5))
    world.receive(later("s0@example.org", "l3", 7, "<s1@example.org> <s0@example.org>"))
    world.receive(later("s1@example.org", "s0", 6))
    with store.transaction(world.engine) as session:
        assert set(threads(session, world).values()) == {stays}
        assert place.settle(session, world.community_id, [m.id for m in world.messages(session)], NOON) == []
        review.undo(session, ruling.id, world.member(session, RUTH), NOON)
        found = threads(session, world)
        assert {found[name] for name in ("s1", "s2", "l1", "s0", "l3")} == {gone}
        assert session.get_one(Thread, gone).merged_into is None
        assert labels(session, stays) == ours
        assert labels(session, gone) == theirs


def test_a_mail_that_is_moved_takes_its_points_to_its_new_thread(world: World) -> None:
    world.receive(QUESTION, REPLY, SLOTS, DIARY)
    with store.transaction(world.engine) as session:
        question, _, slots, diary = world.messages(session)
        first, second = question.thread_id or 0, slots.thread_id or 0
        edit(session, world, second, "Slots: ")
        edit(session, world, first, "Kits: ")
        ours, theirs = labels(session, first), labels(session, second)
        ruling = review.move(session, diary.id, first, world.member(session, RUTH), NOON)
        assert sorted(labels(session, first)) == sorted(ours + theirs)
        assert labels(session, second) == []
        review.undo(session, ruling.id, world.member(session, RUTH), NOON)
        assert labels(session, first) == ours
        assert labels(session, second) == theirs
