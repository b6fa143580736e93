"""From raw bytes to a message in its thread."""

import contextlib
import itertools
import json
from datetime import timedelta

import pytest
from sqlmodel import select

from digest import store
from digest.mailbox import NOTE_FROM, Arrival, Position
from digest.message import understand
from digest.models import Message, RawMessage, Thread
from digest.nouns import HoldReason, Kind, MessageStatus
from digest.steps import enrol, export, file, receive
from digest.steps.read import new_words, shown_text
from digest.thread.reasons import ANSWERS, PASSES_ON
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, SERVICE, SLIP, World, mail


def test_a_mail_delivered_twice_is_stored_once_whatever_its_line_ends(world: World) -> None:
    assert world.receive(QUESTION) == 1
    assert world.receive(QUESTION, QUESTION.replace(b"\n", b"\r\n")) == 0


def test_an_export_names_every_file_that_held_a_mail(world: World) -> None:
    world.receive(QUESTION)
    assert world.receive(QUESTION) == 0
    with store.read(world.engine) as session:
        rows = [json.loads(line) for line in export.lines(session, world.community_id)]
    assert [(r["source"], r["kind"]) for r in rows[:2]] == [("0001.eml", "question"), ("0002.eml", "duplicate")]


def test_the_cursor_moves_with_what_is_stored_and_with_nothing_else(world: World) -> None:
    arrivals = [Arrival("imap 1", QUESTION, NOON)]
    with contextlib.suppress(KeyboardInterrupt), store.transaction(world.engine) as session:
        receive.store(session, world.community_id, arrivals, "mail.example.org/INBOX", Position(7, 1))
        raise KeyboardInterrupt  # the process dies before the commit
    with store.read(world.engine) as session:
        assert receive.position(session, world.community_id, "mail.example.org/INBOX") is None
        assert world.messages(session) == []
    with store.transaction(world.engine) as session:
        receive.store(session, world.community_id, arrivals, "mail.example.org/INBOX", Position(4294967295, 1))
    with store.read(world.engine) as session:
        position = receive.position(session, world.community_id, "mail.example.org/INBOX")
        assert position == Position(4294967295, 1)
        assert session.exec(select(Message.hold_reason)).one() is HoldReason.UNREAD


def test_a_changed_uidvalidity_stores_nothing_twice(world: World) -> None:
    for validity in (1, 2):
        with store.transaction(world.engine) as session:
            arrivals = [Arrival(f"imap {validity}", raw, NOON) for raw in (QUESTION, REPLY)]
            receive.store(session, world.community_id, arrivals, "box", Position(validity, 2))
    with store.read(world.engine) as session:
        assert len(world.messages(session)) == 2
        assert receive.position(session, world.community_id, "box") == Position(2, 2)


def test_a_question_and_its_replies_make_one_thread_with_reasons(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT)
    with store.read(world.engine) as session:
        question, reply, dissent = world.messages(session)
        assert {m.thread_id for m in (question, reply, dissent)} == {question.thread_id}
        assert (question.kind, reply.kind) == (Kind.QUESTION, Kind.REPLY)
        assert reply.thread_reason == ANSWERS
        assert all(m.status is MessageStatus.ACCEPTED for m in (question, reply, dissent))
        assert session.get_one(Thread, question.thread_id).title == "Unreturned FIT kits"


def test_a_late_parent_joins_two_threads_into_one(world: World) -> None:
    other = mail(
        "priya@example.org",
        "Re: Something else",
        "We do so every week.",
        "r9@x",
        "q1@example.org",
        NOON + timedelta(hours=4),
    )
    world.receive(REPLY)
    world.receive(other)
    world.receive(QUESTION)
    with store.read(world.engine) as session:
        assert len({m.thread_id for m in world.messages(session)}) == 1
        open_threads = session.exec(select(Thread).where(Thread.merged_into == None)).all()  # noqa: E711
        assert [t.title for t in open_threads] == ["Unreturned FIT kits"]


HIJACK = mail(
    "Priya Rao <priya@example.org>",
    "Re: Unreturned FIT kits",
    "Dear all\n\nOur spirometry hub closes at Easter, NHS number 943 476 5919 was the last. "
    "Does anyone run theirs from a library?\n",
    "h1@example.org",
    answers="r1@example.org",
    at=NOON + timedelta(days=3),
)
TAKEN_UP = mail(
    "Tunde Ade <tunde@example.org>",
    "Re: Unreturned FIT kits",
    "We do, on Fridays, beside the children's books.\n",
    "h2@example.org",
    answers="h1@example.org",
    at=NOON + timedelta(days=4),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_new_topic_under_an_old_subject_is_a_thread_named_after_its_question(
    world: World, order: tuple[int, ...]
) -> None:
    for at in order:
        world.receive((QUESTION, REPLY, HIJACK, TAKEN_UP)[at])
    with store.read(world.engine) as session:
        said = {m.rfc_message_id: m for m in world.messages(session)}
        question, reply, new, answer = (said[f"{id}@example.org"] for id in ("q1", "r1", "h1", "h2"))
        assert (question.thread_id, new.thread_id) == (reply.thread_id, answer.thread_id)
        assert question.thread_id != new.thread_id
        assert new.kind is Kind.QUESTION
        assert session.get_one(Thread, new.thread_id).title == "Does anyone run theirs from a library?"
        assert session.get_one(Thread, question.thread_id).title == "Unreturned FIT kits"


def test_the_same_mail_over_two_ways_is_a_duplicate_in_the_same_thread(world: World) -> None:
    world.receive(QUESTION, b"Received: from elsewhere.example.org by here\n" + QUESTION)
    with store.read(world.engine) as session:
        first, second = world.messages(session)
        assert (second.kind, second.status, second.duplicate_of) == (Kind.DUPLICATE, MessageStatus.DISCARDED, first.id)
        assert second.thread_id == first.thread_id


def test_the_same_words_under_another_message_id_are_a_duplicate(world: World) -> None:
    again = QUESTION.replace(b"q1@example.org", b"q1-again@relay.example.org")
    world.receive(QUESTION, REPLY, again)
    with store.read(world.engine) as session:
        first, _, third = world.messages(session)
        assert (third.kind, third.duplicate_of, third.thread_id) == (Kind.DUPLICATE, first.id, first.thread_id)
        assert "another Message-ID" in third.kind_reason


def test_the_same_few_words_said_twice_are_no_duplicate(world: World) -> None:
    texts = [mail("tunde@example.org", "Re: kits", "Agreed.", f"{i}@x", at=NOON + timedelta(hours=i)) for i in (1, 2)]
    world.receive(QUESTION, *texts)
    with store.read(world.engine) as session:
        assert Kind.DUPLICATE not in [m.kind for m in world.messages(session)]


@pytest.mark.parametrize("late", [False, True])
def test_what_stands_in_a_stored_ancestor_is_a_quote_however_it_looks(world: World, late: bool) -> None:
    text = (
        "Hello Gwen\n\nWho chases the kit when it does not come back to the lab?\n\n"
        "Our practice nurse does, every Friday afternoon.\n"
    )
    reply = mail("tunde@example.org", "Re: Unreturned FIT kits", text, "r1@example.org", answers="q1@example.org")
    if late:
        world.receive(reply)
        world.receive(QUESTION)
    else:
        world.receive(QUESTION, reply)
    with store.read(world.engine) as session:
        assert new_words(world.messages(session)[not late]) == (
            "Hello Gwen\n\nOur practice nurse does, every Friday afternoon."
        )


def test_an_answer_written_into_an_unmarked_quote_is_found_by_what_the_question_said(world: World) -> None:
    question = mail(
        "Gwen Pryce <gwen@example.org>",
        "Two things",
        "Who chases the kit when it does not come back to the lab?\n\nAnd who tells the patient that it was lost?\n",
        "two@example.org",
    )
    text = (
        "From: Gwen Pryce\nSent: 24 November 2026 12:00\nTo: leads\nSubject: Two things\n\n"
        "Who chases the kit when it does not come back to the lab?\n\nOur reception.\n\n"
        "And who tells the patient that it was lost?\n\nGwen\n"
    )
    reply = mail("tunde@example.org", "Re: Two things", f"Hi\n\n{text}", "r9@example.org", answers="two@example.org")
    world.receive(question, reply)
    with store.read(world.engine) as session:
        assert new_words(world.messages(session)[1]) == "Hi\n\nOur reception."


def test_another_mail_under_a_stolen_message_id_is_no_duplicate(world: World) -> None:
    forged = mail("tunde@example.org", "Unreturned FIT kits", "Quite another text, with other words.", "q1@example.org")
    world.receive(QUESTION, forged)
    with store.read(world.engine) as session:
        assert world.messages(session)[1].kind is not Kind.DUPLICATE


def test_a_strangers_mail_is_held_and_not_threaded(world: World) -> None:
    world.receive(QUESTION, REPLY.replace(b"Tunde Ade <tunde@example.org>", b"A Stranger <stranger@example.com>"))
    with store.read(world.engine) as session:
        stranger = world.messages(session)[1]
        assert (stranger.status, stranger.hold_reason) == (MessageStatus.HELD, HoldReason.UNKNOWN_SENDER)
        assert stranger.thread_id is None


def test_an_alias_is_the_member(world: World) -> None:
    world.receive(QUESTION.replace(b"gwen@example.org", b"Gwen@NHS.example.org"))
    with store.read(world.engine) as session:
        assert world.messages(session)[0].member_id == world.member(session, "gwen@example.org").id


def test_a_member_who_was_made_inactive_is_held(world: World) -> None:
    with store.transaction(world.engine) as session:
        gwen = world.member(session, "gwen@example.org")
        gwen.active = False
        session.add(gwen)
    world.receive(QUESTION)
    with store.read(world.engine) as session:
        assert world.messages(session)[0].hold_reason is HoldReason.UNKNOWN_SENDER


def test_a_patients_identifiers_hold_the_mail_and_are_masked_wherever_it_is_shown(world: World) -> None:
    world.receive(QUESTION, SLIP)
    with store.read(world.engine) as session:
        slip = world.messages(session)[1]
        assert (slip.status, slip.hold_reason) == (MessageStatus.HELD, HoldReason.IDENTIFIER)
        shown = shown_text(session, slip)
        assert "943" not in shown
        assert "Marlow" not in shown
        assert "kit sat in a drawer" in shown


def test_the_services_own_digest_and_automatic_mail_are_kept_and_set_aside(world: World) -> None:
    away = mail("gwen@example.org", "Automatic reply: FIT", "I am on leave.", "a@x", Auto_Submitted="auto-replied")
    own = mail(f"Digest <{SERVICE}>", "GP leads digest, Issue 3", "Who chases the kit?", "d3@example.org")
    world.receive(away, own)
    with store.read(world.engine) as session:
        assert [m.kind for m in world.messages(session)] == [Kind.AUTO_REPLY, Kind.ADMIN]
        assert {m.status for m in world.messages(session)} == {MessageStatus.DISCARDED}
        assert len(session.exec(select(RawMessage)).all()) == 2


def test_a_reply_with_the_threads_token_goes_to_that_thread_before_anything_else(world: World) -> None:
    world.receive(QUESTION)
    with store.read(world.engine) as session:
        thread = world.messages(session)[0].thread_id
    world.receive(mail("priya@example.org", f"Re: [T{thread}] whatever", "Ours is the hub, at day ten.", "t@x"))
    with store.read(world.engine) as session:
        assert world.messages(session)[1].thread_id == thread


@pytest.mark.parametrize("late", [False, True])
def test_a_reply_to_the_digest_goes_where_its_words_belong_or_to_the_coordinator(world: World, late: bool) -> None:
    digest = mail(SERVICE, "GP leads digest, Issue 3", "Unreturned FIT kits …", "d3@example.org")
    world.receive(*([QUESTION] if late else [QUESTION, digest]))
    clear = mail(
        "tunde@example.org",
        "Re: GP leads digest, Issue 3",
        "On unreturned FIT kits: the lab chases ours.",
        "c@x",
        "d3@example.org",
    )
    vague = mail("priya@example.org", "Re: GP leads digest, Issue 3", "Could not agree more.", "v@x", "d3@example.org")
    world.receive(clear, vague)
    if late:
        world.receive(digest)
    with store.read(world.engine) as session:
        question, clear_, vague_ = (m for m in world.messages(session) if m.from_address != SERVICE)
        assert (clear_.kind, clear_.thread_id) == (Kind.DIGEST_REPLY, question.thread_id)
        assert (vague_.kind, vague_.thread_id, vague_.hold_reason) == (Kind.DIGEST_REPLY, None, HoldReason.WHICH_THREAD)


@pytest.mark.parametrize(
    ("to", "subject", "text"),
    [
        ("stream-request@lists.example.org", "Hello", "My old address stops working in May."),
        (SERVICE, "Joining", "Might I be added to the group?"),
    ],
)
def test_what_is_asked_of_the_list_itself_waits_for_the_coordinator(
    world: World, to: str, subject: str, text: str
) -> None:
    world.receive(mail("tunde@example.org", subject, text, "a1@x", to=to))
    with store.read(world.engine) as session:
        (message,) = world.messages(session)
        assert (message.kind, message.status, message.hold_reason) == (Kind.ADMIN, MessageStatus.HELD, HoldReason.WISH)
        assert message.thread_id is None


def test_what_answers_somebody_is_a_reply_though_it_is_written_to_the_digests_address(world: World) -> None:
    world.receive(
        mail("gwen@example.org", "Lumps", "Who scans lumps over five centimetres?", "q1@x"),
        mail("tunde@example.org", "RE: Lumps", "We do, within two weeks.", "r1@x", "q1@x", to=SERVICE),
    )
    with store.read(world.engine) as session:
        question, answer = world.messages(session)
        assert (answer.kind, answer.status) == (Kind.REPLY, MessageStatus.ACCEPTED)
        assert answer.thread_id == question.thread_id


@pytest.mark.parametrize("late", [False, True])
def test_a_forward_without_references_joins_the_thread_of_the_mail_below_it(world: World, late: bool) -> None:
    asked = mail("gwen@example.org", "Lumps", "Who scans lumps over five centimetres before referral?", "q1@x")
    below = "From: Gwen <gwen@example.org>\nSent: 5 January 2026\nTo: leads@example.org\nSubject: Lumps\n\n"
    passed = mail(
        "tunde@example.org",
        "FW: Lumps",
        f"Our hub says yes to this.\n\n{below}Who scans lumps over five centimetres\nbefore referral?\n",
        "f1@x",
        at=NOON + timedelta(days=1),
    )
    for one in (passed, asked) if late else (asked, passed):
        world.receive(one)
    with store.read(world.engine) as session:
        by_id = {message.rfc_message_id: message for message in world.messages(session)}
        assert by_id["f1@x"].thread_id == by_id["q1@x"].thread_id
        assert by_id["f1@x"].thread_reason == PASSES_ON
        assert by_id["f1@x"].kind is Kind.REPLY


def test_a_subject_alone_threads_only_behind_a_reply_prefix_and_within_thirty_days(world: World) -> None:
    late = NOON + timedelta(days=40)
    world.receive(
        QUESTION,
        mail("tunde@example.org", "RE: Unreturned FIT kits", "The lab does, here.", "s1@x"),
        mail("tunde@example.org", "Unreturned FIT kits", "Who chases them in prisons?", "s2@x"),
        mail("tunde@example.org", "RE: Unreturned FIT kits", "The lab does, still.", "s3@x", at=late),
    )
    with store.read(world.engine) as session:
        question, by_subject, bare, late_ = world.messages(session)
        assert by_subject.thread_id == question.thread_id
        assert bare.thread_id != question.thread_id
        assert late_.thread_id != question.thread_id


def test_bytes_that_are_no_mail_are_kept_and_held(world: World) -> None:
    world.receive(b"\x00\xff\xfe\x00", b"")
    with store.read(world.engine) as session:
        assert all(m.status is MessageStatus.HELD for m in world.messages(session))
        assert all(m.filed_at for m in world.messages(session))


def test_the_note_about_a_mail_the_mailbox_kept_back_is_held_for_a_person(world: World) -> None:
    world.receive(
        mail(f"The mailbox <{NOTE_FROM}>", "A mail could not be read", "Its UID is 7.", Auto_Submitted="auto-generated")
    )
    with store.read(world.engine) as session:
        assert world.messages(session)[0].hold_reason is HoldReason.NOT_UNDERSTOOD


def test_filing_again_changes_nothing(world: World) -> None:
    world.receive(QUESTION)
    with store.read(world.engine) as session:
        before = world.messages(session)[0].model_dump()
        ours = file.ours(session, world.community_id, world.community)
    with store.transaction(world.engine) as session:
        again = understand(REPLY, ours)
        file.file(session, world.community_id, world.community, [(before["id"], again)], NOON)
    with store.read(world.engine) as session:
        assert world.messages(session)[0].model_dump() == before


def test_a_member_list_is_imported_whole_or_not_at_all(world: World) -> None:
    rows = [{"email": "new@example.org", "name": "New Member"}, {"email": "no address", "name": "Nobody"}]
    with pytest.raises(enrol.EnrolError, match="Line 3"), store.transaction(world.engine) as session:
        enrol.members(session, world.community_id, rows, NOON)
    with store.read(world.engine) as session:
        assert enrol.find(session, world.community_id, "new@example.org") is None


def test_an_address_cannot_belong_to_two_members(world: World) -> None:
    rows = [{"email": "new@example.org", "name": "New Member", "aliases": "gwen@nhs.example.org"}]
    with pytest.raises(enrol.EnrolError, match=r"gwen@nhs\.example\.org"), store.transaction(world.engine) as session:
        enrol.members(session, world.community_id, rows, NOON)


TOLD = mail(
    "Ruth <ruth@charity.example.org>",
    "New threshold",
    "Dear all,\n\nThe new threshold is now live from Monday, in every hub of the region.\n\nRuth\n",
    "t1@example.org",
)
ASKS = mail(
    "Gwen <gwen@example.org>",
    "Re: New threshold",
    "Does anyone know whether the capacity of our hubs was modelled?\n",
    "t2@example.org",
    answers="t1@example.org",
    at=NOON + timedelta(hours=1),
)
TELLS = mail(  # quotes both without a mark
    "Tunde <tunde@example.org>",
    "Re: New threshold",
    "Ours did so in the spring.\n\nFrom: Gwen <gwen@example.org>\nSent: 24 November 2026 13:00\nTo: leads\n"
    "Subject: Re: New threshold\n\nDoes anyone know whether the capacity of our hubs was modelled?\n\n"
    "From: Ruth <ruth@charity.example.org>\nSent: 24 November 2026 12:00\nTo: leads\nSubject: New threshold\n\n"
    "Dear all,\n\nThe new threshold is now live from Monday, in every hub of the region.\n\nRuth\n",
    "t3@example.org",
    answers="t2@example.org",
    at=NOON + timedelta(hours=2),
    References="<t1@example.org> <t2@example.org>",
)


@pytest.mark.parametrize("order", [list(order) for order in itertools.permutations((TOLD, ASKS, TELLS))])
def test_who_asks_in_an_announcements_thread_asks_its_question_in_whatever_order_they_come(
    world: World, order: list[bytes]
) -> None:
    for raw in order:
        world.receive(raw)
    with store.read(world.engine) as session:
        read = {m.rfc_message_id: (m.kind, " ".join(new_words(m).split())) for m in world.messages(session)}
    assert read["t1@example.org"][0] is Kind.ANNOUNCEMENT
    assert read["t2@example.org"][0] is Kind.QUESTION
    assert read["t3@example.org"] == (Kind.REPLY, "Ours did so in the spring.")
