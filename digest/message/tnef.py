"""The text and the files inside winmail.dat (MS-OXTNEF): Outlook's wrapper for a mail sent as "rich text"."""

import struct
from collections.abc import Iterator

from digest.message import charset, rtf

_SIGNATURE = 0x223E9F78
_ATTACH_REND = 0x00069002  # starts an attachment (MS-OXTNEF, 2.1.3.3.15)
_ATTACH_TITLE = 0x00018010
_ATTACH_DATA = 0x0006800F
_ATTACHMENT = 0x00069005  # MAPI properties of the attachment
_BODY = 0x0002800C
_MESSAGE = 0x00069003  # MAPI properties of the message
_LONG_NAME = 0x3707  # PidTagAttachLongFilename
_PLAIN, _HTML, _RTF = 0x1000, 0x1013, 0x1009  # PidTagBody, PidTagBodyHtml, PidTagRtfCompressed (MS-OXPROPS)
_STRING8, _UNICODE, _BINARY = 0x1E, 0x1F, 0x102


def attachments(data: bytes) -> list[tuple[str, bytes | None]]:
    """(name, bytes) of each attachment; empty when there is none or the wrapper cannot be read.

    None stands for bytes that are cut off or not kept where attachments usually have them.
    """
    found: list[tuple[str, bytes | None]] = []
    for attribute, value, whole in _attributes(data):
        if attribute == _ATTACH_REND:
            found.append(("", None))
        elif not found:
            continue
        elif attribute == _ATTACH_TITLE and not found[-1][0]:
            found[-1] = (value.split(b"\0")[0].decode("cp1252", "replace"), found[-1][1])
        elif attribute == _ATTACH_DATA:
            found[-1] = (found[-1][0], value if whole else None)
        elif attribute == _ATTACHMENT and (name := _text(value, _LONG_NAME).split("\0")[0]):
            found[-1] = (name, found[-1][1])
    return [(name, content) for name, content in found if name]


def text(data: bytes) -> tuple[str, str]:
    """("plain" or "html", the mail's text); ("rtf", "") when its rich text cannot be read; ("", "") without any."""
    plain = html = ""
    rich: bytes | None = None
    for attribute, value, _ in _attributes(data):
        if attribute == _BODY:
            plain = plain or value.split(b"\0")[0].decode("cp1252", "replace")
        elif attribute == _MESSAGE:
            plain = _text(value, _PLAIN).rstrip("\0") or plain
            html = html or _text(value, _HTML).rstrip("\0")
            rich = rich or _property(value, _RTF, _BINARY)
    if plain.strip():
        return "plain", plain
    if html.strip():
        return "html", html
    if not rich:
        return "", ""
    found = rtf.text(rich)
    return ("rtf", "") if found is None else ("plain", found) if found.strip() else ("", "")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """(attribute, value, whether the value is whole) of each attribute of the wrapper, in order."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return
    position = 6
    while position + 9 <= len(data):
        _, attribute, length = struct.unpack_from("<BII", data, position)
        value = data[position + 9 : position + 9 + length]
        position += 9 + length + 2  # a checksum of two bytes follows
        yield attribute, value, len(value) == length


def _text(value: bytes, id: int) -> str:
    """A property of text among MAPI properties."""
    for kind in (_UNICODE, _STRING8, _BINARY):
        found = _property(value, id, kind)
        if found is not None:
            if kind == _BINARY:
                return charset.decode(found, "utf-8")[0]
            return found.decode("utf-16-le" if kind == _UNICODE else "cp1252", "replace")
    return ""


def _property(value: bytes, id: int, kind: int) -> bytes | None:
    """A property of one value: tag (type, id), the number of values, the value's length and its bytes."""
    at = value.find(struct.pack("<HHI", kind, id, 1))
    if at < 0 or at + 12 > len(value):
        return None
    (length,) = struct.unpack_from("<I", value, at + 8)
    return value[at + 12 : at + 12 + length]
