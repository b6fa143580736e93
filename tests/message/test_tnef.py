"""winmail.dat: the names of the files inside."""

import struct

from digest.message import tnef


def _attribute(attribute: int, value: bytes) -> bytes:
    return struct.pack("<BII", 2, attribute, len(value)) + value + b"\0\0"


def _wrapper(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def test_files_are_listed_by_their_long_names() -> None:
    long_name = "Pathway – final.docx\0".encode("utf-16-le")
    property_ = struct.pack("<IHHII", 1, 0x1F, 0x3707, 1, len(long_name)) + long_name
    data = _wrapper(
        _attribute(0x00069002, b"\0" * 14),
        _attribute(0x00018010, b"PATHWA~1.DOC\0"),
        _attribute(0x0006800F, b"12345"),
        _attribute(0x00069005, property_),
        _attribute(0x00069002, b"\0" * 14),
        _attribute(0x00018010, b"plain.txt\0"),
    )
    assert tnef.attachments(data) == [("Pathway – final.docx", 5), ("plain.txt", 0)]


def test_what_is_no_wrapper_or_is_cut_off_gives_nothing() -> None:
    whole = _wrapper(_attribute(0x00069002, b"\0" * 14), _attribute(0x00018010, b"a.txt\0"))
    assert tnef.attachments(b"") == tnef.attachments(b"not tnef at all") == tnef.attachments(whole[:20]) == []
