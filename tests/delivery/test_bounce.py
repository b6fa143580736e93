"""What a mail that came back says, whatever server wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.bounce import Report, read, refused
from digest.nouns import BounceKind
from tests.delivery.returned import GONE, complaint, dsn, exim, qmail

ID = "leads.12.7.0123456789abcdef01234567@example.org"
ASHA = "asha@practice.example.org"


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"])
def test_a_report_tells_whose_mail_it_is_about_by_the_message_id_that_came_back(returned: str) -> None:
    found = read(dsn(ID, returned=returned))
    assert found.message_id == ID
    assert found.reports == (Report(ASHA, BounceKind.HARD, "5.1.1", GONE),)


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "kind"),
    [
        ("failed", "5.1.1", "", BounceKind.HARD),
        ("failed", "5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound", BounceKind.HARD),  # Exchange Online
        ("failed", "5.2.1", "", BounceKind.HARD),
        ("failed", "5.0.0", "smtp; 550 unknown user", BounceKind.HARD),
        ("failed", "5.0.0", "smtp; 552 5.2.2 mailbox full", BounceKind.SOFT),  # the other server's own words
        ("failed", "5.2.2", "", BounceKind.SOFT),
        ("failed", "4.4.7", "smtp; delivery time expired", BounceKind.SOFT),
        ("failed", "5.7.1", "smtp; 550 5.7.1 blocked", BounceKind.SOFT),  # about us
        ("failed", "5.1.8", "smtp; 550 5.1.8 bad sender", BounceKind.SOFT),  # about us
        ("failed", "5.7.64", "", BounceKind.SOFT),
        ("delayed", "4.4.1", "", BounceKind.DELAYED),
    ],
)
def test_only_what_says_that_there_is_no_mailbox_is_hard(
    action: str, status: str, diagnostic: str, kind: BounceKind
) -> None:
    [report] = read(dsn(ID, action=action, status=status, diagnostic=diagnostic)).reports
    assert report.kind is kind


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_bounce(action: str) -> None:
    assert read(dsn(ID, action=action, status="2.0.0", diagnostic="")).reports == ()


def test_of_a_forwarded_mail_the_address_we_wrote_to_counts() -> None:
    [report] = read(dsn(ID, recipient="old.box@elsewhere.example", original="Asha@Practice.example.org")).reports
    assert report.address == ASHA


def test_fields_that_came_as_one_text_are_read_too() -> None:
    raw = dsn(ID).replace(b"Content-Type: message/delivery-status", b"Content-Type: message/delivery-status; x=y")
    raw = raw.replace(b"Final-Recipient: rfc822; asha@", b"Final-Recipient: <Asha@").replace(
        b"org\nAction", b"org>\nAction"
    )
    [report] = read(raw).reports
    assert (report.address, report.kind) == (ASHA, BounceKind.HARD)


@pytest.mark.parametrize("write", [qmail, exim])
def test_prose_is_understood_by_its_sentences_and_the_headers_below(write: object) -> None:
    assert callable(write)
    found = read(write(ID))
    assert found.message_id == ID
    [report] = found.reports
    assert (report.address, report.kind) == (ASHA, BounceKind.HARD)


def test_a_complaint_tells_the_reader_by_the_message_id_alone() -> None:
    found = read(complaint(ID))
    assert found.message_id == ID
    assert found.reports == (Report("", BounceKind.COMPLAINT, "", "Feedback-Type: abuse"),)
    assert read(complaint(ID, "not-spam")).reports == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 no such person", BounceKind.HARD),
        ("550 unknown user", BounceKind.HARD),
        ("554 5.7.1 looks like spam", BounceKind.SOFT),
        ("552 5.2.2 over quota", BounceKind.SOFT),
        ("554 transaction failed", BounceKind.SOFT),
    ],
)
def test_a_refusal_while_sending_is_judged_alike(answer: str, kind: BounceKind) -> None:
    assert refused(answer) is kind


SAMPLES = (dsn(ID), complaint(ID), qmail(ID), exim(ID))


@given(st.sampled_from(SAMPLES), st.data())
def test_however_mangled_it_came_it_is_read_without_an_error(raw: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(raw)))
    read(raw[:cut] + data.draw(st.binary(max_size=30)) + raw[cut + data.draw(st.integers(0, 200)) :])
