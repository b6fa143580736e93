"""Archives are read whole, in order, one mail at a time, and a mail comes out as it went in."""

import gzip
import os
import re
import tempfile
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.mailbox.archive import ArchiveError, arrivals, count

ONE = b"From: asha.patel@example.org\nDate: Mon, 2 Nov 2026 09:00:00 +0000\nSubject: one\n\nGood morning\n"
TWO = b"From: owen.jones@example.org\nDate: Mon, 2 Nov 2026 10:30:00 +0100\nSubject: two\n\nAnd to you\n"
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpora" / "r-package-devel.mbox.gz"


def raws(*paths: Path) -> list[bytes]:
    return [arrival.raw for arrival in arrivals(paths)]


def mbox(tmp_path: Path, data: bytes, name: str = "list.mbox") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "line",
    [
        b"From asha.patel@example.org Mon Nov  2 09:00:00 2026",
        b"From asha.patel at example.org  Mon Nov  2 09:00:00 2026",  # pipermail
        b"From asha @ending from ex@mple@org  Mon Nov  2 09:00:00 2026",  # pipermail, obfuscated
        b"From - Mon Nov 02 09:00:00 2026",  # Thunderbird
        b"From ???@??? Mon Nov 02 09:00:00 2026",  # Eudora
        b"From MAILER-DAEMON Mon Nov  2 09:00 2026",
        b"From asha.patel@example.org Mon Nov  2 09:00:00 GMT 2026",
        b"From asha.patel@example.org Mon Nov  2 09:00:00 2026 +0100",
        b"From asha.patel@example.org Mon Nov  2 09:00:00 2026\r",
    ],
)
def test_an_mbox_is_split_at_every_way_of_writing_a_from_line(tmp_path: Path, line: bytes) -> None:
    path = mbox(tmp_path, line + b"\n" + ONE + b"\n" + line + b"\n" + TWO)
    assert raws(path) == [ONE, TWO]
    assert count([path]) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"From what I have seen, this works.\n",
        b"From here it was Mon Nov  2 09:00:00 2026\nwhen we left.\n",  # no header field behind it
        b"From " + b"0a" * 20 + b" Mon Sep 17 00:00:00 2001\nFrom: Owen <owen.jones@example.org>\n\npatch\n",
        b"From asha.patel@example.org\nSubject: no date\n",
    ],
)
def test_a_line_that_only_looks_like_a_from_line_stays_in_its_mail(tmp_path: Path, body: bytes) -> None:
    first = ONE + b"\n" + body
    path = mbox(tmp_path, b"From a Mon Nov  2 09:00:00 2026\n" + first + b"\nFrom b Mon Nov  2 09:00:00 2026\n" + TWO)
    assert raws(path) == [first, TWO]


def test_a_file_of_patches_is_split_at_the_line_that_git_writes(tmp_path: Path) -> None:
    line = b"From " + b"0a" * 20 + b" Mon Sep 17 00:00:00 2001\n"
    assert raws(mbox(tmp_path, line + ONE + b"\n" + line + TWO)) == [ONE, TWO]


def test_a_first_from_line_without_a_readable_date_starts_a_mail_all_the_same(tmp_path: Path) -> None:
    assert raws(mbox(tmp_path, b"From asha 2 November\n" + ONE)) == [ONE]


def test_from_lines_quoted_on_the_way_in_are_unquoted_once_and_only_in_the_body(tmp_path: Path) -> None:
    stored = b"Subject: x\n>From header\n\n>From here\n>>From there\n> From a reply\nsee >From\n"
    wanted = b"Subject: x\n>From header\n\nFrom here\n>From there\n> From a reply\nsee >From\n"
    assert raws(mbox(tmp_path, b"From a Mon Nov  2 09:00:00 2026\n" + stored)) == [wanted]


TEXT = st.lists(
    st.sampled_from([b"", b"From ", b"From me", b">From me", b"hello", b"> quoted", b"X: y", b"\xe9\xff", b"."]),
    max_size=8,
)


@given(st.lists(TEXT, min_size=1, max_size=4), st.sampled_from([b"\n", b"\r\n"]))
def test_what_a_careful_program_wrote_as_mboxrd_comes_out_unchanged(bodies: list[list[bytes]], end: bytes) -> None:
    mails = [b"Subject: x" + end + end + b"".join(line + end for line in body) for body in bodies]
    data = b""
    for mail in mails:
        header, gap, body = mail.partition(end + end)
        quoted = re.sub(rb"^(>*From )", rb">\1", body, flags=re.MULTILINE)
        data += b"From a@example.org Mon Nov  2 09:00:00 2026" + end + header + gap + quoted + end
    with tempfile.TemporaryDirectory() as folder:
        assert raws(mbox(Path(folder), data)) == mails


def test_sources_are_the_file_names_and_for_an_mbox_the_place_in_it(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(TWO)
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "notes.txt").write_bytes(b"not a mail")
    line = b"From a Mon Nov  2 09:00:00 2026\n"
    (tmp_path / "c.mbox.gz").write_bytes(gzip.compress(line + ONE + b"\n" + line + TWO))
    assert [a.source for a in arrivals([tmp_path])] == ["a.eml", "b.eml", "c.mbox.gz#1", "c.mbox.gz#2"]
    assert raws(tmp_path) == [ONE, TWO, ONE, TWO]
    assert count([tmp_path, tmp_path / "a.eml"]) == 5


def test_a_maildir_gives_what_has_arrived_by_name_and_without_flags(tmp_path: Path) -> None:
    for folder, name, raw in (("cur", "2.host:2,RS", TWO), ("new", "1.host", ONE), ("tmp", "3.host", ONE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(raw)
    (tmp_path / "cur" / ".hidden").write_bytes(b"")
    assert [(a.source, a.raw) for a in arrivals([tmp_path])] == [("1.host", ONE), ("2.host", TWO)]


NEWEST = b"Received: from b by c\n\twith ESMTPS id 2; Tue, 3 Nov 2026 08:15:00 +0000 (GMT)\n"
OLDER = b"Received: from a by b; Tue, 3 Nov 2026 08:00:00 +0000\n"


@pytest.mark.parametrize(
    ("header", "hour", "minute"),
    [
        (NEWEST + OLDER + b"Date: Mon, 2 Nov 2026 09:00:00 +0000\n", 8, 15),
        (b"Received: from nowhere\n" + OLDER, 8, 0),
        (b"Received: by x; not a date\nDate: Tue, 3 Nov 2026 09:30:00 +0100\n", 8, 30),
        (b"date: Tue, 3 Nov 2026 09:30:00 -0000\n", 9, 30),
        (b"Subject: x\nDate:\n Tue, 3 Nov 2026\n 09:30:00 GMT\n", 9, 30),
        (b"Subject: none\n", 12, 0),
        (b"Date: Tue, 33 Nov 2026 99:99:99 +9999\n", 12, 0),
        (b"Subject: x\n\nReceived: by body; Tue, 3 Nov 2026 01:00:00 +0000\n", 12, 0),
    ],
)
def test_a_mail_arrived_when_its_newest_received_header_says(
    tmp_path: Path, header: bytes, hour: int, minute: int
) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(header + b"\nbody\n")
    changed = datetime(2026, 11, 3, 12, 0, tzinfo=UTC).timestamp()
    os.utime(path, (changed, changed))
    [arrival] = arrivals([path])
    assert arrival.received_at == datetime(2026, 11, 3, hour, minute, tzinfo=UTC)


@given(st.binary(max_size=80) | st.datetimes().map(lambda when: format_datetime(when.replace(tzinfo=UTC)).encode()))
def test_no_date_is_too_wild_to_be_read_or_passed_over(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.eml"
        path.write_bytes(b"Received: x; " + text + b"\nDate: " + text + b"\n\n")
        [arrival] = arrivals([path])
        assert arrival.received_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "holds no mail"),
        (lambda path: path.write_bytes(b"\x00\x01\x02 nonsense"), "neither a mail nor an mbox"),
        (lambda path: path.write_bytes(gzip.compress(b"From a b\n" * 999)[:30]), "cannot be read"),
    ],
)
def test_a_path_that_cannot_be_imported_is_said_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "what"
    make(path)
    with pytest.raises(ArchiveError, match=words) as caught:
        list(arrivals([path]))
    assert str(path) in str(caught.value)
    with pytest.raises(ArchiveError, match=words):
        count([path])


def test_an_empty_mbox_holds_no_mails_and_is_no_mistake(tmp_path: Path) -> None:
    assert raws(mbox(tmp_path, b"")) == []


def test_a_large_archive_is_never_held_in_memory() -> None:
    if not CORPUS.exists():
        pytest.skip("not run: ../shared/corpora is not here")
    tracemalloc.start()
    try:
        number = sum(1 for _ in arrivals([CORPUS]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert number == count([CORPUS]) > 11_000
    assert peak < 5_000_000
