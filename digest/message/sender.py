"""Who wrote a mail, also where a list put itself in their place, and whether they are who it says."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace

from digest.message.parse import Parsed, mailbox

_VIA = re.compile(r"\s+via\s.{1,200}$", re.I | re.S)


def unmunged(parsed: Parsed, stream: str) -> Parsed:
    """The mail with its author in From, where the list put its own address there.

    Lists do so for authors whose domain asks others to refuse what it did not send itself (RFC 7960, 4.1.3.1), as
    NHSmail's does. The author then stands in X-Original-From (Google), in Reply-To or Cc (Mailman, Sympa), or as
    "user=domain" before the list's @ (groups.io). LISTSERV makes up an address of its own, "…-dmarc-request", and says
    the author's in Reply-To. `stream`: the list's address.
    """
    name, address = parsed.sender
    local, _, host = address.rpartition("@")
    made_up = "=" in local or local.endswith("-dmarc-request")
    if not stream or host != stream.rpartition("@")[2] or (address != stream and not made_up):
        return parsed
    plain = _VIA.sub("", name).strip("'\" ")
    others = [
        (said, found)
        for key in ("x-original-from", "reply-to", "cc")
        for said, found in map(mailbox, re.split(r",(?=[^,]*@)", ",".join(v for k, v in parsed.headers if k == key)))
        if found and found.rpartition("@")[2] != host and (key != "cc" or _words(said) == _words(plain) != frozenset())
    ]
    author = others[0][1] if others else "@".join(local.rsplit("=", 1)) if "=" in local else ""
    if not author:
        return parsed
    at = next(i for i, (key, _) in enumerate(parsed.headers) if key == "from")
    headers = list(parsed.headers)
    headers[at] = ("from", f'"{plain}" <{author}>')
    return replace(parsed, headers=headers)


def spoofed(parsed: Parsed, people: Collection[tuple[frozenset[str], Collection[str]]], *, via_list: bool) -> str:
    """Why the sender may not be who it says, as a sentence; "" when nothing speaks against it.

    `people`: the words of each member's name, and their addresses. A list breaks DMARC (RFC 7960), so a failure counts
    only for mail that did not come through one.
    """
    name, address = parsed.sender
    if sum(1 for key, _ in parsed.headers if key == "from") > 1:
        return "The mail has more than one From header (RFC 5322, 3.6)."
    if not via_list and re.search(r"\bdmarc\s*=\s*fail\b", _own_results(parsed), re.I):
        return "The mail server says that the sender's domain did not send this (Authentication-Results: dmarc=fail)."
    shown = _words(name)
    known = any(address in addresses for _, addresses in people)
    inside = re.search(r"[^\s<>\"'()]+@[^\s<>\"'()]+", name[:300])
    if not known and inside and inside[0].lower() != address and any(inside[0].lower() in found for _, found in people):
        return "The name shows a member's address, but the mail comes from another one."
    if not known and any(len(words) > 1 and words <= shown for words, _ in people):
        return "The name is a member's, but the address is not known."
    if not known and any(_alike(address) == _alike(other) for _, found in people for other in found):
        return "The address looks like a member's, but is another one."
    sender = next((value for key, value in parsed.headers if key == "sender"), "")
    if sender and known and not via_list and (at := sender.rfind("@")) >= 0:
        host = sender[at + 1 :].strip("<> \t\r\n").lower()
        ours = address.rpartition("@")[2]
        if host and host != ours and not host.endswith("." + ours) and not ours.endswith("." + host):
            return "Sender and From name different organisations (RFC 5322, 3.6.2)."
    return ""


def _own_results(parsed: Parsed) -> str:
    """What the receiving host says of the sender: the topmost field, above its own Received (RFC 8601, 4.1 and 5).

    Further down anybody may have written it.
    """
    hops = 0
    for key, value in parsed.headers:
        hops += key == "received"
        if key == "authentication-results":
            return value if hops < 2 else ""
    return ""


#: Letters that pass for Latin ones (after Unicode's confusables, UTS #39), and figures that do.
_LATIN = str.maketrans("аеорсухіјѕԁɡӏοαερνικτυχωӏ01", "aeopcyxijsdgloaepviktuxwlol")


def _alike(text: str) -> str:
    """A name or address as a hasty eye reads it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return (
        "".join(c for c in plain if not unicodedata.combining(c))
        .translate(_LATIN)
        .replace("rn", "m")
        .replace("vv", "w")
    )


def _words(name: str) -> frozenset[str]:
    return frozenset(_alike(w) for w in re.findall(r"[^\W\d_]{2,}", name)) - {"dr", "prof", "mr", "mrs", "ms", "miss"}


def name_words(name: str) -> frozenset[str]:
    """The words of a person's name without title, lower case: equal however "Last, First" is turned."""
    return _words(name)
