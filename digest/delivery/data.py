"""A mail as SMTP carries it (RFC 5321, 4.5.2): CRLF line ends, one dot more where a line begins with one. Pure.

What every mail of an edition has in common is looked at once, because looking costs as much as sending.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Data:
    """A mail, or whole lines of one."""

    stuffed: bytes
    size: int  # of the mail itself, in octets, without the added dots (RFC 1870, 5)
    ascii: bool

    @property
    def wire(self) -> bytes:
        """The mail as its reader has it."""
        return (b"\r\n" + self.stuffed).replace(b"\r\n..", b"\r\n.")[2:]


def data(lines: bytes) -> Data:
    """Whole lines, made ready. Raises ValueError where one ends in anything but CRLF (RFC 5321, 2.3.8)."""
    ends = lines.count(b"\r\n")
    if not (lines.endswith(b"\r\n") and lines.count(b"\n") == ends == lines.count(b"\r")):
        raise ValueError("the mail has line ends that SMTP cannot carry unchanged")
    stuffed = lines.replace(b"\r\n.", b"\r\n..")
    return Data(b"." + stuffed if lines.startswith(b".") else stuffed, len(lines), lines.isascii())


def joined(parts: Sequence[Data]) -> Data:
    """One after the other."""
    stuffed = b"".join([part.stuffed for part in parts])
    return Data(stuffed, sum([part.size for part in parts]), all(part.ascii for part in parts))
