"""Who belongs: the communities of config.toml and the members of a list (CSV)."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from digest.config import Settings
from digest.models import Alias, Community, Member
from digest.nouns import Naming, Role
from digest.steps import note

COLUMNS = ("email", "name", "alliance", "role", "aliases", "naming")


class EnrolError(Exception):
    """A member list cannot be used; the text is one sentence naming the line."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an import changed."""

    added: int
    changed: int


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
    address = address.lower()
    member = session.exec(select(Member).where(Member.community_id == community_id, Member.email == address)).first()
    if member is not None:
        return member
    return session.exec(
        select(Member)
        .join(Alias, Alias.member_id == Member.id)  # type: ignore[arg-type]
        .where(Alias.community_id == community_id, Alias.address == address)
    ).first()


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a member list with the columns email, name, alliance, role, aliases (`;` between them), naming."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"email", "name"} - set(reader.fieldnames or ())
            if missing:
                raise EnrolError(f"{path}: the first line must name the columns {', '.join(COLUMNS)}.")
            return [{k: (v or "").strip() for k, v in row.items() if k in COLUMNS} for row in reader]
    except OSError as error:
        raise EnrolError(f"{path} cannot be read ({error.strerror}); check the path and its rights.") from None
    except UnicodeDecodeError:
        raise EnrolError(f"{path} is not UTF-8; save the member list as “CSV UTF-8” and try again.") from None
    except csv.Error as error:
        raise EnrolError(f"{path} cannot be read as a member list: {error}.") from None


def members(session: Session, community_id: int, rows: Iterable[Mapping[str, str]], now: datetime) -> Enrolment:
    """Add or update members by their main address. Nobody is removed: that is a person's decision, one at a time."""
    added = changed = 0
    for number, row in enumerate(rows, start=2):
        email = row["email"].lower()
        if not is_address(email) or not row["name"]:
            raise EnrolError(f"Line {number} of the member list needs a name and one e-mail address.")
        try:
            role = Role(row.get("role") or "gp")
        except ValueError:
            raise EnrolError(
                f"Line {number} of the member list has the role {row['role']!r}; use gp, staff or coordinator."
            ) from None
        aliases = {a.strip().lower() for a in row.get("aliases", "").split(";") if a.strip()}
        for address in {email, *aliases}:
            other = find(session, community_id, address)
            if other is not None and other.email != email:
                raise EnrolError(f"Line {number} of the member list uses {address}, which belongs to another member.")
        member = session.exec(select(Member).where(Member.community_id == community_id, Member.email == email)).first()
        facts: dict[str, Any] = {"name": row["name"], "alliance": row.get("alliance", ""), "role": role}
        if naming := row.get("naming"):  # left out, the member's wish stays what it was
            try:
                facts["naming"] = Naming(naming)
            except ValueError:
                raise EnrolError(
                    f"Line {number} of the member list has the naming {naming!r}; use {', '.join(Naming)}."
                ) from None
        if member is None:
            member = Member(community_id=community_id, email=email, created_at=now, **facts)
            session.add(member)
            session.flush()
            added += 1
        elif any(getattr(member, key) != value for key, value in facts.items()):
            member.sqlmodel_update(facts)
            changed += 1
        known = set(session.exec(select(Alias.address).where(Alias.member_id == member.id)))
        session.add_all(
            Alias(community_id=community_id, member_id=member.id, address=a) for a in sorted(aliases - known - {email})
        )
        session.flush()
    if added or changed:
        note(session, community_id, None, f"imported members: {added} added, {changed} changed", "members", now)
    return Enrolment(added, changed)


def take_part(session: Session, member: Member, active: bool, now: datetime) -> None:
    """Let a member take part, or no longer: who does not gets no digest, cannot sign in, and their mail is held."""
    if member.active is not active:
        member.active = active
        session.add(member)
        note(session, member.community_id, None, "came back" if active else "left", f"member {member.id}", now)


def is_address(text: str) -> bool:
    """Whether mail can be sent to `text`: one @ and plain characters (addresses beyond ASCII need RFC 6531)."""
    local, at, domain = text.partition("@")
    return (
        bool(at and local and domain)
        and "@" not in domain
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


def plain_address(text: str) -> str:
    """The bare, lower-case address in "Name <address>"."""
    return parseaddr(text)[1].lower()
