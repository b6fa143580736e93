"""What one mail is: parse → body (HTML → text) → reply (new text) → kind → privacy. Pure; mail never makes it raise.

`understand` is the room's front door. It is a function of bytes and of what the community is (`Ours`), so it runs in
worker processes; what needs the stored messages (threads, duplicates, question or reply) is decided by `steps.file`.
`attachment` opens one file of a mail.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from digest.message import body, gate, kind, links, privacy, reply, sender
from digest.message.html import Line
from digest.message.parse import Parsed, addresses, content, mailbox, parse
from digest.nouns import Hit, Kind, Segment, SegmentRole


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the core needs to know them. Addresses are lower case."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the community is: its addresses (lower case) and its members."""

    stream_address: str
    digest_address: str
    people: tuple[Person, ...] = ()

    def __hash__(self) -> int:  # what is known of a community is looked up with every mail; it may have thousands
        return hash((self.stream_address, self.digest_address, len(self.people)))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail. Inline pictures that the text shows, and signature logos, are not attachments."""

    name: str
    content_type: str
    size: int  # bytes, decoded


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of one mail. Message ids have no angle brackets; addresses are lower case; times are UTC."""

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    thread_index: str
    thread_topic: str
    subject: str
    sent_at: datetime | None
    from_name: str
    from_address: str
    recipients: tuple[str, ...]  # To and Cc
    kind: Kind | None  # when the mail settles it by itself; None: a person wrote it, see purpose.by_a_person
    kind_reason: str
    spoof: str  # why the sender may not be who it says; "" when nothing speaks against it
    text: str
    segments: tuple[Segment, ...]
    links: tuple[str, ...]  # in the author's own part, unwrapped, in order
    attachments: tuple[Attachment, ...]
    hits: tuple[Hit, ...]
    problems: tuple[str, ...]  # what had to be guessed or left out, as sentences for the coordinator
    unreadable: str  # why nothing could be made of it; "" when something could


#: What programs write (a list's server, too), or what repeats what members wrote: nothing in it is new.
_NOBODYS = frozenset({Kind.BOUNCE, Kind.RECEIPT, Kind.RECALL, Kind.ADMIN})


def understand(raw: bytes, ours: Ours) -> Understood:
    """What one mail is. Never raises, whatever the bytes; the time is linear in their number."""
    parsed = sender.unmunged(parse(raw), ours.stream_address)
    from_name, from_address = parsed.sender
    subject = parsed.get("subject")
    raw_lines, wrapped = body.lines(parsed)
    context = reply.Context(_author(from_name, from_address, ours), subject, ours.stream_address)
    lines, roles, left = _stripped(raw_lines, wrapped, context)
    texts = [line.text for line in lines]
    text, segments = "\n".join(texts), reply.spans(texts, roles)
    new_text = reply.new_text(text, segments)

    recipients = tuple(
        dict.fromkeys(a for name in ("to", "cc") for value in parsed.all(name) for a in addresses(value))
    )
    spoof = sender.spoofed(parsed, _people(ours), via_list=_via_list(parsed, ours.stream_address))
    member = any(from_address in person.addresses for person in ours.people)
    settled, reason = kind.by_machine(
        parsed,
        new_text,
        digest_address=ours.digest_address,
        stream_address=ours.stream_address,
        member=member,
        spoof=spoof,
    )
    if settled in _NOBODYS:
        roles = [SegmentRole.QUOTE] * len(roles)
        segments = reply.spans(texts, roles)
    if not text.strip():
        parsed.say("The mail has no text.")
    if not left and settled is None:
        parsed.say("Next to nothing was left without quotes and signature, so the whole text is shown as new.")
    message_id = next(iter(parsed.ids("message-id")), "")
    if not message_id:
        parsed.say("The mail has no Message-ID, so replies to it can be matched by subject only.")
    sent_at = parsed.sent_at
    if sent_at is None:
        parsed.say("The mail has no date that could be read.")
    known = _members(ours).also([from_name, *_correspondents(parsed)], [from_address])
    hits = gate.hits(parsed, text, segments, subject, known)
    return Understood(
        message_id=message_id,
        in_reply_to=parsed.ids("in-reply-to"),
        references=parsed.ids("references"),
        thread_index=parsed.get("thread-index"),
        thread_topic=parsed.get("thread-topic"),
        subject=subject,
        sent_at=sent_at,
        from_name=from_name,
        from_address=from_address,
        recipients=recipients,
        kind=settled,
        kind_reason=reason,
        spoof=spoof,
        text=text,
        segments=segments,
        links=_links(lines, roles),
        attachments=tuple(Attachment(f.name, f.content_type, f.size) for f in parsed.files),
        hits=hits,
        problems=tuple(parsed.problems),
        unreadable=parsed.unreadable,
    )


def attachment(raw: bytes, number: int) -> tuple[str, str, bytes] | None:
    """(name, content type, bytes) of a mail's `number`th attachment, from 1, in the order of `Understood.attachments`.

    None when there is none, or when its bytes cannot be had. Never raises.
    """
    files = parse(raw).files
    found = content(files[number - 1]) if 0 < number <= len(files) else None
    return (files[number - 1].name, files[number - 1].content_type, found) if found is not None else None


def _via_list(parsed: Parsed, stream: str) -> bool:
    """Whether a mail came through the stream's list: List-Id and List-Post (RFC 2919, RFC 2369) or Sender name it.

    LISTSERV writes no List-Id; it puts the list, or its owner's address, into Sender.
    """
    name, _, domain = stream.partition("@")
    _, sent_by = mailbox(parsed.get("sender").lower())
    if name and sent_by in {stream, f"owner-{stream}", f"{name}-request@{domain}"}:
        return True
    said = f"{parsed.get('list-id')} {parsed.get('list-post')}".lower()
    return bool(parsed.get("list-id")) and (f"{name}.{domain}" in said or stream in said or not stream)


@lru_cache(maxsize=16)
def _people(ours: Ours) -> tuple[tuple[frozenset[str], tuple[str, ...]], ...]:
    return tuple((sender.name_words(person.name), person.addresses) for person in ours.people)


@lru_cache(maxsize=16)
def _members(ours: Ours) -> privacy.Known:
    addresses = (address for person in ours.people for address in person.addresses)
    return privacy.Known.of((p.name for p in ours.people), [ours.stream_address, ours.digest_address, *addresses])


def _author(name: str, address: str, ours: Ours) -> str:
    """Everything a signature's name may be made of: a shared or misnamed mailbox is signed by the member who wrote."""
    members = (person.name for person in ours.people if address in person.addresses)
    return " ".join([name, *members, re.sub(r"[\W\d_]+", " ", address.partition("@")[0])])


def _stripped(raw: list[Line], wrapped: bool, context: reply.Context) -> tuple[list[Line], list[SegmentRole], bool]:
    """Lines with their roles, the author's soft wraps undone; and whether stripping left something."""
    texts = [line.text for line in raw]
    roles, left = reply.roles(texts, context, [line.tint for line in raw])
    groups = reply.reflow(texts, roles) if wrapped else [(i, i + 1) for i in range(len(raw))]
    lines = [
        Line(
            " ".join(texts[i].strip() if i > a else texts[i].rstrip() for i in range(a, b)),
            tuple(t for i in range(a, b) for t in raw[i].links),
        )
        if b - a > 1
        else raw[a]
        for a, b in groups
    ]
    return lines, [roles[a] for a, _ in groups], left


def _links(lines: list[Line], roles: list[SegmentRole]) -> tuple[str, ...]:
    """Web addresses in the author's own lines, each once."""
    found: list[str] = []
    for line, role in zip(lines, roles, strict=True):
        if role is SegmentRole.NEW:
            found += [links.unwrap(line.text[a:b]) for a, b in links.find(line.text)]
            found += line.links
    return tuple(dict.fromkeys(found))


def _correspondents(parsed: Parsed) -> list[str]:
    """People the headers name, each by themselves: they are correspondents, not patients."""
    return [
        mailbox.partition("<")[0]
        for name in ("to", "cc", "reply-to")
        for value in parsed.all(name)
        for mailbox in value.split(">")
    ]
