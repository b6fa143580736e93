"""Answers to the digest: taken apart, each part to the item it answers, or to the coordinator."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest import store
from digest.models import Message, Part
from digest.nouns import HoldReason, Kind, MessageStatus
from digest.steps import collate, erase, export, review
from digest.steps.read import shown_text
from digest.thread import items
from tests.steps.quoted import WHEN, Issue, Quoting, apple, gmail, issue, outlook, phone
from tests.steps.test_publish import MONDAY, approve, edition, tick
from tests.steps.world import NOON, World, mail, make

GWEN, TUNDE, PRIYA = "Gwen Pryce <gwen@example.org>", "tunde@example.org", "priya@example.org"

KITS, XRAY, SMOKING = range(3)
ASKED = [
    ("Unreturned FIT kits", "Who chases the kit when it does not come back to the lab?"),
    ("Walk-in chest X-rays", "Can your patients have a chest X-ray without an appointment?"),
    ("Smoking cessation funding", "Is anybody paid for smoking cessation by their integrated care board?"),
]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Issue, list[int]]]:
    """A world whose first issue, with three questions, has gone out; and their threads."""
    world = make("", Path(tmp_path_factory.mktemp("answers")))
    for number, (subject, question) in enumerate(ASKED):
        world.receive(
            mail(
                GWEN, subject, f"Dear all,\n\n{question}\n\nGwen\n", f"q{number}@x", at=NOON + timedelta(hours=number)
            ),
            mail(
                TUNDE,
                f"Re: {subject}",
                f"We do not know about {subject.lower()} here, but the hub does and will tell you.",
                f"r{number}@x",
                f"q{number}@x",
                NOON + timedelta(hours=5),
            ),
        )
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    with store.read(world.engine) as session:
        threads = [m.thread_id for m in world.messages(session)[::2]]
    assert len(set(threads)) == 3
    yield world, issue(world, edition(world), "priya@example.org"), threads  # type: ignore[misc]
    world.engine.dispose()


def received(world: World, raw: bytes) -> Message:
    world.receive(raw, now=WHEN)
    with store.read(world.engine) as session:
        return world.messages(session)[-1]


def said(world: World, message: Message, thread: int) -> str:
    """What a thread has of a message."""
    with store.read(world.engine) as session:
        if message.id not in {m.id for m in collate.messages(session, thread)}:
            return ""
        return shown_text(session, session.get_one(Message, message.id), thread_id=thread)


def words(text: str, quoting: Quoting) -> str:
    """The same said again would be a copy."""
    return f"{text} Written in {quoting.__name__}."


FIRST = "The lab writes to ours on day ten, and the practice rings on day twenty."
SECOND = "Any patient of ours can walk in from eight to four, six days a week."
NUMBERS = ("Item 1: " + FIRST, "Item 2: " + SECOND)
TITLES = ("Unreturned FIT kits: " + FIRST, "Chest X-rays, walk-in - " + SECOND)


@pytest.mark.parametrize("quoting", [outlook, gmail, phone])
@pytest.mark.parametrize(("paragraphs", "reason"), [(NUMBERS, items.BY_NUMBER), (TITLES, items.BY_TITLE)])
def test_one_mail_answers_two_items_by_their_numbers_or_titles(
    sent: tuple[World, Issue, list[int]], quoting: Quoting, paragraphs: tuple[str, str], reason: str
) -> None:
    world, digest, threads = sent
    said_here = [words(p, quoting) for p in paragraphs]
    answer = received(world, quoting(digest, PRIYA, *said_here))
    assert (answer.kind, answer.status) == (Kind.DIGEST_REPLY, MessageStatus.ACCEPTED)
    assert (answer.thread_id, answer.thread_reason) == (threads[KITS], reason)
    assert said(world, answer, threads[KITS]) == said_here[0]
    assert said(world, answer, threads[XRAY]) == said_here[1]
    assert said(world, answer, threads[SMOKING]) == ""


def test_answers_between_the_quoted_items_go_to_the_item_above_them(sent: tuple[World, Issue, list[int]]) -> None:
    world, digest, threads = sent
    below = [("Can your patients have a chest X-ray", "Ours can, yes."), ("Is anybody paid", "Not one of us is.")]
    answer = received(world, apple(digest, PRIYA, below))
    assert answer.status is MessageStatus.ACCEPTED
    assert answer.thread_reason == items.BY_PLACE
    assert said(world, answer, threads[XRAY]) == "Ours can, yes."
    assert said(world, answer, threads[SMOKING]) == "Not one of us is."
    assert said(world, answer, threads[KITS]) == ""


@pytest.mark.parametrize("quoting", [outlook, gmail, phone])
def test_an_answer_goes_where_its_words_belong(sent: tuple[World, Issue, list[int]], quoting: Quoting) -> None:
    world, digest, threads = sent
    answer = received(world, quoting(digest, PRIYA, words("Smoking cessation is funded by our board.", quoting)))
    assert (answer.thread_id, answer.thread_reason) == (threads[SMOKING], items.BY_WORDS)


@pytest.mark.parametrize("quoting", [outlook, gmail, phone])
def test_what_nobody_can_tell_waits_for_the_coordinator(sent: tuple[World, Issue, list[int]], quoting: Quoting) -> None:
    world, digest, _ = sent
    vague = words("Could not agree more, and so does everybody at our practice.", quoting)
    answer = received(world, quoting(digest, PRIYA, vague))
    assert (answer.kind, answer.thread_id) == (Kind.DIGEST_REPLY, None)
    assert (answer.status, answer.hold_reason) == (MessageStatus.HELD, HoldReason.WHICH_THREAD)


def test_the_coordinator_says_where_the_rest_of_an_answer_belongs_and_can_take_it_back(
    sent: tuple[World, Issue, list[int]],
) -> None:
    world, digest, threads = sent
    vague = "Could not agree more, and so does everybody at our practice."
    answer = received(world, gmail(digest, PRIYA, vague, NUMBERS[1]))
    assert answer.hold_reason is HoldReason.WHICH_THREAD
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        ruling = review.move(session, answer.id, threads[SMOKING], ruth, WHEN)
    assert said(world, answer, threads[SMOKING]) == vague
    assert said(world, answer, threads[XRAY]) == NUMBERS[1]
    with store.transaction(world.engine) as session:
        review.undo(session, ruling.id, ruth, WHEN)
    assert said(world, answer, threads[SMOKING]) == ""
    with store.read(world.engine) as session:
        again = session.get_one(Message, answer.id)
        assert (again.status, again.hold_reason) == (MessageStatus.HELD, HoldReason.WHICH_THREAD)


def test_a_draft_rests_on_no_more_than_what_answers_its_thread(sent: tuple[World, Issue, list[int]]) -> None:
    world, digest, threads = sent
    answer = received(world, phone(digest, TUNDE, *NUMBERS))
    with store.read(world.engine) as session:
        ground = collate.grounds(session, threads[XRAY])[answer.id]
        new = [ground.text[s.start : s.end] for s in ground.segments if s.role == "new"]
        assert [words.strip() for words in new] == [NUMBERS[1]]
        row = next(
            r
            for r in map(json.loads, export.lines(session, world.community_id))
            if r["type"] == "message" and r["message_id"] == answer.rfc_message_id
        )
    assert (row["thread"], row["also_threads"]) == (threads[KITS], [threads[XRAY]])


def test_an_answer_to_two_items_has_a_stance_towards_each(sent: tuple[World, Issue, list[int]]) -> None:
    world, digest, threads = sent
    paragraphs = (
        "Item 2: Yes, walk-in has worked very well here since May.",
        "Item 3: I disagree with paying for it; we tried and stopped.",
    )
    answer = received(world, phone(digest, TUNDE, *paragraphs))
    with store.read(world.engine) as session:
        row = next(
            r
            for r in map(json.loads, export.lines(session, world.community_id))
            if r["type"] == "message" and r["message_id"] == answer.rfc_message_id
        )
    assert [(one["thread"], one["stance"]) for one in row["stances"]] == [
        (threads[XRAY], "agree"),
        (threads[SMOKING], "disagree"),
    ]


def test_erasing_an_answer_forgets_it_in_every_thread(sent: tuple[World, Issue, list[int]]) -> None:
    world, digest, threads = sent
    answer = received(world, outlook(digest, TUNDE, *TITLES))
    with store.transaction(world.engine) as session:
        erase.message(session, answer.id, None, WHEN)
    assert said(world, answer, threads[XRAY]) == ""
    with store.read(world.engine) as session:
        assert session.exec(select(Part).where(col(Part.message_id) == answer.id)).all() == []
