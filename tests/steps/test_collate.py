"""Drafts, the provenance lock, the dissent guard, and a person's words that nothing overwrites."""

import pytest
from sqlmodel import select

from digest import store
from digest.models import Identifier, Thread
from digest.nouns import CollationStatus, Content, Decision, Evidence, HoldReason, MessageStatus, Point, Stance
from digest.steps import collate, erase, review
from digest.steps.read import shown_text
from digest.thread.reasons import ANSWERS
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, SERVICE, SLIP, World, mail


def drafted(world: World, *raws: bytes) -> int:
    """Take mails in; returns the id of the first one's thread."""
    world.receive(*raws)
    with store.read(world.engine) as session:
        thread = world.messages(session)[0].thread_id
        assert thread is not None
        return thread


def test_a_draft_has_the_question_and_every_reply_is_used_or_set_aside(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY, DISSENT)
    with store.read(world.engine) as session:
        latest = collate.current(session, thread)
        assert latest is not None
        assert latest.status is CollationStatus.DRAFT
        assert [e.quote for e in latest.content.question] == [
            "Who chases the kit when it does not come back to the lab?"
        ]
        assert collate.unaccounted(session, thread, latest.content) == []
        assert collate.check(session, thread, latest.content) == []
        assert [m.stance for m in world.messages(session)][2] is Stance.DISAGREE
        assert collate.answered(session, thread)


def test_people_are_named_by_the_member_list_and_never_by_what_a_mail_calls_them(world: World) -> None:
    signed = mail(
        '"Prof Hercules Grand, CEO" <tunde@example.org>',
        "Re: Unreturned FIT kits",
        "A receptionist rings everybody on the list on day ten.\n\n-- \nProf Hercules Grand\nChief of All Chiefs",
        "r9@example.org",
        "q1@example.org",
    )
    world.receive(QUESTION, signed)
    with store.read(world.engine) as session:
        thread = world.messages(session)[0].thread_id or 0
        said = collate.contributions(session, thread)
        assert [one.author for one in said] == ["Dr Gwen Pryce", "Dr Tunde Ade"]
        drafted = collate.current(session, thread)
        assert drafted is not None
        assert "Hercules" not in drafted.content.model_dump_json()
        assert "Chief" not in drafted.content.model_dump_json()


def test_an_edit_whose_quote_is_not_in_the_message_is_refused(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        reply = world.messages(session)[1]
        invented = Evidence(message=reply.id, start=0, end=8, quote="we never chase anybody")
        content = Content(
            points=[Point(id="p", label="we never chase anybody", supporters=[reply.id], evidence=[invented])]
        )
        with pytest.raises(collate.Ungrounded) as refused:
            collate.save(session, thread, 1, content, ruth, NOON)
        assert refused.value.faults


def test_two_people_cannot_overwrite_each_other(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        saved = collate.save(session, thread, 1, content.model_copy(update={"note": "First."}), ruth, NOON)
        assert (saved.version, saved.status) == (2, CollationStatus.EDITED)
        with pytest.raises(collate.Conflict):
            collate.save(session, thread, 1, content.model_copy(update={"note": "Second."}), ruth, NOON)
        assert collate.current(session, thread).content.note == "First."  # type: ignore[union-attr]


def test_a_reply_after_the_edit_changes_nothing_a_person_wrote_and_blocks_approval(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        edited = collate.save(session, thread, 1, content.model_copy(update={"note": "Mine."}), ruth, NOON)
        assert not collate.stale(session, thread)
    world.receive(DISSENT)
    with store.transaction(world.engine) as session:
        assert collate.current(session, thread).content == edited.content  # type: ignore[union-attr]
        assert collate.stale(session, thread)
        with pytest.raises(collate.Unaccounted, match="1 reply is neither used nor set aside"):
            collate.approve(session, thread, 2, ruth, NOON)
        late = world.messages(session)[2].id
        collate.save(session, thread, 2, edited.content.model_copy(update={"set_aside": [late]}), ruth, NOON)
        assert collate.approve(session, thread, 3, ruth, NOON).status is CollationStatus.APPROVED


def test_a_redaction_masks_the_draft_and_whatever_another_message_carries_on(world: World) -> None:
    carried = mail(
        "tunde@example.org",
        "Re: Unreturned FIT kits",
        "Poor Mrs Edith Marlow! We would have rung, and rung again until the kit was back.\n",
        "r4@example.org",
        answers="r3@example.org",
    )
    thread = drafted(world, QUESTION, SLIP, carried)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.redact(session, world.messages(session)[1].id, ruth, NOON)  # once: the other says nothing else
    with store.read(world.engine) as session:
        assert {m.status for m in world.messages(session)} == {MessageStatus.ACCEPTED}
        said = collate.current(session, thread).content.model_dump_json()  # type: ignore[union-attr]
        assert "Marlow" not in said
        assert "943" not in said


def test_a_reply_that_carries_on_what_was_redacted_is_masked_and_needs_no_second_decision(world: World) -> None:
    thread = drafted(world, QUESTION, SLIP)
    with store.transaction(world.engine) as session:
        review.redact(session, world.messages(session)[1].id, world.member(session, "ruth@charity.example.org"), NOON)
    world.receive(
        mail(
            "tunde@example.org",
            "Re: Unreturned FIT kits",
            "Poor Mrs Edith Marlow! We would have rung her until the kit came back to the lab.\n",
            "r4@example.org",
            answers="r3@example.org",
        )
    )
    with store.read(world.engine) as session:
        late = world.messages(session)[2]
        assert late.status is MessageStatus.ACCEPTED
        assert "Marlow" not in shown_text(session, late)
        assert "Marlow" not in collate.current(session, thread).content.model_dump_json()  # type: ignore[union-attr]


def test_an_answer_to_the_digest_goes_where_the_coordinator_says(world: World) -> None:
    thread = drafted(world, QUESTION, mail(SERVICE, "GP leads digest, Issue 3", "Kits …", "d3@example.org"))
    world.receive(
        mail("priya@example.org", "Re: GP leads digest, Issue 3", "Could not agree more.", "v@x", "d3@example.org")
    )
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        vague = world.messages(session)[2]
        assert vague.hold_reason is HoldReason.WHICH_THREAD
        review.move(session, vague.id, thread, ruth, NOON)
        assert (vague.status, vague.thread_id) == (MessageStatus.ACCEPTED, thread)
        assert vague.thread_reason == "moved by the coordinator"
        with pytest.raises(review.ReviewError, match="no such thread"):
            review.move(session, vague.id, 999, ruth, NOON)


def test_a_line_whose_ground_is_redacted_after_the_edit_is_flagged(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        collate.save(session, thread, 1, content, ruth, NOON)
        cited = content.points[0].evidence[0]
        session.add(
            Identifier(
                community_id=world.community_id,
                message_id=cited.message,
                type="patient_name",
                start=cited.start,
                end=cited.start + 5,
                decision=Decision.REDACTED,
            )
        )
        session.flush()
        assert collate.check(session, thread, content)
        with pytest.raises(collate.Ungrounded):
            collate.approve(session, thread, 2, ruth, NOON)


def test_releasing_needs_a_reason_and_lets_the_message_through(world: World) -> None:
    thread = drafted(world, QUESTION, SLIP)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        slip = world.messages(session)[1]
        with pytest.raises(review.ReviewError, match="Say why"):
            review.release(session, slip.id, ruth, "  ", NOON)
        review.release(session, slip.id, ruth, "An invented patient.", NOON)
        assert slip.status is MessageStatus.ACCEPTED
        assert "Marlow" in collate.current(session, thread).content.model_dump_json()  # type: ignore[union-attr]


def test_admitting_a_stranger_makes_them_a_member_and_threads_their_mail(world: World) -> None:
    stranger = REPLY.replace(b"Tunde Ade <tunde@example.org>", b"New Person <new@example.org>")
    thread = drafted(world, QUESTION, stranger)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        held = world.messages(session)[1]
        with pytest.raises(review.ReviewError, match="Add the sender"):
            review.release(session, held.id, ruth, "Known to me.", NOON)
        review.admit(session, held.id, ruth, "Dr New", "Wessex", world.member(session, "gwen@example.org").role, NOON)
        assert (held.status, held.thread_id) == (MessageStatus.ACCEPTED, thread)
        assert held.thread_reason == ANSWERS


def test_a_discarded_message_can_be_brought_back(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        reply = world.messages(session)[1]
        review.discard(session, reply.id, ruth, "Sent by mistake.", NOON)
        assert collate.current(session, thread).content.points == []  # type: ignore[union-attr]
        review.restore(session, reply.id, ruth, NOON)
        assert reply.status is MessageStatus.HELD


def test_joined_threads_keep_what_a_person_wrote_about_either(world: World) -> None:
    world.receive(REPLY)
    world.receive(
        mail(
            "priya@example.org",
            "Re: Kits",
            "Our hub texts at day ten and writes at day twenty-one.",
            "r9@x",
            answers="late@x",
        )
    )
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        threads = [m.thread_id for m in world.messages(session)]
        assert threads[0] != threads[1]
        second = threads[1] or 0
        content = collate.current(session, second).content  # type: ignore[union-attr]
        collate.save(session, second, 1, content.model_copy(update={"note": "Worth knowing."}), ruth, NOON)
    late = mail("gwen@example.org", "Re: Unreturned FIT kits", "And kits by post?", "late@x", answers="q1@example.org")
    world.receive(QUESTION, late)
    with store.read(world.engine) as session:
        kept = world.messages(session)[0].thread_id or 0
        assert session.get_one(Thread, second).merged_into == kept or kept == second
        assert collate.current(session, kept).content.note == "Worth knowing."  # type: ignore[union-attr]


def test_erasing_a_member_forgets_their_words_everywhere(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY, DISSENT)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        collate.save(session, thread, 1, content, ruth, NOON)
        erase.member(session, world.member(session, "tunde@example.org").id, ruth, NOON)
    with store.read(world.engine) as session:
        for table in ("message", "raw_message", "collation_version", "member", "alias", "thread"):
            from sqlalchemy import text

            assert "receptionist" not in str(session.execute(text(f"SELECT * FROM {table}")).all())
        assert session.exec(select(Thread)).one()


def test_a_late_reply_is_proposed_for_the_point_it_would_join_and_written_nowhere(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        collate.save(session, thread, 1, content, ruth, NOON)
        assert collate.noticed(session, thread) == []
    world.receive(DISSENT)
    with store.transaction(world.engine) as session:
        (late,) = collate.noticed(session, thread)
        assert late.message == world.messages(session)[2].id
        assert collate.current(session, thread).content == content  # type: ignore[union-attr]
        taken_in = collate.accept(session, thread, content, late.message)
        assert collate.unaccounted(session, thread, taken_in) == []
        assert collate.check(session, thread, taken_in) == []
        assert collate.noticed(session, thread, taken_in) == []


def test_renamed_headings_get_the_quotes_that_belong_under_them(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY, DISSENT)
    with store.read(world.engine) as session:
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        joined = content.points[0].model_copy(
            update={
                "label": "Leave it",
                "own": True,
                "evidence": [e for p in content.points for e in p.evidence],
                "supporters": [m for p in content.points for m in p.supporters],
            }
        )
        renamed = Point(id="new", label=content.points[1].evidence[0].quote[:40], own=True)
        after, moves = collate.resorted(session, thread, content.model_copy(update={"points": [joined, renamed]}))
        assert [m.to_point for m in moves] == ["new"]
        assert after.points[1].evidence == [content.points[1].evidence[0]]
        assert collate.check(session, thread, after) == []


def test_a_line_whose_message_was_moved_is_flagged_and_blocks_approval(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY, DISSENT)
    other = mail("priya@example.org", "Another matter", "Who keeps the register of clinics?", "n1@example.org")
    world.receive(other)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        quoted = [e for p in content.points for e in p.evidence]
        reply, dissent, elsewhere = world.messages(session)[1:4]
        assert {e.message for e in quoted} == {reply.id, dissent.id}
        both = content.points[0].model_copy(update={"evidence": quoted})  # or else it would go with its message
        content = content.model_copy(update={"points": [both]})
        collate.save(session, thread, 1, content, ruth, NOON)
        review.move(session, reply.id, elsewhere.thread_id or 0, ruth, NOON)
        said = {fault.sentence for fault in collate.check(session, thread, content)}
        assert any("in another thread now" in sentence for sentence in said)
        with pytest.raises(collate.Ungrounded):
            collate.approve(session, thread, 2, ruth, NOON)


def test_erasing_somebody_leaves_the_points_that_a_coordinator_wrote_without_a_quote(world: World) -> None:
    thread = drafted(world, QUESTION, REPLY, DISSENT)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        own = Point(id="own", label="Most practices ring.", own=True)
        collate.save(session, thread, 1, content.model_copy(update={"points": [*content.points, own]}), ruth, NOON)
        erase.member(session, world.member(session, "tunde@example.org").id, ruth, NOON)
        assert own in collate.current(session, thread).content.points  # type: ignore[union-attr]
