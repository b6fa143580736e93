"""Small mails of our own writing: invented people at example.org."""

from email.message import EmailMessage

FROM = "Dr Ann Carter <ann.carter@example.org>"
STREAM = "stream@lists.example.org"


def mail(body: str = "Hello all\n", *, html: str = "", **headers: str) -> bytes:
    """A mail with ordinary headers; `Message_ID="…"` sets a header, "" leaves it out."""
    message = EmailMessage()
    values = {
        "From": FROM,
        "To": STREAM,
        "Subject": "CT access",
        "Date": "Mon, 05 Jan 2026 09:00:00 +0000",
        "Message-ID": "<2@example.org>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in values.items():
        if value:
            message[name] = value
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def raw(*lines: str, body: bytes = b"Hello all\r\n") -> bytes:
    """A mail written out by hand: header lines, then the body's bytes."""
    head = [f"From: {FROM}", "Date: Mon, 05 Jan 2026 09:00:00 +0000", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
