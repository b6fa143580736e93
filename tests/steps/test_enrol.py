"""Member lists and members by hand."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from digest import store
from digest.models import Alias, Member
from digest.nouns import Naming, Role
from digest.steps import deliver, enrol
from tests.steps.test_publish import MONDAY, approve, tick
from tests.steps.world import NOON, QUESTION, REPLY, World


def person(session: Session, world: World, email: str) -> Member:
    found = enrol.find(session, world.community_id, email)
    assert found is not None
    return found


def test_a_list_is_read_as_utf_8_and_as_excel_saves_it_in_britain() -> None:
    text = "Email, Name \nzoe@example.org,Zoë\n,\n"
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("cp1252")):
        assert enrol.parse_csv(data) == [{"email": "zoe@example.org", "name": "Zoë"}]


def test_a_list_written_is_a_list_read() -> None:
    rows = [{"email": "zoe@example.org", "name": 'Zoe "Z", Dr', "aliases": "z@example.org;y@example.org"}]
    [read] = enrol.parse_csv(enrol.write_csv(rows).encode())
    assert {key: value for key, value in read.items() if value} == rows[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"email": "zoe", "name": "Zoe"}], ["Line 2 of the member list: Give one email address"]),
        ([{"email": "zoe@example.org", "name": " "}], ["Line 2 of the member list: Give a name."]),
        ([{"email": "zoe@example.org", "name": "Z", "role": "boss"}], ["'boss' is no role; use gp, staff"]),
        ([{"email": "zoe@example.org", "name": "Z", "naming": "Zed"}], ["'Zed' is no way to be named"]),
        ([{"email": "zoe@example.org", "name": "Z", "aliases": "zed"}], ["'zed' is no email address."]),
        (
            [{"email": "zoe@example.org", "name": "Z", "aliases": "gwen@example.org"}],
            ["gwen@example.org belongs to another member."],
        ),
        (
            [{"email": "zoe@example.org", "name": "Z"}, {"email": "ZOE@example.org", "name": "Zoe"}],
            ["Line 3 of the member list: zoe@example.org stands in line 2 too."],
        ),
        (
            [{"email": "ruth@charity.example.org", "name": "Ruth", "role": "staff"}],
            ["After this list nobody would be a coordinator"],
        ),
        (
            [{"email": "a", "name": "A"}, {"email": "b@example.org", "name": ""}],
            ["Line 2 of the member list: Give one", "Line 3 of the member list: Give a name."],
        ),
    ],
)
def test_everything_wrong_with_a_list_is_said_with_its_line_and_nothing_is_changed(
    world: World, rows: list[dict[str, str]], said: list[str]
) -> None:
    with store.read(world.engine) as session:
        _, problems = enrol.plan(session, world.community_id, rows)
    assert len(problems) == len(said)
    for problem, words in zip(problems, said, strict=True):
        assert words in problem
    with store.transaction(world.engine) as session:
        before = len(session.exec(select(Member)).all())
        with pytest.raises(enrol.EnrolError):
            enrol.members(session, world.community_id, rows, NOON)
        assert len(session.exec(select(Member)).all()) == before


def test_a_dry_run_says_just_what_the_import_then_does(world: World) -> None:
    rows = [
        {"email": "gwen@example.org", "name": "Gwen Price", "alliance": "Elsewhere", "aliases": "g@example.net"},
        {"email": "zoe@example.org", "name": "Zoe", "alliance": "Peninsula"},
    ]
    with store.transaction(world.engine) as session:
        old = person(session, world, "gwen@example.org")
        was = (old.name, old.alliance)
        changes, problems = enrol.plan(session, world.community_id, rows)
        assert problems == []
        gwen, zoe = changes
        assert gwen.member_id == old.id
        assert ("alliance", was[1], "Elsewhere") in gwen.facts
        assert ("alias", "", "g@example.net") in gwen.facts
        assert zoe.member_id is None
        assert (old.name, old.alliance) == was, "nothing is changed by looking"
        done = enrol.members(session, world.community_id, rows, NOON)
        assert (done.added, done.changed) == (1, 1)
        assert person(session, world, "g@example.net").alliance == "Elsewhere"
        assert enrol.plan(session, world.community_id, rows) == ([], [])


def test_a_changed_address_stays_an_alias_and_an_alias_left_out_goes(world: World) -> None:
    with store.transaction(world.engine) as session:
        ruth, gwen = person(session, world, "ruth@charity.example.org"), person(session, world, "gwen@example.org")
        row = {"email": "gwen.price@example.net", "name": "Gwen", "aliases": "one@example.net, two@example.net"}
        enrol.save(session, world.community_id, gwen, row, ruth, NOON)
        assert enrol.aliases_of(session, gwen.id) == ["gwen@example.org", "one@example.net", "two@example.net"]
        enrol.save(session, world.community_id, gwen, {**row, "aliases": "one@example.net"}, ruth, NOON)
        assert enrol.aliases_of(session, gwen.id) == ["one@example.net"]
        enrol.save(session, world.community_id, gwen, {**row, "email": "one@example.net", "aliases": ""}, ruth, NOON)
        assert gwen.email == "one@example.net"
        assert [a.address for a in session.exec(select(Alias).where(Alias.member_id == gwen.id))] == [
            "gwen.price@example.net"
        ]


def test_the_only_coordinator_can_neither_be_removed_nor_lose_the_role(world: World) -> None:
    with store.transaction(world.engine) as session:
        ruth, gwen = person(session, world, "ruth@charity.example.org"), person(session, world, "gwen@example.org")
        with pytest.raises(enrol.EnrolError, match="is the only coordinator; make somebody else one first"):
            enrol.take_part(session, ruth, False, NOON, ruth)
        row = {"email": ruth.email, "name": ruth.name, "role": "gp"}
        with pytest.raises(enrol.EnrolError, match="is the only coordinator"):
            enrol.save(session, world.community_id, ruth, row, ruth, NOON)
        enrol.save(
            session, world.community_id, gwen, {"email": gwen.email, "name": "Gwen", "role": "coordinator"}, ruth, NOON
        )
        enrol.take_part(session, ruth, False, NOON, gwen)
        assert not ruth.active


def test_a_wish_how_to_be_named_outlives_a_list_that_says_nothing_of_it(world: World) -> None:
    with store.transaction(world.engine) as session:
        ruth, gwen = person(session, world, "ruth@charity.example.org"), person(session, world, "gwen@example.org")
        row = {"email": gwen.email, "name": "Gwen", "naming": "alliance only"}
        enrol.save(session, world.community_id, gwen, row, ruth, NOON)
        enrol.members(session, world.community_id, [{"email": gwen.email, "name": "Gwen P"}], NOON)
        assert (gwen.naming, gwen.name, gwen.role) == (Naming.ALLIANCE, "Gwen P", Role.GP)


def test_a_member_with_an_address_beyond_ascii_writes_and_gets_the_digest(world: World) -> None:
    with store.transaction(world.engine) as session:
        rows = [{"email": "Siân@Bücher.example", "name": "Dr Siân Hughes"}]
        enrol.members(session, world.community_id, rows, NOON)
        member = world.member(session, "siân@xn--bcher-kva.example")
    raw = QUESTION.replace(b"Gwen Pryce <gwen@example.org>", "Siân Hughes <siân@bücher.example>".encode())
    world.receive(raw, REPLY)
    with store.read(world.engine) as session:
        assert world.messages(session)[0].member_id == member.id
    tick(world, NOON)
    tick(world, MONDAY - timedelta(hours=24))
    approve(world, MONDAY - timedelta(hours=2))
    tick(world, MONDAY)
    with store.transaction(world.engine) as session:
        claims = deliver.claim(session, world.settings, MONDAY, 100)
        posted = [mail for _, mail in deliver.mails(session, world.settings, claims, {}, MONDAY)]
    [theirs] = [mail for mail in posted if mail.recipient == member.email]
    assert "\r\nTo: =?utf-8?q?Dr_Si=C3=A2n_Hughes?= <siân@xn--bcher-kva.example>\r\n".encode() in theirs.wire
