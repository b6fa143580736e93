"""Mails that are passed on as attachments: what they say is read, as what was forwarded."""

from email.message import EmailMessage

import pytest

from digest.message import Ours, Understood, reply, understand
from digest.nouns import Place

OURS = Ours("leads@lists.example.org", "digest@example.org")


def attached(inner: EmailMessage, said: str = "Dear all\n\nThis may help.\n\nGwen\n", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Gwen Pryce <gwen@example.org>", OURS.stream_address, "FW: Letters"
    mail.set_content(said)
    mail.add_attachment(inner)
    return mail


def letter(
    body: str = "From May the lab rejects unlabelled kits.\n", to: str = "practices@example.net"
) -> EmailMessage:
    inner = EmailMessage()
    inner["From"], inner["To"], inner["Subject"] = "Tom Ferris <tom@example.net>", to, "Kits"
    inner["Date"] = "Tue, 24 Nov 2026 09:00:00 +0000"
    inner.set_content(body)
    return inner


def read(mail: EmailMessage) -> Understood:
    return understand(mail.as_bytes(), OURS)


def new(found: Understood) -> str:
    return reply.new_text(found.text, found.segments)


def test_an_attached_mail_is_read_behind_the_senders_words_without_its_headers() -> None:
    found = read(attached(letter()))
    assert new(found) == "Dear all\n\nThis may help.\n\nFrom May the lab rejects unlabelled kits."
    assert "From: Tom Ferris" in found.text  # kept, folded
    assert [file.name for file in found.attachments] == ["Kits.eml"]


def test_a_mail_that_only_attaches_one_says_what_that_says() -> None:
    assert new(read(attached(letter(), ""))) == "From May the lab rejects unlabelled kits."


def test_an_attached_mail_that_came_through_the_stream_is_a_quote() -> None:
    assert new(read(attached(letter(to=OURS.stream_address)))) == "Dear all\n\nThis may help."


def test_identifiers_in_an_attached_mail_and_in_its_files_are_found() -> None:
    inner = letter("Please see Mrs Edith Marlow, NHS number 943 476 5919, about her kit.\n")
    inner.add_attachment(b"name,born\nMr Alun Prosser,03/04/1951\n", "text", "csv", filename="list.csv")
    hits = read(attached(inner)).hits
    assert ("nhs_number", Place.BODY) in {(hit.type, hit.place) for hit in hits}
    in_files = {hit.text for hit in hits if hit.place is Place.ATTACHMENT and hit.file == 1}
    assert {"943 476 5919", "03/04/1951"} <= in_files


def test_mails_within_mails_are_read_as_deep_as_the_bounds_go_and_stay_files_beyond() -> None:
    inner = letter("The innermost.\n")
    for number in range(6):
        inner = attached(inner, f"Level {number}.\n")
    found = read(inner)
    assert "Level 5." in found.text
    assert "Level 3." in found.text
    assert "The innermost." not in found.text
    assert len(found.attachments) == 1


def test_more_attached_mails_than_are_read_are_said() -> None:
    mail = attached(letter("Letter 0.\n"))
    for number in range(1, 12):
        mail.add_attachment(letter(f"Letter {number}.\n"))
    found = read(mail)
    assert "Letter 9." in found.text
    assert "Letter 10." not in found.text
    assert any("more than 10 mails attached" in problem for problem in found.problems)


@pytest.mark.parametrize("name", ["letter.eml", "Letter.EML"])
def test_a_mail_that_is_known_by_its_name_only_is_read(name: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "gwen@example.org", "Letter"
    mail.set_content("See the letter.\n")
    mail.add_attachment(letter().as_bytes(), "application", "octet-stream", filename=name)
    assert "From May the lab" in new(read(mail))
