"""A redaction holds wherever a community's mail, or what was made of it, says the words; also what comes later."""

from datetime import timedelta
from email import message_from_bytes

import pytest
from sqlmodel import Session, col, select

from digest import store
from digest.edition.render import dumps
from digest.models import Audit, Collation, Edition, EditionThread, Identifier, Message, Thread
from digest.nouns import UNREAD_FILE, Decision, EditionStatus, HoldReason, MessageStatus, Point
from digest.steps import collate, compose, publish, read, review
from digest.steps import redact as redact_step
from digest.steps.review import ReviewError
from tests.message.files import pdf, xlsx
from tests.message.test_attachment import letter
from tests.steps.world import DISSENT, NOON, QUESTION, REPLY, SLIP, World, mail

LATER = NOON + timedelta(hours=5)
#: The same words as others carry them on: other spacing, wrapped, other dashes, other case.
CARRIED = (
    "Was that 943-476-5919?",
    "The one with 9434765919 in it.",
    "> NHS number 943\n> 476 5919, whose kit\n\nThat one.",
    "MRS EDITH MARLOW waited for a month.",
    "Mrs Edith\nMarlow, you mean.",
)


def redact(world: World, number: int) -> None:
    """Redact the `number`th message, from 0."""
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.redact(session, world.messages(session)[number].id, ruth, LATER)


def shown(session: Session, message: Message) -> str:
    """All that may be seen of a message."""
    return "\n".join(
        [
            read.shown_title(message, read.identifiers(session, message.id)),
            *(segment.text for segment in read.shown_segments(session, message)),
            *read.shown_attachments(session, message),
            *read.shown_links(session, message),
        ]
    )


def carried(text: str, subject: str = "Something else", answers: str = "") -> bytes:
    return mail("tunde@example.org", subject, f"{text}\n", f"{abs(hash(text))}@example.org", answers, at=LATER)


def replied(text: str) -> bytes:
    return mail("priya@example.org", "Re: Unreturned FIT kits", f"{text}\n", "x@example.org", "q1@example.org")


@pytest.mark.parametrize("text", CARRIED)
@pytest.mark.parametrize("first", [True, False], ids=["there already", "comes later"])
def test_words_are_masked_in_other_threads_too_however_they_are_written(world: World, text: str, first: bool) -> None:
    world.receive(QUESTION, SLIP)
    if first:
        world.receive(carried(text))
        redact(world, 1)
    else:
        redact(world, 1)
        world.receive(carried(text))
    with store.read(world.engine) as session:
        other = world.messages(session)[2]
        assert other.status is MessageStatus.ACCEPTED, "there is nothing left to decide"
        assert "removed]" in shown(session, other)
        assert "5919" not in shown(session, other)
        assert "marlow" not in shown(session, other).lower()


def test_in_the_same_thread_a_surname_alone_is_masked(world: World) -> None:
    world.receive(QUESTION, SLIP, carried("Poor Edith. Marlow's kit was not the only one.", "Re: Unreturned FIT kits"))
    redact(world, 1)
    with store.read(world.engine) as session:
        said = shown(session, world.messages(session)[2])
        assert "Marlow" not in said
        assert "Edith" not in said


def test_what_many_share_is_left_alone_in_other_threads(world: World) -> None:
    slip = mail(
        "priya@example.org", "Re: Unreturned FIT kits", "Mrs Marlow, DOB 14/03/1953.\n", "x@x", "q1@example.org"
    )
    world.receive(QUESTION, slip, carried("We closed on 14/03/1953, as the plaque in the hall says."))
    redact(world, 1)
    with store.read(world.engine) as session:
        assert "14/03/1953" in shown(session, world.messages(session)[2])
        assert "14/03/1953" not in shown(session, world.messages(session)[1])


def test_a_subject_and_the_title_of_its_thread_are_masked(world: World) -> None:
    world.receive(mail("gwen@example.org", "Mrs Edith Marlow’s kit", "Who chases it?\n", "s1@example.org"))
    redact(world, 0)
    with store.read(world.engine) as session:
        assert {t.title for t in session.exec(select(Thread))} == {"[patient’s name removed]’s kit"}


def test_a_title_given_before_the_words_were_redacted_loses_them(world: World) -> None:
    world.receive(QUESTION, SLIP)
    with store.transaction(world.engine) as session:
        thread = session.exec(select(Thread)).one()
        thread.title = "The kit of Mrs Edith Marlow"
        session.add(thread)
    redact(world, 1)
    with store.read(world.engine) as session:
        assert session.exec(select(Thread)).one().title == "The kit of [patient’s name removed]"


def test_collations_lose_the_words_in_every_version_and_still_stand(world: World) -> None:
    world.receive(QUESTION, REPLY, DISSENT, SLIP)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        thread = session.exec(select(Thread)).one()
        latest = collate.current(session, thread.id)
        assert latest is not None
        content = latest.content.model_copy(
            update={
                "note": "This was about NHS 943 476 5919.",
                "points": [*latest.content.points, Point(id="own", label="Mrs Edith  Marlow had to wait", own=True)],
            }
        )
        version = collate.save(session, thread.id, latest.version, content, ruth, LATER).version
        collate.save(session, thread.id, version, content, ruth, LATER)
    redact(world, 3)
    with store.read(world.engine) as session:
        for stored in session.exec(select(Collation)).all():
            said = stored.content.model_dump_json()
            assert "5919" not in said
            assert "Marlow" not in said
        latest = collate.current(session, thread.id)
        assert latest is not None
        assert latest.content.note == "This was about NHS [NHS number removed]."
        assert collate.check(session, thread.id, latest.content) == []


def test_an_approved_edition_that_carries_the_words_goes_back_to_review(world: World) -> None:
    world.receive(QUESTION, SLIP)
    with store.transaction(world.engine) as session:
        edition = publish.ensure_collecting(session, world.community, world.community_id, NOON)
        thread = session.exec(select(Thread)).one()
        edition.status, edition.introduction = EditionStatus.APPROVED, "Think of Mrs Edith Marlow."
        session.add(edition)
        session.add(
            EditionThread(edition_id=edition.id, thread_id=thread.id, community_id=world.community_id, position=0)
        )
    redact(world, 1)
    with store.read(world.engine) as session:
        edition = session.exec(select(Edition)).one()
        assert (edition.status, edition.introduction) == (
            EditionStatus.IN_REVIEW,
            "Think of [patient’s name removed].",
        )


def test_files_with_a_hit_are_given_to_nobody_until_released(world: World) -> None:
    raw = letter(
        ("pathway.txt", b"The pathway", "text/plain"),
        ("audit.xlsx", xlsx(("NHS number", "Name"), (9434765919, "Edith Marlow")), "application/octet-stream"),
        ("locked.pdf", pdf("x", password="sesame"), "application/pdf"),
    )
    raw.replace_header("From", "Gwen Pryce <gwen@example.org>")
    world.receive(raw.as_bytes())
    with store.read(world.engine) as session:
        message = world.messages(session)[0]
        assert message.hold_reason is HoldReason.IDENTIFIER
        assert [bool(read.attachment(session, message, n)) for n in (1, 2, 3)] == [True, False, False]
        passages = read.held_passages(session, message)
        assert [p.types for p in passages] == [("nhs_number",), ("patient_name",), (UNREAD_FILE,)]
        assert ("9434765919", "nhs_number") in passages[0].pieces
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        with pytest.raises(ReviewError, match="Say why"):
            review.release(session, world.messages(session)[0].id, ruth, " ", LATER)
        review.release(session, world.messages(session)[0].id, ruth, "All of it is invented.", LATER)
    with store.read(world.engine) as session:
        message = world.messages(session)[0]
        assert all(read.attachment(session, message, n) for n in (1, 2, 3))
        assert {i.reason for i in session.exec(select(Identifier))} == {"All of it is invented."}


def test_a_file_is_never_given_out_once_what_stands_in_it_is_redacted(world: World) -> None:
    raw = letter(("audit.xlsx", xlsx(("NHS number", "Name"), (9434765919, "Edith Marlow")), "application/octet-stream"))
    raw.replace_header("From", "Gwen Pryce <gwen@example.org>")
    world.receive(raw.as_bytes())
    redact(world, 0)
    with store.read(world.engine) as session:
        message = world.messages(session)[0]
        assert message.status is MessageStatus.ACCEPTED
        assert read.attachment(session, message, 1) is None
        assert read.shown_attachments(session, message) == ["audit.xlsx"], "its name says nothing"


def test_what_was_found_in_a_file_is_redacted_in_the_text_of_other_mail(world: World) -> None:
    raw = letter(("audit.xlsx", xlsx(("NHS number", "Name"), (9434765919, "Edith Marlow")), "application/octet-stream"))
    raw.replace_header("From", "Gwen Pryce <gwen@example.org>")
    world.receive(raw.as_bytes())
    redact(world, 0)
    world.receive(carried("In row 7: Edith Marlow, 943 476 5919."))
    with store.read(world.engine) as session:
        said = shown(session, world.messages(session)[1])
        assert "Marlow" not in said
        assert "5919" not in said


def test_a_link_that_says_the_words_is_not_shown(world: World) -> None:
    body = "NHS number 943 476 5919: https://example.org/find?nhs=943%20476%205919 and https://example.org/fit\n"
    world.receive(mail("gwen@example.org", "A kit", body, "l1@example.org"))
    with store.read(world.engine) as session:
        assert read.shown_links(session, world.messages(session)[0]) == ["https://example.org/fit"]


def test_what_was_redacted_elsewhere_is_decided_while_the_rest_still_waits(world: World) -> None:
    world.receive(QUESTION, SLIP, carried("943 476 5919 and, new to us, NHS number 999 104 2172."))
    redact(world, 1)
    with store.read(world.engine) as session:
        other = world.messages(session)[2]
        assert (other.status, other.hold_reason) == (MessageStatus.HELD, HoldReason.IDENTIFIER)
        found = session.exec(select(Identifier).where(Identifier.message_id == other.id)).all()
        assert {i.words: i.decision for i in found} == {
            "943 476 5919": Decision.REDACTED,
            "999 104 2172": Decision.UNDECIDED,
        }


def test_the_audit_says_what_was_done_and_none_of_the_words(world: World) -> None:
    world.receive(QUESTION, SLIP)
    redact(world, 1)
    with store.read(world.engine) as session:
        said = " ".join(f"{row.what} {row.subject}" for row in session.exec(select(Audit)))
        assert "redacted patient identifiers" in said
        assert "5919" not in said
        assert "Marlow" not in said


def test_mail_in_another_thread_that_the_gate_would_pass_is_masked_when_it_says_what_was_redacted(world: World) -> None:
    slip = mail("priya@example.org", "Re: Unreturned FIT kits", "MRN: 30-77182 again.\n", "x@x", "q1@example.org")
    world.receive(QUESTION, slip)
    redact(world, 1)
    world.receive(carried("The number 3077182 is on the list again."))
    with store.read(world.engine) as session:
        assert shown(session, world.messages(session)[2]).count("[hospital number removed]") == 1


def test_words_that_the_gate_passed_over_are_redacted_by_hand_everywhere(world: World) -> None:
    passed = mail(
        "priya@example.org", "Re: Unreturned FIT kits", "It was the mayor of Little Snoring.\n", "x@x", "q1@example.org"
    )
    world.receive(QUESTION, passed, carried("Not the Mayor\nof Little  Snoring again!"))
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        with pytest.raises(ReviewError, match="does not say these words"):
            review.hide(session, world.messages(session)[1].id, "the vicar of Dibley", ruth, LATER)
        assert review.hide(session, world.messages(session)[1].id, "mayor of Little Snoring", ruth, LATER) == 1
    with store.read(world.engine) as session:
        for message in world.messages(session)[1:]:
            assert "[words removed]" in shown(session, message)
            assert "snoring" not in shown(session, message).lower()


def test_the_hiding_of_words_is_undone_everywhere_also_in_the_title_and_where_others_quote_them(world: World) -> None:
    asks = mail("gwen@example.org", "Kits of the mayor of Little Snoring", "Who chases kits?\n", "q3@example.org")
    passed = mail("priya@example.org", "Re: Kits", "The mayor of Little Snoring did.\n", "x@x", "q3@example.org")
    later = mail("tunde@example.org", "Re: Kits", "> The mayor of Little Snoring did.\n\nHe did.\n", "y@x", "x@x")
    world.receive(asks, passed)
    hide(world, 1, "mayor of Little Snoring")
    world.receive(later)
    with store.read(world.engine) as session:
        assert session.get_one(Thread, 1).title == "Kits of the [words removed]"
        assert all("Snoring" not in shown(session, message) for message in world.messages(session))
    assert unhide(world, 1) == ["mayor of Little Snoring"]
    with store.read(world.engine) as session:
        assert session.get_one(Thread, 1).title == "Kits of the mayor of Little Snoring"
        assert all("Snoring" in shown(session, m) for m in world.messages(session))
        assert session.exec(select(Identifier)).all() == []
        assert {m.status for m in world.messages(session)} == {MessageStatus.ACCEPTED}
        what = session.exec(select(Audit.what).order_by(col(Audit.id).desc())).first()
        assert what == "undid the hiding of words"


def test_undoing_one_hiding_leaves_the_others_and_what_the_gate_found_waits_again(world: World) -> None:
    both = mail(
        "priya@example.org",
        "Re: Unreturned FIT kits",
        "The mayor of Little Snoring, and the vicar.\n",
        "x@x",
        "q1@example.org",
    )
    world.receive(QUESTION, both, carried("Do ring the mayor of Little Snoring and the vicar of Great Snoring."))
    hide(world, 1, "mayor of Little Snoring")
    hide(world, 2, "mayor of Little Snoring and the vicar of Great Snoring")
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        message = world.messages(session)[1]
        one = redact_step.marked(session, message.id)[0]
        with pytest.raises(ReviewError, match="nothing to undo"):
            review.unhide(session, world.messages(session)[0].id, one.id, ruth, LATER)
        review.unhide(session, message.id, one.id, ruth, LATER)
        assert "mayor" in shown(session, message)
        assert "mayor" not in shown(session, world.messages(session)[2]), "it was hidden there for itself"
    world.receive(carried("Mrs Edith Marlow, NHS number 943 476 5919: we have her too."))
    assert waits(world, 3) == HELD
    hide(world, 3, "Mrs Edith Marlow, NHS number 943 476 5919")
    with store.read(world.engine) as session:
        assert {i.decision for i in session.exec(select(Identifier).where(Identifier.message_id == 4))} == {
            Decision.REDACTED
        }
    unhide(world, 3)
    with store.read(world.engine) as session:
        left = session.exec(select(Identifier).where(Identifier.message_id == 4)).all()
        assert left
        assert {i.decision for i in left} == {Decision.UNDECIDED}
    assert waits(world, 3) == HELD


def hide(world: World, number: int, words: str) -> None:
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.hide(session, world.messages(session)[number].id, words, ruth, LATER)


def unhide(world: World, number: int) -> list[str]:
    """Take back all that was hidden in a message; returns what it was."""
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        message = world.messages(session)[number]
        found = redact_step.marked(session, message.id)
        words = [one.words for one in found]
        for one in found:
            review.unhide(session, message.id, one.id, ruth, LATER)
        return words


def test_an_edition_that_was_sent_is_shown_without_what_was_redacted_since(world: World) -> None:
    passed = mail(
        "priya@example.org",
        "Re: Unreturned FIT kits",
        "The lab of Dr O’Farrant’s mayor rings.\n",
        "x@x",
        "q1@example.org",
    )
    world.receive(QUESTION, passed)
    with store.transaction(world.engine) as session:
        edition = publish.ensure_collecting(session, world.community, world.community_id, NOON)
        edition.introduction = "Ask Dr O’Farrant’s mayor, and R&D too."
        edition.frozen = dumps(compose.frozen_now(session, world.settings, edition, NOON))
        edition.status = EditionStatus.SENT
        session.add(edition)
        session.flush()
        ruth = world.member(session, "ruth@charity.example.org")
        before = compose.preview(session, world.settings, edition.id, ruth, NOON)
        assert "O’Farrant’s mayor" in before.text
        review.hide(session, world.messages(session)[1].id, "Dr O’Farrant’s mayor", ruth, LATER)
        after = compose.preview(session, world.settings, edition.id, ruth, NOON)
        assert "Farrant" not in after.text + after.html + after.wire.decode()
        assert "Ask [words removed], and R&D too." in after.text
        assert message_from_bytes(after.wire)["Message-ID"] == message_from_bytes(before.wire)["Message-ID"]


def hold_again(world: World, number: int) -> None:
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        review.hold_again(session, world.messages(session)[number].id, ruth, LATER)


def waits(world: World, number: int) -> tuple[MessageStatus, HoldReason | None]:
    with store.read(world.engine) as session:
        message = world.messages(session)[number]
        return message.status, message.hold_reason


HELD, ACCEPTED = (MessageStatus.HELD, HoldReason.IDENTIFIER), (MessageStatus.ACCEPTED, None)


@pytest.mark.parametrize("first", [True, False], ids=["there already", "comes later"])
def test_a_redaction_is_undone_wherever_it_was_done(world: World, first: bool) -> None:
    quoting = carried("Mrs Edith Marlow, NHS number 943 476 5919: we have her too.")
    world.receive(QUESTION, SLIP, *([quoting] if first else []))
    redact(world, 1)
    world.receive(*([] if first else [quoting]))
    assert waits(world, 2)[0] is MessageStatus.ACCEPTED
    hold_again(world, 1)
    assert (waits(world, 1), waits(world, 2)) == (HELD, HELD), "both wait for a decision, and are masked until then"
    with store.read(world.engine) as session:
        assert "5919" not in shown(session, world.messages(session)[2])
        assert {i.decision for i in session.exec(select(Identifier))} == {Decision.UNDECIDED}
    redact(world, 1)
    assert waits(world, 2)[0] is MessageStatus.ACCEPTED


def test_words_that_were_masked_for_anothers_redaction_alone_are_shown_again(world: World) -> None:
    world.receive(QUESTION, SLIP, carried("Poor Edith. Marlow's kit was not the only one.", "Re: Unreturned FIT kits"))
    redact(world, 1)
    with store.read(world.engine) as session:
        assert "Marlow" not in shown(session, world.messages(session)[2])
    hold_again(world, 1)
    assert waits(world, 2) == ACCEPTED, "nobody had found anything in it"
    with store.read(world.engine) as session:
        assert "Marlow" in shown(session, world.messages(session)[2])


def test_what_was_redacted_in_two_messages_stays_redacted_when_one_is_undone(world: World) -> None:
    world.receive(QUESTION, SLIP)
    redact(world, 1)
    other = carried("Mr Harold Pinnock, NHS number 401 023 2137, and the one with 943 476 5919.")
    world.receive(other, carried("Is 401 023 2137 the same person?"))
    redact(world, 2)
    hold_again(world, 1)
    with store.read(world.engine) as session:
        assert "2137" not in shown(session, world.messages(session)[2])
        assert "2137" not in shown(session, world.messages(session)[3])
    assert waits(world, 3)[0] is MessageStatus.ACCEPTED
