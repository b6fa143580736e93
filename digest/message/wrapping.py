"""What a text may be wrapped in: S/MIME and PGP signatures, uuencoded files, enriched text. Nothing here raises.

Signatures are not checked: the mail servers' verdict is in the headers, and members' keys are not ours to hold. What
is encrypted stays closed, and that is said.
"""

import binascii
import re

_SIGNED = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Z][\w-]*: .*\n)*\n?", re.M)
_ENCRYPTED = re.compile(r"^\s*-----BEGIN PGP MESSAGE-----\n")
_UU = re.compile(r"^begin [0-7]{3,4} (\S[^\n]{0,200})\n((?:[!-`][^\n]{0,84}\n)*?)(?:`|\s)?\n?end[ \t]*$", re.M)
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,59}>")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2 (RFC 5652, 5.1)
_DATA = bytes.fromhex("2a864886f70d010701")
_DEEP = 12


def unarmoured(text: str) -> tuple[str, str]:
    """A PGP-signed text without its armour (RFC 9580, 7); and "" or why a text is closed."""
    if "-----BEGIN PGP " not in text:
        return text, ""
    if _ENCRYPTED.match(text):
        return "", "The mail is encrypted (PGP) and could not be opened."
    opened = _SIGNED.search(text)
    if not opened:
        return text, ""
    signed, found, after = text[opened.end() :].partition("-----BEGIN PGP SIGNATURE-----\n")
    _, _, after = after.partition("-----END PGP SIGNATURE-----") if found else ("", "", "")
    plain = re.sub(r"^- ", "", signed, flags=re.M)  # dash-escaped: RFC 9580, 7.2
    return text[: opened.start()] + plain + after, ""


def uudecoded(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A text without the files that were uuencoded into it (POSIX, uuencode), and those: (name, bytes)."""
    if "\nend" not in text or not re.search(r"^begin [0-7]{3,4} ", text, re.M):
        return text, []
    files: list[tuple[str, bytes]] = []

    def take(match: re.Match[str]) -> str:
        try:
            content = b"".join(binascii.a2b_uu(line) for line in match[2].split("\n") if line)
        except (binascii.Error, ValueError):
            return match[0]
        files.append((match[1].strip(), content))
        return ""

    return _UU.sub(take, text), files


def enriched(text: str) -> str:
    """text/enriched as plain text (RFC 1896): commands gone, single line breaks are spaces, "<<" is "<"."""
    plain = "<".join(_TAG.sub("", piece) for piece in text.split("<<"))
    return re.sub(r"\n(\n*)", lambda m: m[1] or " ", plain)


def signed_content(data: bytes) -> bytes | None:
    """The mail inside a signed S/MIME wrapper (RFC 8551, 3.5.2; RFC 5652, 5.2); None when it cannot be had."""
    root = _children(data, 0, len(data))
    content = _first(root, 0x30)
    if content is None or _SIGNED_DATA not in data[content[0] : content[0] + 32]:
        return None
    wrapped = _first(_children(data, *content), 0xA0)
    signed = _first(_children(data, *wrapped), 0x30) if wrapped else None
    for tag, start, end in _children(data, *signed) if signed else []:
        if tag == 0x30 and data[start : start + 2 + len(_DATA)].endswith(_DATA):
            inner = _first(_children(data, start, end), 0xA0)
            return _octets(data, *inner) if inner else None
    return None


def _first(found: list[tuple[int, int, int]], tag: int) -> tuple[int, int] | None:
    return next(((start, end) for t, start, end in found if t == tag), None)


def _octets(data: bytes, start: int, end: int, depth: int = 0) -> bytes:
    """The octet strings between two places, put together: a long one comes in pieces (X.690, 8.7.3)."""
    out = b""
    for tag, first, last in _children(data, start, end):
        if tag == 0x04:
            out += data[first:last]
        elif tag == 0x24 and depth < _DEEP:
            out += _octets(data, first, last, depth + 1)
    return out


def _children(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """(tag, start of content, its end) of the elements between two places (X.690, 8.1); up to where they make no sense.

    An element of indefinite length (8.1.3.6) ends at two zero octets, its own children's ends not counted.
    """
    found: list[tuple[int, int, int]] = []
    while start + 2 <= end:
        tag, size, at = data[start], data[start + 1], start + 2
        if tag == 0 and size == 0:
            break
        if size == 0x80:
            last = _end_of_indefinite(data, at, end)
            found.append((tag, at, last))
            start = last + 2
            continue
        if size > 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + size > end:
            break
        found.append((tag, at, at + size))
        start = at + size
    return found


def _end_of_indefinite(data: bytes, at: int, end: int) -> int:
    """Where the content that starts at `at` ends; those inside it that have no length either are counted."""
    opened = 1
    while at + 2 <= end:
        tag, size = data[at], data[at + 1]
        at += 2
        if tag == 0 and size == 0:
            opened -= 1
            if not opened:
                return at - 2
        elif size == 0x80:
            opened += 1
        elif size > 0x80:
            count = size & 0x7F
            at += count + int.from_bytes(data[at : at + count], "big")
        else:
            at += size
    return end
