"""Mails that came back, as servers of several makes write them, to invented people."""

from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText

GONE = "550 5.1.1 <asha@practice.example.org>: Recipient address rejected: User unknown in virtual mailbox table"


def _headers(message_id: str) -> str:
    return (
        "From: Digest <digest@example.org>\nTo: Asha Patel <asha@practice.example.org>\nSubject: Issue 12\n"
        f"Message-ID: <{message_id}>\nPrecedence: bulk\n\n"
    )


def dsn(
    message_id: str,
    recipient: str = "asha@practice.example.org",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = f"smtp; {GONE}",
    returned: str = "message/rfc822",
    original: str = "",
) -> bytes:
    """A delivery status notification (RFC 3464) as Postfix, Exchange and others send it."""
    mail = _report("delivery-status")
    mail["From"] = "MAILER-DAEMON@post.example.org (Mail Delivery System)"
    mail["To"], mail["Subject"] = "digest@example.org", "Undelivered Mail Returned to Sender"
    mail["Auto-Submitted"], mail["Message-ID"] = "auto-replied", f"<{recipient}.{message_id}>"
    mail.attach(MIMEText("I'm sorry to have to inform you that your message could not be delivered.\n"))
    fields: list[Message | str] = []
    about, one = Message(), Message()
    about["Reporting-MTA"] = "dns; post.example.org"
    if original:
        one["Original-Recipient"] = f"rfc822;{original}"
    one["Final-Recipient"], one["Action"] = f"rfc822; {recipient}", action
    one["Status"] = status
    if diagnostic:
        one["Diagnostic-Code"] = diagnostic
    fields += [about, one]
    report = MIMEBase("message", "delivery-status")
    report.set_payload(fields)
    mail.attach(report)
    mail.attach(_original(message_id, returned))
    return mail.as_bytes()


def _report(report_type: str) -> MIMEMultipart:
    mail = MIMEMultipart("report")
    mail.set_param("report-type", report_type)
    return mail


def _original(message_id: str, returned: str) -> Message:
    if returned == "message/rfc822":
        inner = EmailMessage()
        for line in _headers(message_id).strip().splitlines():
            name, _, value = line.partition(": ")
            inner[name] = value
        inner.set_content("The digest.\n")
        part = MIMEBase("message", "rfc822")
        part.set_payload([inner])
        return part
    headers = MIMENonMultipart(*returned.split("/"))
    headers.set_payload(_headers(message_id))
    return headers


def complaint(message_id: str, feedback: str = "abuse") -> bytes:
    """A complaint in the Abuse Reporting Format (RFC 5965), the reader's address left out as providers do."""
    mail = _report("feedback-report")
    mail["From"], mail["To"], mail["Subject"] = "fbl@provider.example", "digest@example.org", "FW: Issue 12"
    mail.attach(MIMEText("This is an email abuse report for an email message.\n"))
    report = MIMEBase("message", "feedback-report")
    report.set_payload(f"Feedback-Type: {feedback}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n\n")
    mail.attach(report)
    mail.attach(_original(message_id, "message/rfc822"))
    return mail.as_bytes()


def qmail(message_id: str) -> bytes:
    """What qmail writes: prose, and the mail below a line of its own."""
    return (
        b"From: MAILER-DAEMON@post.example.org\nTo: digest@example.org\nSubject: failure notice\n"
        b"Date: Tue, 24 Nov 2026 08:00:00 +0000\n\n"
        b"Hi. This is the qmail-send program at post.example.org.\n"
        b"I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        b"This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        b"<asha@practice.example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        b"--- Below this line is a copy of the message.\n\nReturn-Path: <digest@example.org>\n"
    ) + _headers(message_id).encode()


def exim(message_id: str) -> bytes:
    """What Exim writes where it is told to send no report."""
    return (
        b"From: Mail Delivery System <Mailer-Daemon@post.example.org>\nTo: digest@example.org\n"
        b"X-Failed-Recipients: asha@practice.example.org\nAuto-Submitted: auto-replied\n"
        b"Subject: Mail delivery failed: returning message to sender\nDate: Tue, 24 Nov 2026 08:00:00 +0000\n\n"
        b"A message that you sent could not be delivered to one or more of its\nrecipients. "
        b"This is a permanent error. The following address(es) failed:\n\n"
        b"  asha@practice.example.org\n    Unrouteable address\n\n"
        b"------ This is a copy of the message, including all the headers. ------\n\n"
    ) + _headers(message_id).encode()
