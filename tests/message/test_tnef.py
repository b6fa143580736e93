"""winmail.dat: the files inside."""

import struct
from email.message import EmailMessage

from digest.message import attachment, tnef


def _attribute(attribute: int, value: bytes) -> bytes:
    return struct.pack("<BII", 2, attribute, len(value)) + value + b"\0\0"


def _wrapper(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def test_files_are_listed_by_their_long_names_with_their_bytes() -> None:
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
    assert tnef.attachments(data) == [("Pathway – final.docx", b"12345"), ("plain.txt", None)]


def test_a_file_that_is_cut_off_has_no_bytes() -> None:
    whole = _wrapper(
        _attribute(0x00069002, b"\0" * 14), _attribute(0x00018010, b"a.txt\0"), _attribute(0x0006800F, b"12345")
    )
    assert tnef.attachments(whole[:-4]) == [("a.txt", None)]
    mail = EmailMessage()
    mail["From"] = "ann@example.org"
    mail.set_content("See below.")
    mail.add_attachment(whole, "application", "ms-tnef", filename="winmail.dat")
    assert attachment(mail.as_bytes(), 1) == ("a.txt", "application/octet-stream", b"12345")
    assert attachment(mail.as_bytes().replace(b"winmail.dat", b"winmail.bin"), 2) is None


def test_what_is_no_wrapper_or_is_cut_off_gives_nothing() -> None:
    whole = _wrapper(_attribute(0x00069002, b"\0" * 14), _attribute(0x00018010, b"a.txt\0"))
    assert tnef.attachments(b"") == tnef.attachments(b"not tnef at all") == tnef.attachments(whole[:20]) == []
