"""Bytes → headers and parts: the stdlib parser with compat32, and our own decoding (policy.default raises on mail).

`parse` never raises. What it had to guess or leave out is said in `Parsed.problems`, as sentences for the coordinator.
"""

import io
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from digest.address import canonical
from digest.message import charset, tnef, wrapping

MAX_BYTES = 60_000_000
MAX_DEPTH = 30
MAX_PARTS = 400
MAX_MAILS = 10  # attached ones that are read
MAX_MAIL_DEPTH = 2  # of mails attached to attached mails
MAX_TEXT = 2_000_000  # bytes of one text part
MAX_HEADER = 60_000  # characters of one header

#: A message id. White space within is that of folding or of a careless gateway; without an @ it would be prose.
_ID = re.compile(r"<([^<>\s]+|[^<>@]{1,250}@[^<>@]{1,250})>")
_PARAM = re.compile(r';\s*([^\s=;*"]+)(?:\*(\d{1,3}))?(\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)', re.S)
_PIPERMAIL = re.compile(r"^(\S+) at (\S+)(?: \((.*)\))?$")  # archives write "ann at example.org (Ann Other)"
_NAMELESS = re.compile(r'[\s<>,;:"()\[\]]+')
_ENCODED = frozenset({"quoted-printable", "base64"})
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the mail: `kind` is "plain" or "html"; `html` is the alternative to a plain text, if there is one."""

    kind: str
    text: str
    flowed: bool = False
    delsp: bool = False
    html: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with the mail; `content` gives its bytes."""

    name: str
    content_type: str
    size: int
    source: Message | bytes | None = None  # the part that holds it, or its bytes; None: they cannot be had


@dataclass(slots=True)
class Parsed:
    """A mail taken apart. Header names are lower case; values are decoded, except in `raw_header`."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    types: list[str] = field(default_factory=list)  # content types of all parts, in order
    content_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)  # of the outermost Content-Type
    mails: list["Parsed"] = field(default_factory=list)  # attached to it, in order: somebody passes them on
    methods: list[str] = field(default_factory=list)  # of text/calendar parts (RFC 5546), upper case
    problems: list[str] = field(default_factory=list)
    unreadable: str = ""

    def get(self, name: str) -> str:
        """The first header called `name` (lower case), decoded; "" when there is none."""
        return next((charset.header(value) for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every header called `name` (lower case), decoded, in order."""
        return [charset.header(value) for key, value in self.headers if key == name]

    def ids(self, name: str) -> tuple[str, ...]:
        """The message ids a header names, without angle brackets, each once, in order (RFC 5322, 3.6.4).

        Of a header that stands there twice, against the standard, the first counts, as it does for mail servers.
        Without brackets, as some gateways write them, ids are read too, but not in In-Reply-To: there old programs put
        the e-mail address of whom they answer, which would make one conversation of all that was ever said to them.
        """
        value = _uncommented(next((value for key, value in self.headers if key == name), ""))
        found = ["".join(i.split()) for i in _ID.findall(value)]
        if not found and name != "in-reply-to":
            found = [word for word in value.split() if word.count("@") == 1 and word[0] not in "\"'("]
        return tuple(dict.fromkeys(clean for i in found if (clean := charset.clean(i))))

    @property
    def sender(self) -> tuple[str, str]:
        """(name, address) of From."""
        raw = next((value for key, value in self.headers if key == "from"), "")
        return mailbox(raw)

    @property
    def sent_at(self) -> datetime | None:
        """Date in UTC; None when it is missing or makes no sense."""
        try:
            when = parsedate_to_datetime(self.get("date"))
            return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            return None

    def say(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)


def _uncommented(value: str) -> str:
    """A header's value without its comments (RFC 5322, 3.2.2), which nest; one that never ends hides nothing."""
    if "(" not in value:
        return value
    kept: list[str] = []
    opened: list[int] = []  # where in `kept` the comments that are open began
    in_id = False
    for character in value:
        if character in "<>" and not opened:
            in_id = character == "<"
        if character == "(" and not in_id:
            opened.append(len(kept))
        kept.append(character)
        if character == ")" and opened:
            del kept[opened.pop() :]
    return "".join(kept)


def mailbox(raw: str) -> tuple[str, str]:
    """(name, address) of one mailbox (RFC 5322, 3.4), the address in lower case; what is not there is ""."""
    text = " ".join(raw.split())
    if match := _PIPERMAIL.match(text):
        return charset.header(match[3] or ""), charset.clean(f"{match[1]}@{match[2]}").lower()
    start, end = text.rfind("<"), text.rfind(">")
    if 0 <= start < end:
        name, address = text[:start], text[start + 1 : end]
    else:
        address = next(iter(addresses(text)), "")
        name = text[text.find("(") + 1 : text.rfind(")")] if "(" in text and text.endswith(")") else ""
    name = charset.header(name).strip().strip("\"'").replace('\\"', '"').strip()
    return name, canonical(charset.clean(charset.undeclared(address)))  # RFC 6532, 3.2 allows UTF-8


def addresses(text: str) -> list[str]:
    """Every address in a header's value, lower case, in order, each once."""
    words = _NAMELESS.split(text)
    return list(dict.fromkeys(w.strip(".'").lower() for w in words if w.count("@") == 1 and 2 < len(w) < 320))


def parameters(raw: str) -> tuple[str, dict[str, str]]:
    """A Content-* header as (value, parameters), both lower case in names; RFC 2231 continuations are put together."""
    value = raw.partition(";")[0].strip().lower()
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, number, star, text in _PARAM.findall(raw[:MAX_HEADER]):
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S)
        pieces.setdefault(name.lower(), {}).setdefault(int(number or 0), (bool(star), text))
    return value, {name: _joined(parts) for name, parts in pieces.items()}


def _joined(parts: dict[int, tuple[bool, str]]) -> str:
    ordered = [parts[n] for n in sorted(parts)]
    if not any(extended for extended, _ in ordered):
        return charset.header("".join(text for _, text in ordered))  # RFC 2047 words do not belong here, yet occur
    label, data = "utf-8", b""
    for index, (extended, text) in enumerate(ordered):
        if extended and index == 0 and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
        plain = text.encode("utf-8", "surrogateescape")
        data += unquote_to_bytes(plain) if extended else plain
    return " ".join(charset.clean(charset.decode(data, label or "utf-8")[0]).split())


def parse(raw: bytes, depth: int = 0) -> Parsed:
    """Take a mail apart. Never raises. `depth`: how many mails it is attached to, one within the other."""
    parsed = Parsed()
    try:
        if len(raw) > MAX_BYTES:
            message: Message = BytesHeaderParser().parsebytes(raw[:1_000_000])
            parsed.unreadable = f"The mail is larger than {MAX_BYTES // 1_000_000} MB, so only its headers were read."
        else:
            message = message_from_bytes(raw)
    except RecursionError:
        message = BytesHeaderParser().parsebytes(raw[:1_000_000])
        parsed.unreadable = "The mail has too many parts inside parts, so only its headers were read."
    parsed.headers = [(str(k).lower(), str(v)[:MAX_HEADER]) for k, v in message.raw_items()]
    if not any(key in {"from", "subject", "date", "to", "message-id"} for key, _ in parsed.headers):
        parsed.unreadable = parsed.unreadable or "This does not look like a mail: it has none of the usual headers."
    parsed.content_type, parsed.params = _content_type(message)
    if not parsed.unreadable or "usual headers" in parsed.unreadable:
        _collect(message, parsed)
        _attached_mails(parsed, depth)
    closed = next((problem for problem in parsed.problems if problem.endswith("could not be opened.")), "")
    if closed and not any(text.text.strip() for text in parsed.texts):
        parsed.unreadable = parsed.unreadable or closed
    return parsed


def _content_type(part: Message) -> tuple[str, dict[str, str]]:
    value, params = parameters(_raw(part, "content-type"))
    # RFC 2045, 5.2: what cannot be read is text/plain
    return (value if value.count("/") == 1 else "text/plain"), params


def _raw(part: Message, name: str) -> str:
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


@dataclass(slots=True)
class _Place:
    """Where the walk stands: how deep, in what kind of multipart, and in which alternative (0: none)."""

    depth: int = 0
    inside: str = ""
    alternative: int = 0


def _collect(message: Message, parsed: Parsed, depth: int = 0) -> None:
    """Walk the parts in order of reading, without recursion but for signed wrappers, which count as a level."""
    stack: list[tuple[Message, _Place]] = [(message, _Place(depth))]
    plain: dict[int, int] = {}  # alternative → index in parsed.texts of its plain text
    while stack:
        part, place = stack.pop()
        if len(parsed.types) >= MAX_PARTS:
            parsed.say(f"The mail has more than {MAX_PARTS} parts; the rest was left out.")
            return
        kind, params = _content_type(part)
        parsed.types.append(kind)
        children = part.get_payload() if part.is_multipart() else None
        if kind.startswith("multipart/") and not isinstance(children, list):
            parsed.say(
                "The mail says that it has several parts, but no boundary of theirs is in it; it was read as text."
            )
            kind = "text/plain"  # RFC 2046, 5.1.1
        if isinstance(children, list) and kind.startswith("multipart/"):
            if place.depth >= MAX_DEPTH:
                parsed.say(f"The mail has parts nested more than {MAX_DEPTH} deep; those were left out.")
                continue
            alternative = len(parsed.types) if kind == "multipart/alternative" else place.alternative
            inner = _Place(place.depth + 1, kind, alternative)
            stack.extend((child, inner) for child in reversed(children) if isinstance(child, Message))
        elif kind in {"message/rfc822", "message/global"}:
            if parsed.content_type != "multipart/report":
                inner_mail = children[0] if isinstance(children, list) and children else None
                subject = charset.header(_raw(inner_mail, "subject")) if isinstance(inner_mail, Message) else ""
                name = _name(part, params) or f"{subject or 'message'}.eml"
                inner_file = File(name, kind, 0, part)
                parsed.files.append(replace(inner_file, size=len(content(inner_file) or b"")))
        elif _readable(kind, place) and not _attached(part, params):
            _read(part, kind, place, plain, parsed)
        else:
            _leaf(part, kind, params, place, parsed)


def _attached_mails(parsed: Parsed, depth: int) -> None:
    """Take the mails apart that are attached to one; those beyond the bounds stay files."""
    found = [file for file in parsed.files if is_mail(file)]
    if depth >= MAX_MAIL_DEPTH:
        return
    for file in found[:MAX_MAILS]:
        inner = parse(content(file) or b"", depth + 1)
        if inner.unreadable:
            parsed.say("A mail that is attached could not be read.")
        else:
            parsed.mails.append(inner)
    if len(found) > MAX_MAILS:
        parsed.say(f"The mail has more than {MAX_MAILS} mails attached; the rest can be opened as files only.")


def is_mail(file: File) -> bool:
    """Whether a file is a mail (RFC 2046, 5.2.1; RFC 6532); some programs know it by its name only."""
    plain = file.content_type in {"application/octet-stream", "text/plain"} and file.name.lower().endswith(".eml")
    return plain or file.content_type in {"message/rfc822", "message/global"}


def _readable(kind: str, place: _Place) -> bool:
    """Whether a part is for reading: outside an alternative also what is nearly plain (RFC 2046, 4.1.4)."""
    return kind in {"text/plain", "text/html"} or (
        place.inside != "multipart/alternative"
        and kind in {"text/enriched", "text/richtext", "text/markdown", "text/x-markdown", "text"}
    )


def _attached(part: Message, params: dict[str, str]) -> bool:
    disposition = parameters(_raw(part, "content-disposition"))[0]
    return disposition == "attachment" or (disposition == "inline" and bool(_name(part, params)))


def _read(part: Message, kind: str, place: _Place, plain: dict[int, int], parsed: Parsed) -> None:
    """Take a text in; the HTML of an alternative goes beside its plain text (RFC 2046, 5.1.4)."""
    if place.inside == "multipart/report" and parsed.texts:
        return
    text = _text(part, parsed)
    beside = plain.get(place.alternative) if place.alternative else None
    if kind == "text/html" and beside is not None:
        parsed.texts[beside] = replace(parsed.texts[beside], html=parsed.texts[beside].html + text.text)
        return
    if kind == "text/plain" and place.alternative:
        plain.setdefault(place.alternative, len(parsed.texts))
    parsed.texts.append(text)


def _leaf(part: Message, kind: str, params: dict[str, str], place: _Place, parsed: Parsed) -> None:
    name = _name(part, params)
    disposition = parameters(_raw(part, "content-disposition"))[0]
    if (kind == "text/calendar" and disposition != "attachment") or (kind == "application/ics" and not name):
        parsed.methods.append(params.get("method", "").upper() or _method(_data(part)))
    elif kind in _SIGNATURES or kind.startswith("message/") or kind == "text/rfc822-headers":
        return
    elif place.inside == "multipart/alternative" and kind.startswith("text/") and disposition != "attachment":
        return  # a form for watches and the like
    elif kind in {"application/ms-tnef", "application/vnd.ms-tnef"} or name.lower() == "winmail.dat":
        _open_tnef(_data(part), parsed)
    elif kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        _open_smime(_data(part), params, place, parsed)
    elif kind == "application/pgp-encrypted" or place.inside == "multipart/encrypted":
        parsed.say("The mail is encrypted (PGP) and could not be opened.")
    elif not (kind.startswith("image/") and _shown(part, disposition, place.inside, parsed)):
        parsed.files.append(File(name or "(without a name)", kind, len(_data(part)), part))


def _shown(part: Message, disposition: str, inside: str, parsed: Parsed) -> bool:
    """A picture that the text shows, or a signature's logo (RFC 2392: referred to by its Content-ID).

    Phones give photos that they attach a Content-ID, too; those no text refers to.
    """
    if disposition == "attachment" or inside == "multipart/related":
        return disposition != "attachment"
    id = _raw(part, "content-id").strip().strip("<>")
    return bool(id) and any(f"cid:{id}" in text.html or f"cid:{id}" in text.text for text in parsed.texts)


def _open_smime(data: bytes, params: dict[str, str], place: _Place, parsed: Parsed) -> None:
    """Read the mail inside a signed wrapper; say so when there is none to be had."""
    inner = wrapping.signed_content(data) if place.depth < MAX_DEPTH else None
    if inner is not None:
        _collect(message_from_bytes(inner), parsed, place.depth + 1)
        return
    signed = params.get("smime-type", "").lower() == "signed-data"
    parsed.say(f"The mail is {'wrapped' if signed else 'encrypted'} (S/MIME) and could not be opened.")


def _text(part: Message, parsed: Parsed) -> Text:
    kind, params = _content_type(part)
    data = _data(part)
    if _raw(part, "content-transfer-encoding").strip().lower() not in _ENCODED:
        data = charset.undeclared_base64(data[: 2 * MAX_TEXT])
    if len(data) > MAX_TEXT:
        data = data[:MAX_TEXT]
        parsed.say(f"The text is longer than {MAX_TEXT // 1_000_000} MB; the rest was left out.")
    text, guess = charset.decode(data, params.get("charset", ""))
    parsed.say(guess)
    text = charset.once(charset.clean(text))
    if _raw(part, "content-transfer-encoding").strip().lower() not in _ENCODED:
        text = charset.residue(text)
    if kind in {"text/enriched", "text/richtext"}:
        text, kind = wrapping.enriched(text), "text/plain"
    elif kind != "text/html":
        kind = "text/plain"
        text, closed = wrapping.unarmoured(text)
        parsed.say(closed)
        text, files = wrapping.uudecoded(text)
        parsed.files += [File(name, "application/octet-stream", len(content), content) for name, content in files]
    flowed = params.get("format", "").lower() == "flowed"
    return Text(kind.removeprefix("text/"), text, flowed, params.get("delsp", "").lower() == "yes")


def _data(part: Message) -> bytes:
    """The part's bytes, transfer encoding undone; as they stand when that fails."""
    if part.is_multipart():
        return b""
    encoding = _raw(part, "content-transfer-encoding").strip().lower()
    # get_payload trips over a strange charset parameter, and we decode ourselves: it need not see it.
    del part["content-type"]
    if encoding == "base64":
        payload = part.get_payload()
        return charset.unbase64(payload.encode("utf-8", "surrogateescape")) if isinstance(payload, str) else b""
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError):
        return b""
    return data if isinstance(data, bytes) else b""


def content(file: File) -> bytes | None:
    """A file's bytes, decoded; None when they cannot be had. A mail inside the mail is written as it came."""
    if not isinstance(file.source, Message):
        return file.source
    if not file.source.is_multipart():
        return _data(file.source)
    inner = file.source.get_payload(0)
    if not isinstance(inner, Message):
        return None
    encoding = _raw(file.source, "content-transfer-encoding").strip().lower()
    if encoding in _ENCODED:  # RFC 2046, 5.2.1 lets nothing be encoded here, so what was parsed is not the mail
        payload = inner.get_payload()
        if encoding != "base64" or inner.keys() or not isinstance(payload, str):
            return None
        return charset.unbase64(payload.encode("utf-8", "surrogateescape"))
    out = io.BytesIO()
    policy = compat32.clone(linesep="\r\n")  # as on the wire
    try:
        BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=policy).flatten(inner)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return None
    return out.getvalue()


def _name(part: Message, params: dict[str, str]) -> str:
    name = parameters(_raw(part, "content-disposition"))[1].get("filename") or params.get("name", "")
    return name.replace("\\", "/").rpartition("/")[2].strip()[:255]


def _method(data: bytes) -> str:
    match = re.search(rb"^METHOD:([A-Za-z]+)", data[:20_000], re.M)
    return match[1].decode().upper() if match else ""


def _open_tnef(data: bytes, parsed: Parsed) -> None:
    found = tnef.attachments(data)
    for name, content in found:
        parsed.files.append(File(name, "application/octet-stream", len(content or b""), content))
    kind, text = tnef.text(data)
    if text and not any(other.text.strip() for other in parsed.texts):
        parsed.texts.append(Text(kind, charset.clean(text)))
    if kind == "rtf":
        parsed.say("The mail's text is Outlook rich text (winmail.dat) that could not be read.")
    elif not found and not text:
        parsed.say("The mail carries an Outlook wrapper (winmail.dat) that could not be opened.")
