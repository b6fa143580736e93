"""Who belongs: the list, one member, and lists that are imported. What cannot be done is said on the page."""

import calendar
from collections.abc import Mapping

from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.responses import Response

from digest import store
from digest.models import Member
from digest.nouns import WEEKDAYS, Naming, Role
from digest.steps import bounces, enrol, erase, notify, review
from digest.steps.enrol import plain_address
from digest.web import reads
from digest.web.files import disposition
from digest.web.guards import MemberVisit

FIELDS = ("name", "email", "alliance", "role", "aliases", "naming")
LARGEST_LIST = 500_000  # bytes
DAYS = {day: calendar.day_name[number] for number, day in enumerate(WEEKDAYS)}


def show(visit: MemberVisit) -> Response:
    """Everybody, by name; with `q`, those it fits."""
    words = visit.request.query_params.get("q", "").strip().lower()
    with store.read(visit.desk.engine) as session:
        everybody = reads.members(session, visit.member.community_id)
        returned = reads.lately_came_back(session, visit.member.community_id)
        left_out = [(m, bounces.why(session, m)) for m, _ in everybody if m.active and m.undeliverable_at]
    found = [
        (person, aliases)
        for person, aliases in everybody
        if all(
            word in " ".join((person.name, person.alliance, person.email, *aliases)).lower() for word in words.split()
        )
    ]
    return visit.page("members", members=found, total=len(everybody), q=words, returned=returned, left_out=left_out)


# --- one member --------------------------------------------------------------------------------------------------


def new(visit: MemberVisit) -> Response:
    """The form for somebody new."""
    return _form(visit, None, {"role": Role.GP, "naming": Naming.FULL})


def create(visit: MemberVisit) -> Response:
    """Add somebody; what they wrote before and waits for their sender is let in."""
    row = {name: visit.field(name) for name in FIELDS}
    try:
        with store.transaction(visit.desk.engine) as session:
            member = enrol.save(session, visit.member.community_id, None, row, visit.member, visit.now)
            review.let_in_known(session, member.community_id, visit.now)
            if visit.field("invite"):
                _invite(session, visit, member)
            member_id = member.id
    except enrol.EnrolError as refused:
        return _form(visit, None, row, str(refused))
    return visit.go(f"/member/{member_id}?done=" + ("invited" if visit.field("invite") else "member_added"))


def one(visit: MemberVisit) -> Response:
    """What is known of a member, what they got, and what was done to them."""
    with store.read(visit.desk.engine) as session:
        member = _member(session, visit)
        return _form(visit, member, _row(session, member))


def change(visit: MemberVisit) -> Response:
    """Change what is known of a member."""
    row = {name: visit.field(name) for name in FIELDS}
    try:
        with store.transaction(visit.desk.engine) as session:
            member = _member(session, visit)
            before = member.email
            enrol.save(session, visit.member.community_id, member, row, visit.member, visit.now)
            if member.email != before:  # what came back came from the old address
                bounces.mend(session, member, visit.member, visit.now)
            review.let_in_known(session, member.community_id, visit.now)
    except enrol.EnrolError as refused:
        with store.read(visit.desk.engine) as session:
            return _form(visit, _member(session, visit), row, str(refused))
    return visit.go(f"/member/{visit.request.path_params['member']}?done=saved")


def invite(visit: MemberVisit) -> Response:
    """Send a member the mail that welcomes them."""
    with store.transaction(visit.desk.engine) as session:
        _invite(session, visit, _member(session, visit))
    return visit.go(f"/member/{visit.request.path_params['member']}?done=invited")


def mend(visit: MemberVisit) -> Response:
    """Send the digest again to somebody whose mail came back; what they missed comes with the next issue."""
    with store.transaction(visit.desk.engine) as session:
        bounces.mend(session, _member(session, visit), visit.member, visit.now)
    return visit.go(f"/member/{visit.request.path_params['member']}?done=mended")


def remove(visit: MemberVisit) -> Response:
    """Let a member no longer take part; it can be undone."""
    return _take_part(visit, False, "removed")


def bring_back(visit: MemberVisit) -> Response:
    """Let a removed member take part again."""
    return _take_part(visit, True, "member_back")


def erase_form(visit: MemberVisit) -> Response:
    """What erasing means, before it is done."""
    with store.read(visit.desk.engine) as session:
        member = _member(session, visit)
        return visit.page("erase", person=member, outlook=erase.outlook(session, member.id))


def erase_for_good(visit: MemberVisit) -> Response:
    """Erase a member, once their name was typed."""
    with store.transaction(visit.desk.engine) as session:
        member = _member(session, visit)
        if visit.field("name").casefold() != member.name.casefold():
            said = "Type the name exactly as it stands here."
            return visit.page("erase", 400, person=member, outlook=erase.outlook(session, member.id), refused=said)
        try:
            enrol.take_part(session, member, False, visit.now, visit.member)
        except enrol.EnrolError as refused:
            outlook = erase.outlook(session, member.id)
            return visit.page("erase", 409, person=member, outlook=outlook, refused=str(refused))
        erase.member(session, member.id, visit.member, visit.now)
    return visit.go("/members?done=erased")


def _take_part(visit: MemberVisit, active: bool, done: str) -> Response:
    try:
        with store.transaction(visit.desk.engine) as session:
            enrol.take_part(session, _member(session, visit), active, visit.now, visit.member)
    except enrol.EnrolError as refused:
        with store.read(visit.desk.engine) as session:
            member = _member(session, visit)
            return _form(visit, member, _row(session, member), str(refused))
    return visit.go(f"/member/{visit.request.path_params['member']}?done={done}")


def _member(session: Session, visit: MemberVisit) -> Member:
    return reads.member(session, visit.member.community_id, visit.request.path_params["member"])


def _row(session: Session, member: Member) -> dict[str, str]:
    aliases = "\n".join(sorted(enrol.aliases_of(session, member.id)))
    return {**{name: str(getattr(member, name)) for name in FIELDS if name != "aliases"}, "aliases": aliases}


def _invite(session: Session, visit: MemberVisit, member: Member) -> None:
    notify.queue(
        session,
        visit.desk.settings,
        visit.community.slug,
        member,
        "welcome",
        f"welcome {visit.now:%Y-%m-%d}",  # pressed twice, sent once; a lost mail can be sent again tomorrow
        visit.now,
        by=visit.member.name,
        link=f"{visit.desk.settings.public_address}/sign-in",
        day=DAYS[visit.community.day],
        stream=plain_address(visit.community.stream_address),
    )


def _form(visit: MemberVisit, member: Member | None, row: Mapping[str, str], refused: str = "") -> Response:
    with store.read(visit.desk.engine) as session:
        community_id = visit.member.community_id
        return visit.page(
            "member",
            409 if refused else 200,
            person=member,
            row=row,
            refused=refused,
            alliances=reads.alliances(session, community_id),
            deliveries=reads.sent_to(session, member) if member else [],
            returned=reads.came_back(session, member) if member else [],
            why=bounces.why(session, member) if member and member.undeliverable_at else "",
            history=reads.history(session, community_id, f"member {member.id}") if member else [],
            written=reads.written(session, member) if member else 0,
            last=reads.last_written(session, member) if member else None,
        )


# --- lists -------------------------------------------------------------------------------------------------------


def list_form(visit: MemberVisit) -> Response:
    """Where a list is given."""
    return visit.page("members_import", columns=enrol.COLUMNS)


def list_now(visit: MemberVisit) -> Response:
    """The members as they are, as a list that can be imported: what an import changed can be changed back with it."""
    with store.read(visit.desk.engine) as session:
        rows = [_row(session, m) for m, _ in reads.members(session, visit.member.community_id) if m.active]
    for row in rows:
        row["aliases"] = row["aliases"].replace("\n", "; ")
    return Response(
        enrol.write_csv(rows).encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition(f"Members {visit.now:%Y-%m-%d}.csv"), "Cache-Control": "no-store"},
    )


def check_list(visit: MemberVisit) -> Response:
    """A dry run: what importing the list would change, and what is wrong with it. Nothing is changed."""
    uploaded = visit.form.get("list")
    text = visit.field("text")
    data = uploaded.file.read(LARGEST_LIST + 1) if isinstance(uploaded, UploadFile) and uploaded.size else text.encode()
    try:
        if not data:
            raise enrol.EnrolError("Choose a file, or paste the list.")
        if len(data) > LARGEST_LIST:
            raise enrol.EnrolError("This file is too large to be a member list.")
        rows = enrol.parse_csv(data)
        with store.read(visit.desk.engine) as session:
            changes, problems = enrol.plan(session, visit.member.community_id, rows)
    except enrol.EnrolError as refused:
        return visit.page("members_import", 400, columns=enrol.COLUMNS, text=text, refused=str(refused))
    return visit.page(
        "members_import",
        columns=enrol.COLUMNS,
        checked=True,
        changes=changes,
        problems=problems,
        rows=rows,
        text=enrol.write_csv(rows),
    )


def take_list(visit: MemberVisit) -> Response:
    """Import the list that was checked."""
    try:
        rows = enrol.parse_csv(visit.field("text").encode())
        with store.transaction(visit.desk.engine) as session:
            enrol.members(session, visit.member.community_id, rows, visit.now, visit.member)
            review.let_in_known(session, visit.member.community_id, visit.now)
    except enrol.EnrolError as refused:  # somebody changed a member meanwhile
        return visit.page("members_import", 409, columns=enrol.COLUMNS, text=visit.field("text"), refused=str(refused))
    return visit.go("/members?done=imported")
