"""winmail.dat: the files inside."""

import struct
from email.message import EmailMessage

import compressed_rtf  # type: ignore[import-untyped]
import pytest

from digest.message import Ours, attachment, tnef, understand


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


RICH = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Calibri;}}\pard Dear all,\par\par Who chases the kit\rquote s "
    rb"\'a35?\par\par Gwen\par}"
)
# Outlook's own: HTML kept in rich text ([MS-OXRTFEX])
FROM_HTML = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}\pard{\*\htmltag64 <p class=x>}"
    rb"\htmlrtf {\htmlrtf0 Dear all,\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 "
    rb"Who chases the kit\rquote s \'a35?\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}}"
)


def _rich(data: bytes) -> bytes:
    """A mail that is nothing but Outlook's wrapper around a rich text."""
    property_ = struct.pack("<IHHII", 1, 0x102, 0x1009, 1, len(data)) + data
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "gwen@example.org", "Kits"
    wrapper = _wrapper(_attribute(0x00069003, property_))
    mail.add_attachment(wrapper, "application", "ms-tnef", filename="winmail.dat")
    return mail.as_bytes()


@pytest.mark.parametrize("rich", [RICH, FROM_HTML])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_mail_that_is_only_rich_text_is_read(rich: bytes, compressed: bool) -> None:
    found = understand(_rich(compressed_rtf.compress(rich, compressed)), Ours("s@example.org", "d@example.org"))
    assert "Dear all," in found.text
    assert "Who chases the kit’s £5?" in found.text
    assert "htmltag" not in found.text
    assert not any("winmail.dat" in problem for problem in found.problems)


def test_rich_text_that_cannot_be_read_is_said() -> None:
    for broken in (compressed_rtf.compress(RICH)[:-9], b"LZFu" * 9, b"\0"):
        found = understand(_rich(broken), Ours("s@example.org", "d@example.org"))
        assert any("rich text (winmail.dat) that could not be read" in problem for problem in found.problems)
