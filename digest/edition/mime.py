"""Mail as bytes, written here so that nothing re-folds or re-encodes it: headers, quoted-printable, multipart. Pure.

Lines end in CRLF and everything is 7-bit, so that no server between us and the reader has to change a byte.
"""

import re
from binascii import b2a_qp
from collections.abc import Sequence
from email.header import Header
from email.utils import formataddr

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NEWLINE = re.compile(r"\r\n?")

CRLF = "\r\n"
SOFT = "=\r\n"  # RFC 2045, 6.7: the line goes on


def header(name: str, value: str) -> str:
    """A structured header, verbatim on one line: no folding for a reader to undo (RFC 5322, 2.1.1 allows 998 octets).

    Raises ValueError for what cannot stand in one. Beyond ASCII are addresses alone, and so their header (RFC 6532).
    """
    line = f"{name}: {value}{CRLF}"
    if _CONTROL.search(value) or not (line.isascii() or name == "To") or len(line.encode()) > 1000:
        raise ValueError(f"the header {name} cannot be written on one plain line")
    return line


def unstructured(name: str, text: str) -> str:
    """A header of free text, such as Subject: folded at 76 characters, in encoded words (RFC 2047) where it must."""
    text = one_line(text)
    charset = "us-ascii" if text.isascii() else "utf-8"
    value = Header(text, charset, maxlinelen=76, header_name=name).encode(linesep=CRLF)
    return f"{name}: {value}{CRLF}"


def mailbox(name: str, address: str) -> str:
    """`Name <address>` for a header: the name in ASCII, the address as it is."""
    name = one_line(name)
    if not name:
        return address
    if not name.isascii():
        return f"{Header(name, 'utf-8', maxlinelen=75).encode(linesep='')} <{address}>"
    return f"{formataddr((name, '@')).removesuffix('<@>')}<{address}>"


def one_line(text: str) -> str:
    """Text for a header: line breaks and control characters become spaces, so that none starts another header."""
    return " ".join(_CONTROL.sub(" ", text).split())


def quoted_printable(text: str) -> str:
    """Text as quoted-printable UTF-8 (RFC 2045, 6.7), each line at most 76 characters and its last at most 75."""
    encoded = b2a_qp(_NEWLINE.sub("\n", text).encode(), istext=True).decode("ascii")
    last = encoded[encoded.rfind("\n") + 1 :]
    if len(last) > 75:  # leave room for the soft line break that a recipient's own words need
        keep = 3 if last[-3] == "=" else 1  # an escape such as =C3 is not torn
        encoded = f"{encoded[:-keep]}=\n{encoded[-keep:]}"
    return encoded.replace("\n", CRLF)


def alternative(boundary: str, text: Sequence[str], html: Sequence[str]) -> tuple[str, ...]:
    """A multipart/alternative entity (RFC 2046, 5.1.4), its headers from Content-Type on, of a text and an HTML part.

    Both parts are cut: even places are literal, odd places name what is put in later, which must be quoted-printable
    itself. Soft line breaks around it keep every line short.
    """
    body = [header("Content-Type", f'multipart/alternative; boundary="{boundary}"') + CRLF]
    for subtype, pieces in (("plain", text), ("html", html)):
        body[-1] += f"--{boundary}{CRLF}"
        body[-1] += header("Content-Type", f"text/{subtype}; charset=utf-8")
        body[-1] += header("Content-Transfer-Encoding", "quoted-printable") + CRLF
        for place, piece in enumerate(pieces):
            if place % 2:
                body[-1] += SOFT
                body += [piece, SOFT]
            else:
                body[-1] += quoted_printable(piece)
        body[-1] += CRLF
    body[-1] += f"--{boundary}--{CRLF}"
    return tuple(body)


def calendar(name: str, file: str) -> str:
    """A calendar (RFC 5545, as text) as an attached entity called `name`, with its headers."""
    return (
        header("Content-Type", "text/calendar; charset=utf-8; method=PUBLISH")  # RFC 6047, 2.4
        + header("Content-Disposition", f'attachment; filename="{name}"')
        + header("Content-Transfer-Encoding", "quoted-printable")
        + CRLF
        + quoted_printable(file)
    )


def mixed(boundary: str, body: Sequence[str], attached: str) -> tuple[str, ...]:
    """A multipart/mixed entity (RFC 2046, 5.1.3) of a body, cut as `alternative` cuts it, and an attachment."""
    outer = f"mixed.{boundary}"  # not the inner one with something behind it: readers look at how a line begins
    opened = header("Content-Type", f'multipart/mixed; boundary="{outer}"') + CRLF + f"--{outer}{CRLF}"
    closed = f"--{outer}{CRLF}{attached}{CRLF}--{outer}--{CRLF}"
    pieces = [*body]
    pieces[0] = opened + pieces[0]
    pieces[-1] += closed
    return tuple(pieces)
