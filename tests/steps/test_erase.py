"""Somebody asks to be forgotten: what goes, what stays, and what a coordinator is told beforehand."""

import zlib

import pytest
from sqlalchemy import inspect, text
from sqlmodel import Session, col, select

from digest import store
from digest.models import Collation, Delivery, Member, Message, Notice, RawMessage, Thread
from digest.nouns import DeliveryStatus
from digest.steps import collate, erase, read
from digest.steps.notify import queue
from tests.steps.world import NOON, QUESTION, REPLY, World, approved, mail

RUTH, TUNDE, GWEN = "ruth@charity.example.org", "tunde@example.org", "gwen@example.org"
SENTENCE = "We run a weekly EMIS search for kits requested more than 14 days ago, and a receptionist rings."
QUOTING = mail(
    "Priya Rao <priya@example.org>",
    "Re: Unreturned FIT kits",
    "Hi Tunde,\n\nDoes the receptionist have a script? We found that texts alone do nothing at all.\n\nPriya\n\n"
    "On 24 November 2026 at 13:00, Dr Tunde Ade <tunde@example.org> wrote:\n"
    "> We run a weekly EMIS search for kits requested more than\n> 14 days ago, and a receptionist rings.\n",
    "r5@example.org",
    answers="r1@example.org",
)
ALONE = mail("Tunde Ade <tunde@example.org>", "Spare slots in our clinic", "We have three slots.", "alone@example.org")
FILE = b"a letter of Priya's own\n"


def with_a_file() -> bytes:
    import email
    import email.policy

    made = email.message_from_bytes(QUOTING.replace(b"r5@example.org", b"r6@example.org"), policy=email.policy.SMTP)
    made.add_attachment(FILE, "application", "octet-stream", filename="Letter for Tunde Ade.bin")
    return made.as_bytes()


def everything(session: Session) -> str:
    """All that the database says, the stored bytes of mails included."""
    tables = inspect(session.connection()).get_table_names()
    said = "".join(repr(session.execute(text(f"SELECT * FROM {name}")).all()) for name in tables if name != "audit")
    raws = [zlib.decompress(raw.data).decode("utf-8", "replace") for raw in session.exec(select(RawMessage)).all()]
    return said + "".join(raws).replace("\r\n", "\n").replace("=\n", "")


def forget(world: World, address: str = TUNDE) -> None:
    with store.transaction(world.engine) as session:
        erase.member(session, world.member(session, address).id, world.member(session, RUTH), NOON)


def test_nothing_of_what_they_wrote_and_no_name_or_address_is_left_anywhere(world: World) -> None:
    approved(world, NOON, 0)
    world.receive(QUOTING, with_a_file(), ALONE)
    with store.transaction(world.engine) as session:
        queue(session, world.settings, "leads", world.member(session, TUNDE), "sign_in", "x", NOON, link="x", minutes=2)
        assert "EMIS search" in everything(session)
    forget(world)
    with store.read(world.engine) as session:
        left = everything(session)
        for gone in ("EMIS", "Tunde Ade", "tunde@", "three slots", "Spare slots"):
            assert gone not in left, gone
        assert session.exec(select(Thread.title).order_by(col(Thread.id))).all() == ["Unreturned FIT kits", "[erased]"]


def test_what_others_wrote_stays_with_the_quote_blacked_out_and_offsets_as_they_were(world: World) -> None:
    world.receive(QUESTION, REPLY, QUOTING)
    with store.read(world.engine) as session:
        before = world.messages(session)[2]
    forget(world)
    with store.read(world.engine) as session:
        after = world.messages(session)[2]
        assert len(after.text) == len(before.text)
        assert after.segments == before.segments
        assert read.new_words(after) == read.new_words(before)
        assert after.text.startswith("Hi Tunde,")  # Priya's own words
        assert "Dr █████ ███ <█████@███████.███> wrote:" in after.text
        assert "██ ███ █ ██████ ████ ██████" in after.text
        assert session.get(RawMessage, after.id) is None


def test_somebody_else_s_files_are_kept_and_their_names_say_nothing_of_them(world: World) -> None:
    world.receive(QUESTION, REPLY, with_a_file())
    forget(world)
    with store.read(world.engine) as session:
        name, kind, data = read.attachment(session, world.messages(session)[2], 1) or ("", "", b"")
    assert (name, kind, data) == ("Letter for █████ ███.bin", "application/octet-stream", FILE)


def test_a_collation_that_quotes_others_quotes_what_their_messages_say_now(world: World) -> None:
    named = mail(
        "Priya Rao <priya@example.org>",
        "Re: Unreturned FIT kits",
        "At our practice we follow what Tunde Ade described in spring, and the kits come back within a week.\n",
        "r7@example.org",
        answers="q1@example.org",
    )
    world.receive(QUESTION, named)
    with store.transaction(world.engine) as session:
        [thread] = session.exec(select(Thread)).all()
        found = collate.current(session, thread.id)
        assert found is not None
        assert "Tunde Ade" in found.content.model_dump_json()
        collate.save(session, thread.id, found.version, found.content, world.member(session, RUTH), NOON)
    forget(world)
    with store.read(world.engine) as session:
        for version in session.exec(select(Collation)).all():
            assert "Tunde" not in version.content.model_dump_json()
            assert "follow what █████ ███ described" in version.content.model_dump_json()
            assert collate.check(session, thread.id, version.content) == []


def test_a_coordinator_is_told_beforehand_what_goes_and_what_stays(world: World) -> None:
    approved(world, NOON, 0)
    world.receive(QUOTING, ALONE)
    with store.read(world.engine) as session:
        tunde = erase.outlook(session, world.member(session, TUNDE).id)
        gwen = erase.outlook(session, world.member(session, GWEN).id)
        [kits, slots] = session.exec(select(Thread).order_by(col(Thread.id))).all()
    assert (tunde.messages, tunde.quoting, tunde.titles_gone, tunde.titles_kept) == (2, 1, (slots.title,), ())
    assert (tunde.by_first_name, tunde.issues) == ((kits.id,), (1,))
    assert gwen.titles_kept == ((kits.id, "Unreturned FIT kits"),)
    said = " ".join(tunde.in_words())
    assert "Their 2 messages, with every quote from them" in said
    assert "1 message of other members that quote them" in said
    assert "“Spare slots in our clinic”" in said
    assert "In 1 thread others call them by their first name" in said
    assert "1 issue that went out" in said


def test_looking_changes_nothing_and_a_member_who_wrote_nothing_leaves_only_a_row(world: World) -> None:
    world.receive(QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        before = everything(session)
        priya = world.member(session, "priya@example.org").id
        assert erase.outlook(session, priya).in_words() == [
            "Their 0 messages, with every quote from them, their name and their addresses: erased for good."
        ]
        assert everything(session) == before
        erase.member(session, priya, None, NOON)
        assert "Priya" not in everything(session)
        assert session.get_one(Member, priya).name == erase.GONE
        assert len(session.exec(select(Message)).all()) == 2


@pytest.mark.parametrize("waiting", [DeliveryStatus.DUE, DeliveryStatus.DEFERRED])
def test_mail_that_waits_for_somebody_who_is_erased_is_not_sent(world: World, waiting: DeliveryStatus) -> None:
    approved(world, NOON, 0)
    with store.transaction(world.engine) as session:
        tunde = world.member(session, TUNDE)
        queue(session, world.settings, "leads", tunde, "sign_in", "x", NOON, link="x", minutes=20)
        for table in (Delivery, Notice):
            for row in session.exec(select(table).where(table.member_id == tunde.id)).all():
                row.status, row.answer = waiting, "450 <tunde@example.org> is busy"
                session.add(row)
        id = tunde.id
    forget(world)
    with store.read(world.engine) as session:
        rows: list[Delivery | Notice] = [*session.exec(select(Delivery).where(Delivery.member_id == id)).all()]
        rows += [*session.exec(select(Notice).where(Notice.member_id == id)).all()]
        said = {(row.status, row.address, row.answer) for row in rows}
    assert len(rows) == 2
    assert said == {(DeliveryStatus.FAILED, f"erased-{id}", "Not sent: the member was erased.")}
