"""DKIM signatures as bytes. Whether others take them for true is tried in tests/live/test_dkim_live.py."""

import email
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.delivery import dkim
from digest.edition.render import wire
from tests.edition.test_render import FROZEN, READER, every_mail

PRIVATE = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEY = dkim.key("example.org", "s1", pem(PRIVATE))


def test_the_signature_is_one_header_of_short_lines_in_ascii() -> None:
    for mail in every_mail():
        header = KEY.header(mail)
        assert header.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;\r\n ")
        assert header.endswith(b"\r\n")
        assert header.isascii()
        lines = header.removesuffix(b"\r\n").split(b"\r\n")
        assert all(line.startswith(b" ") for line in lines[1:])
        assert all(len(line) <= 78 for line in lines)
        assert b"\n" not in header.replace(b"\r\n", b"")


def test_every_header_is_signed_and_from_once_more_than_it_stands_there() -> None:
    mail = wire(FROZEN, READER)
    made = email.message_from_bytes(KEY.header(mail) + mail)
    names = "".join(re.findall(r"h=([^;]*);", made["DKIM-Signature"])[0].split()).split(":")
    there = [name.lower() for name in email.message_from_bytes(mail)]
    assert sorted(names) == sorted([*there, "from"])
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)  # RFC 8058, 4 wants these two


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key of 2048 bits"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dkim.key("example.org", "s1", text)


def test_a_key_is_read_however_its_file_is_written() -> None:
    for text in (pem(PRIVATE), pem(PRIVATE).replace("\n", "\r\n"), f"our key:\n{pem(PRIVATE)}"):
        assert dkim.key("example.org", "s1", text) == KEY
    older = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert dkim.key("example.org", "s1", older.decode()).pem == KEY.pem == older
