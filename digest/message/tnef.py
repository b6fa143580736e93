"""The files inside winmail.dat (MS-OXTNEF): Outlook's wrapper for a mail sent as "rich text"."""

import struct

_SIGNATURE = 0x223E9F78
_ATTACH_REND = 0x00069002  # starts an attachment (MS-OXTNEF, 2.1.3.3.15)
_ATTACH_TITLE = 0x00018010
_ATTACH_DATA = 0x0006800F
_ATTACHMENT = 0x00069005  # MAPI properties of the attachment
_LONG_NAME = 0x3707  # PidTagAttachLongFilename
_STRING8, _UNICODE = 0x1E, 0x1F


def attachments(data: bytes) -> list[tuple[str, bytes | None]]:
    """(name, bytes) of each attachment; empty when there is none or the wrapper cannot be read.

    None stands for bytes that are cut off or not kept where attachments usually have them.
    """
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return []
    found: list[tuple[str, bytes | None]] = []
    position = 6
    while position + 9 <= len(data):
        _, attribute, length = struct.unpack_from("<BII", data, position)
        value = data[position + 9 : position + 9 + length]
        position += 9 + length + 2  # a checksum of two bytes follows
        if attribute == _ATTACH_REND:
            found.append(("", None))
        elif not found:
            continue
        elif attribute == _ATTACH_TITLE and not found[-1][0]:
            found[-1] = (value.split(b"\0")[0].decode("cp1252", "replace"), found[-1][1])
        elif attribute == _ATTACH_DATA:
            found[-1] = (found[-1][0], value if len(value) == length else None)
        elif attribute == _ATTACHMENT and (name := _long_name(value)):
            found[-1] = (name, found[-1][1])
    return [(name, content) for name, content in found if name]


def _long_name(value: bytes) -> str:
    """PidTagAttachLongFilename: tag (type, id), number of values, then for each its length and bytes."""
    for kind in (_UNICODE, _STRING8):
        at = value.find(struct.pack("<HHI", kind, _LONG_NAME, 1))
        if at >= 0 and at + 12 <= len(value):
            (length,) = struct.unpack_from("<I", value, at + 8)
            text = value[at + 12 : at + 12 + length]
            return text.decode("utf-16-le" if kind == _UNICODE else "cp1252", "replace").split("\0")[0]
    return ""
