"""Mail from files: .eml, folders of them, mbox (also gzipped), Maildir. Streams: one mail is held at a time.

mbox is split here, not by the standard library: `mailbox.mbox` starts a mail at any line "From …" behind a blank one,
as people write it ("From what I have seen, …"), leaves `>From ` quoted, and cannot read a gzipped file as a stream.
"""

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from pathlib import Path
from typing import BinaryIO

from digest.mailbox import Arrival

_GZIP = b"\x1f\x8b"
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")  # a header field's name (RFC 5322, 2.2)
#: A From_ line: who, then a date as ctime() writes it (RFC 4155, appendix A), with or without a zone. Pipermail's "who"
#: has spaces in it.
_FROM = re.compile(
    rb"From .*?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) +(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} +"
    rb"\d{1,2}:\d\d(?::\d\d)? +(?:\S+ +)?\d{4}\b"
)
#: What `git format-patch` writes above a patch (git-format-patch(1)); people paste that into mails, header and all.
_PATCH = re.compile(rb"From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_RECEIVED = re.compile(rb"^Received:(.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(rb"^Date:(.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


class ArchiveError(Exception):
    """A path cannot be imported; the text is one sentence for the person who asked for it."""


def arrivals(paths: Sequence[Path]) -> Iterator[Arrival]:
    """Every mail in `paths`, in order; folders by name, an mbox from its start. Raises ArchiveError.

    `source` is the file's name, for an mbox "NAME#1", "NAME#2", …; for a Maildir without its flags. `received_at` is
    what the newest Received header says, else the Date header, else when the file was last changed.
    """
    for path in paths:
        for file in _files(path):
            with _reading(file), _open(file) as stream:
                changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                if _is_mbox(file, stream):
                    for position, raw in enumerate(_split(stream), start=1):
                        yield Arrival(f"{file.name}#{position}", raw, _received_at(raw) or changed)
                else:
                    raw = stream.read()
                    yield Arrival(file.name.partition(":2,")[0], raw, _received_at(raw) or changed)


def count(paths: Sequence[Path]) -> int:
    """How many mails `arrivals` will give; an mbox is read through for it. Raises ArchiveError."""
    total = 0
    for path in paths:
        for file in _files(path):
            with _reading(file), _open(file) as stream:
                total += sum(1 for _ in _split(stream)) if _is_mbox(file, stream) else 1
    return total


def _files(path: Path) -> Iterator[Path]:
    with _reading(path):
        if not path.exists():
            raise ArchiveError(f"{path} does not exist; check the path.")
        found = list(_in_folder(path)) if path.is_dir() else [path]
    if not found:
        raise ArchiveError(f"{path} holds no mail; name a folder of .eml or .mbox files, or a Maildir.")
    yield from found


def _in_folder(folder: Path) -> Iterator[Path]:
    if (folder / "cur").is_dir() and (folder / "new").is_dir():  # a Maildir; what is in tmp has not arrived yet
        mails = [file for part in ("cur", "new") for file in (folder / part).iterdir() if not file.name.startswith(".")]
        yield from sorted(mails, key=lambda file: file.name)
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _in_folder(path)
        elif path.name.lower().endswith((".eml", ".mbox", ".mbox.gz")):
            yield path


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError) as error:  # gzip says EOFError for a file that was cut short
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ArchiveError(f"{path} cannot be read ({why}); check the file and its rights.") from None


@contextmanager
def _open(file: Path) -> Iterator[BinaryIO]:
    with file.open("rb") as plain:
        if plain.read(2) == _GZIP:
            plain.seek(0)
            with gzip.open(plain) as unpacked:
                yield unpacked  # type: ignore[misc]  # GzipFile reads bytes as BinaryIO does
        else:
            plain.seek(0)
            yield plain


def _is_mbox(file: Path, stream: BinaryIO) -> bool:
    """Whether a file holds one mail or an mbox of them. Raises ArchiveError when it is neither."""
    first = stream.readline(1000)
    stream.seek(0)
    if file.suffix.lower() == ".eml" or file.parent.name in ("cur", "new"):
        return False
    if first.startswith(b"From ") or not first:
        return True
    if _FIELD.match(first):
        return False
    raise ArchiveError(
        f"{file} is neither a mail nor an mbox; name .eml files, an mbox, a Maildir or a folder of them."
    )


def _split(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox. One starts at a From_ line that has a date and is followed by a header field."""
    mail: list[bytes] = []
    waiting: bytes | None = None  # a From_ line, if the next one is a header field
    of_patches = False
    for number, line in enumerate(lines):
        if number == 0:  # starts the first mail, however its date is written
            of_patches = _PATCH.match(line) is not None
            continue
        if waiting is not None:
            if _FIELD.match(line):
                yield _mail(mail)
                mail = []
            else:
                mail.append(waiting)
            waiting = None
        if line.startswith(b"From ") and _FROM.match(line) and (of_patches or not _PATCH.match(line)):
            waiting = line
        else:
            mail.append(line)
    if waiting is not None:
        mail.append(waiting)
    if mail:
        yield _mail(mail)


def _mail(lines: list[bytes]) -> bytes:
    """A mail as it was before it went into the mbox: without the blank line behind it, `>From ` unquoted (mboxrd)."""
    if len(lines) > 1 and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()
    raw = b"".join(lines)
    if b">From " in raw and (end := _HEADER_END.search(raw)):
        raw = raw[: end.end()] + _QUOTED_FROM.sub(rb"\1", raw[end.end() :])
    return raw


def _received_at(raw: bytes) -> datetime | None:
    end = _HEADER_END.search(raw)
    header = raw[: end.start()] if end else raw
    for field in _RECEIVED.finditer(header):  # each server writes its own on top (RFC 5321, 4.4)
        if found := _time(field[1].rpartition(b";")[2]):
            return found
    date = _DATE.search(header)
    return _time(date[1]) if date else None


def _time(text: bytes) -> datetime | None:
    """A date as headers have it (RFC 5322, 3.3), in UTC; None for anything else."""
    try:
        parts = parsedate_tz(text.decode("latin-1"))
        if parts is None:
            return None
        return datetime(*parts[:6], tzinfo=timezone(timedelta(seconds=parts[9] or 0))).astimezone(UTC)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
