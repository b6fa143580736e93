"""Files that came with mail: what they are called on a page, and handing them out without letting them do anything."""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import store
from digest.models import Message
from digest.nouns import HUMAN, MessageStatus
from digest.steps.read import attachment, shown_attachments, withheld
from digest.web import reads
from digest.web.guards import MemberVisit

#: Types that say what a file is and that no browser runs; anything else is just bytes.
HARMLESS = frozenset(
    {
        "application/msword",
        "application/pdf",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "image/gif",
        "image/jpeg",
        "image/png",
        "text/csv",
        "text/plain",
    }
)
LONGEST_NAME = 120  # characters; file systems take 255 bytes

_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')  # in names on Windows, and what would lead out of the folder
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # devices on Windows


@dataclass(frozen=True, slots=True)
class File:
    """A file as a page names it; `href` is "" when it cannot be had."""

    name: str
    href: str


def of(session: Session, message: Message) -> tuple[File, ...]:
    """The files of a message, in order."""
    return tuple(
        File(name, "" if withheld(session, message, number) else f"/message/{message.id}/file/{number}")
        for number, name in enumerate(shown_attachments(session, message), start=1)
    )


def send(visit: MemberVisit) -> Response:
    """One file of a message that this person may read, to be saved and never shown in the page."""
    with store.read(visit.desk.engine) as session:
        message = reads.message(session, visit.member.community_id, visit.request.path_params["message"])
        file = attachment(session, message, visit.request.path_params["number"]) if _open(visit, message) else None
    if file is None:
        raise HTTPException(404, "There is no such file here, or it cannot be shown. Ask whoever sent it.")
    name, content_type, data = file
    return Response(
        data,
        headers={
            "Content-Type": content_type if content_type in HARMLESS else "application/octet-stream",
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )


def _open(visit: MemberVisit, message: Message) -> bool:
    """Whether this person may read the message: members what stands in a thread, coordinators also what waits."""
    if visit.coordinates and message.status is MessageStatus.HELD:
        return True
    return message.status is MessageStatus.ACCEPTED and message.kind in HUMAN and message.thread_id is not None


def disposition(name: str) -> str:
    """The Content-Disposition that saves a file as `name` (RFC 6266), in ASCII and in full (RFC 8187)."""
    name = safe_name(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # Once more: a wide quotation mark, for one, has become the one that ends the name.
    plain = safe_name(f"file{plain}" if plain.startswith(".") else plain).replace("%", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_name(name: str) -> str:
    """A name that any system takes and that shows what it is: no path, no control or turning characters (bidi)."""
    name = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", name))
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) < 10 else ""
        name = name[: LONGEST_NAME - len(ending)].rstrip(". ") + ending
    return f"_{name}" if _RESERVED.match(name) else name or "file"
