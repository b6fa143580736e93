"""Who belongs: the communities of config.toml, and their members, from a list (CSV) or by hand."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from digest.address import canonical, is_address
from digest.config import Settings
from digest.models import Alias, Community, Member
from digest.nouns import Naming, Role
from digest.steps import note
from digest.steps.withdraw import withdraw

#: The mark that keeps a spreadsheet from reckoning with a cell (OWASP, CSV injection).
_FORMULA = re.compile(r"^'(?=[=+@-])")
COLUMNS = ("email", "name", "alliance", "role", "aliases", "naming")


class EnrolError(Exception):
    """A member list cannot be used; the text is one sentence naming the line."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an import changed."""

    added: int
    changed: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one line of a member list does: `facts` are (what, from, to) in words; nothing is said of what stays."""

    line: int
    email: str
    name: str
    member_id: int | None  # None: somebody new
    facts: tuple[tuple[str, str, str], ...]
    row: Mapping[str, str]


def communities(session: Session, settings: Settings) -> dict[str, int]:
    """Give every community of config.toml its row; slug → id."""
    known = {c.slug: c for c in session.exec(select(Community))}
    for community in settings.community:
        if community.slug not in known:
            known[community.slug] = Community(slug=community.slug)
            session.add(known[community.slug])
    session.flush()
    return {c.slug: known[c.slug].id for c in settings.community}


def find(session: Session, community_id: int, address: str) -> Member | None:
    """The member who writes from `address`, by their main address or an alias; None for anybody else."""
    return who(session, community_id, [address]).get(address)


def who(session: Session, community_id: int, addresses: Collection[str]) -> dict[str, Member]:
    """The members who write from these addresses; an address of nobody's is left out. At most a batch of them."""
    wanted = {address: canonical(address) for address in addresses}
    by_alias = session.exec(
        select(Alias.address, Member)
        .join(Member, col(Alias.member_id) == col(Member.id))
        .where(Alias.community_id == community_id, col(Alias.address).in_(wanted.values()))
    )
    found = dict(by_alias.all())
    for member in session.exec(
        select(Member).where(Member.community_id == community_id, col(Member.email).in_(wanted.values()))
    ):
        found[member.email] = member
    return {address: found[spelt] for address, spelt in wanted.items() if spelt in found}


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a member list in a file; see `parse_csv`."""
    try:
        return parse_csv(path.read_bytes(), str(path))
    except OSError as error:
        raise EnrolError(f"{path} cannot be read ({error.strerror}); check the path and its rights.") from None


def parse_csv(data: bytes, name: str = "The member list") -> list[dict[str, str]]:
    """The rows of a member list with the columns email, name, alliance, role, aliases (`;` between them), naming.

    UTF-8, or Windows-1252, which is what Excel's plain "CSV" is in Britain. Raises EnrolError, which names the list.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        columns = {(column or "").strip().lower(): column for column in reader.fieldnames or ()}
        if not {"email", "name"} <= set(columns):
            raise EnrolError(f"{name}: the first line must name the columns {', '.join(COLUMNS)}.")
        return [
            {key: _FORMULA.sub("", (row[columns[key]] or "").strip()) for key in COLUMNS if key in columns}
            for row in reader
            if any(value and (value if isinstance(value, str) else "".join(value)).strip() for value in row.values())
        ]
    except csv.Error as error:
        raise EnrolError(f"{name} cannot be read as a member list: {error}.") from None


def write_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """The rows of a member list as `parse_csv` reads them, and as no spreadsheet takes them for formulas."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"'{v}" if v.startswith(("=", "+", "-", "@")) else v for k, v in row.items()} for row in rows)
    return out.getvalue()


def plan(session: Session, community_id: int, rows: Iterable[Mapping[str, str]]) -> tuple[list[Change], list[str]]:
    """What importing `rows` would change, and what is wrong with them, in sentences that name the line."""
    changes, problems = [], []
    claimed: dict[str, int] = {}
    reviewing = {m.id for m in coordinators(session, community_id)}
    had = bool(reviewing)
    for line, row in enumerate(rows, start=2):
        try:
            facts, aliases = _wanted(row)
            email = str(facts["email"])
            member = _named(session, community_id, email)
            _free(session, community_id, {email, *aliases}, member)
            for address in {email, *aliases}:
                if address in claimed:
                    raise EnrolError(f"{address} stands in line {claimed[address]} too.")
            claimed.update(dict.fromkeys({email, *aliases}, line))
        except EnrolError as wrong:
            problems.append(f"Line {line} of the member list: {wrong}")
            continue
        said = [
            (what, str(getattr(member, what, "")) if member else "", str(value))
            for what, value in facts.items()
            if what != "email" and (str(value) if member is None else getattr(member, what) != value)
        ]
        known = set(aliases_of(session, member.id)) if member else set()
        said += [("alias", "", address) for address in sorted(aliases - known - {email})]
        if member is not None:
            (reviewing.add if facts["role"] is Role.COORDINATOR else reviewing.discard)(member.id)
        elif facts["role"] is Role.COORDINATOR:
            reviewing.add(-line)
        if member is None or said:
            known_as = member.id if member else None
            changes.append(Change(line, email, str(facts["name"]), known_as, tuple(said), row))
    if had and not reviewing:
        problems.append("After this list nobody would be a coordinator; leave somebody the role.")
    return changes, problems


def members(
    session: Session, community_id: int, rows: Iterable[Mapping[str, str]], now: datetime, by: Member | None = None
) -> Enrolment:
    """Add or update members by their main address. Nobody is removed: that is a person's decision, one at a time.

    Raises EnrolError, with the first of what is wrong, and changes nothing then.
    """
    changes, problems = plan(session, community_id, rows)
    if problems:
        raise EnrolError(problems[0])
    for change in changes:
        facts, aliases = _wanted(change.row)
        member = session.get(Member, change.member_id) if change.member_id else None
        member = _write(session, community_id, member, facts, now)
        kept = set(aliases_of(session, member.id))
        _set_aliases(session, member, kept | aliases)
    added = sum(change.member_id is None for change in changes)
    done = Enrolment(added, len(changes) - added)
    if changes:
        said = f"imported members: {done.added} added, {done.changed} changed"
        note(session, community_id, by, said, "members", now)
    return done


def save(
    session: Session, community_id: int, member: Member | None, row: Mapping[str, str], by: Member, now: datetime
) -> Member:
    """Add somebody, or change what is known of `member`, by hand: `row` says all of it, aliases too.

    A changed main address stays an alias, so that mail from it is still theirs. Raises EnrolError, one sentence.
    """
    facts, aliases = _wanted(row)
    _free(session, community_id, {str(facts["email"]), *aliases}, member)
    if member is not None and facts["role"] is not Role.COORDINATOR:
        _leaves_a_coordinator(session, member)
    if member is not None and member.email != facts["email"]:
        aliases |= {member.email}
    new = member is None
    member = _write(session, community_id, member, facts, now)
    _set_aliases(session, member, aliases)
    note(session, community_id, by, "added a member" if new else "changed a member", f"member {member.id}", now)
    return member


def _wanted(row: Mapping[str, str]) -> tuple[dict[str, Any], set[str]]:
    """A row's facts and its aliases; raises EnrolError, one sentence."""
    email = canonical(row.get("email", ""))
    if not is_address(email):
        raise EnrolError("Give one email address, like name@example.org.")
    if not row.get("name", "").strip():
        raise EnrolError("Give a name.")
    facts: dict[str, Any] = {"email": email, "name": row["name"].strip(), "alliance": row.get("alliance", "").strip()}
    try:
        facts["role"] = Role((row.get("role") or "gp").lower())
    except ValueError:
        raise EnrolError(f"{row['role']!r} is no role; use gp, staff or coordinator.") from None
    if naming := row.get("naming"):  # left out, the member's wish stays what it was
        try:
            facts["naming"] = Naming(naming)
        except ValueError:
            raise EnrolError(f"{naming!r} is no way to be named; use {', '.join(Naming)}.") from None
    aliases = {canonical(alias) for alias in re.split(r"[;,\s]+", row.get("aliases", "")) if alias.strip()}
    for alias in sorted(aliases):
        if not is_address(alias):
            raise EnrolError(f"{alias!r} is no email address.")
    return facts, aliases - {email}


def _free(session: Session, community_id: int, addresses: set[str], member: Member | None) -> None:
    for address in sorted(addresses):
        other = find(session, community_id, address)
        if other is not None and (member is None or other.id != member.id):
            raise EnrolError(f"{address} belongs to another member.")


def _named(session: Session, community_id: int, email: str) -> Member | None:
    return session.exec(select(Member).where(Member.community_id == community_id, Member.email == email)).first()


def _write(
    session: Session, community_id: int, member: Member | None, facts: Mapping[str, Any], now: datetime
) -> Member:
    if member is None:
        member = Member(community_id=community_id, created_at=now, had_until=now, **facts)
    else:
        member.sqlmodel_update(dict(facts))
    session.add(member)
    session.flush()
    return member


def aliases_of(session: Session, member_id: int) -> list[str]:
    """The other addresses a member writes from, in order."""
    return sorted(session.exec(select(Alias.address).where(Alias.member_id == member_id)))


def _set_aliases(session: Session, member: Member, aliases: set[str]) -> None:
    """Make the other addresses of `member` these."""
    for row in session.exec(select(Alias).where(Alias.member_id == member.id)).all():
        if row.address not in aliases or row.address == member.email:
            session.delete(row)
        aliases = aliases - {row.address}
    for address in sorted(aliases - {member.email}):
        session.add(Alias(community_id=member.community_id, member_id=member.id, address=address))
    session.flush()


def coordinators(session: Session, community_id: int) -> list[Member]:
    """Those who review: every active coordinator."""
    return list(
        session.exec(
            select(Member).where(
                Member.community_id == community_id, Member.role == Role.COORDINATOR, col(Member.active).is_(True)
            )
        )
    )


def _leaves_a_coordinator(session: Session, member: Member) -> None:
    if {m.id for m in coordinators(session, member.community_id)} == {member.id}:
        raise EnrolError(f"{member.name} is the only coordinator; make somebody else one first.")


def take_part(session: Session, member: Member, active: bool, now: datetime, by: Member | None = None) -> None:
    """Let a member take part, or no longer: who does not gets no digest, cannot sign in, and their mail is held.

    Raises EnrolError when nobody would be left to coordinate.
    """
    if member.active is active:
        return
    if active:
        member.had_until, member.taken_back = now, []  # what went out meanwhile was not for them
    else:
        _leaves_a_coordinator(session, member)
        withdraw(session, member)
    member.active = active
    session.add(member)
    note(session, member.community_id, by, "brought back" if active else "removed", f"member {member.id}", now)


def plain_address(text: str) -> str:
    """The bare, lower-case address in "Name <address>"."""
    return parseaddr(text)[1].lower()
