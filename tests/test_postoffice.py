"""The post office of the demo: real protocols, one INBOX, everybody else's mail on a shelf."""

import smtplib
import socket

import pytest

from digest.mailbox.imap import connect
from digest.postoffice import PostOffice

MAIL = b"Subject: x\r\n\r\n.dots\r\n..\r\ncaf\xc3\xa9\r\n"


def test_mail_for_the_service_goes_into_its_inbox_and_all_other_mail_onto_the_shelf() -> None:
    with PostOffice({"Stream@example.org", "digest@example.org"}) as office:
        with smtplib.SMTP("127.0.0.1", office.smtp_port, local_hostname="localhost") as smtp:
            both = ["stream@example.org", "digest@example.org", "asha.patel@example.org", "owen.jones@example.org"]
            smtp.sendmail("tunde.bello@example.org", both, MAIL)
        with connect(office.imap) as client:
            client.select_folder("INBOX", readonly=True)
            [mail] = client.fetch(client.search(), ["BODY.PEEK[]"]).values()
        assert mail[b"BODY[]"] == MAIL
        assert office.outbox == [("asha.patel@example.org", MAIL), ("owen.jones@example.org", MAIL)]


def test_it_closes_with_clients_still_there_and_leaves_nothing_listening() -> None:
    with PostOffice({"stream@example.org"}) as office:
        client = connect(office.imap)
        client.select_folder("INBOX")
        client.idle()
        resting = socket.create_connection(("127.0.0.1", office.smtp_port))
    resting.close()
    client.shutdown()
    for port in (office.imap_port, office.smtp_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()


def test_two_can_be_open_at_once() -> None:
    with PostOffice({"a@example.org"}) as one, PostOffice({"b@example.org"}) as other:
        assert len({one.imap_port, one.smtp_port, other.imap_port, other.smtp_port}) == 4
