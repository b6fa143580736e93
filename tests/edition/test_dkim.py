"""DKIM signatures as bytes. Whether others take them for true is tried in tests/live/test_dkim_live.py."""

import email
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.edition.dkim import private_key, signed
from digest.edition.render import wire
from tests.edition.test_render import FROZEN, READER, every_mail

KEY = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_the_signature_stands_above_a_mail_that_is_otherwise_as_it_was() -> None:
    for mail in every_mail():
        made = signed(mail, "example.org", "s1", KEY)
        assert made.endswith(b"\r\n" + mail)
        header = made.removesuffix(mail)
        assert header.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=example.org; s=s1;\r\n")
        assert all(len(line) <= 78 for line in header.split(b"\r\n"))
        assert signed(mail, "example.org", "s1", KEY) == made


def test_every_header_is_signed_and_from_once_more_than_it_stands_there() -> None:
    mail = wire(FROZEN, READER)
    made = email.message_from_bytes(signed(mail, "example.org", "s1", KEY))
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
        private_key(text)


def test_a_key_is_read_from_its_file() -> None:
    assert private_key(pem(KEY)).private_numbers() == KEY.private_numbers()
