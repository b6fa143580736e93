"""What a text may be wrapped in, and parts that are not what they say."""

import base64
import struct
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.message.charset import once, undeclared_base64
from digest.message.parse import Parsed, parse
from digest.message.wrapping import enriched, signed_content, unarmoured, uudecoded
from tests.message.mails import raw


def _signed(content: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ann Carter")])
    now = datetime(2026, 1, 5, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nWe do, \xc2\xa380.\r\n"
# The same with lengths left open, as programs write it that stream (X.690, 8.1.3.6): pieces of an octet string.
PIECES = b"\x24\x80" + b"".join(b"\x04" + bytes((len(p),)) + p for p in (INNER[:20], INNER[20:])) + b"\0\0"
OPEN = (
    b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09"
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80" + PIECES + b"\0\0" * 5
)


@pytest.mark.parametrize("wrapper", [_signed(INNER), OPEN])
def test_a_signed_smime_wrapper_is_opened(wrapper: bytes) -> None:
    head = (
        "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        "Content-Transfer-Encoding: base64",
    )
    parsed = parse(raw(*head, body=base64.encodebytes(wrapper)))
    assert [text.text.strip() for text in parsed.texts] == ["We do, £80."]
    assert (parsed.problems, parsed.unreadable, parsed.files) == ([], "", [])


@given(
    st.binary(max_size=200)
    | st.builds(lambda a, b: OPEN[:a] + b + OPEN[a:], st.integers(0, 120), st.binary(max_size=9))
)
@settings(deadline=None)
def test_no_wrapper_raises(data: bytes) -> None:
    signed_content(data)


def test_pgp_armour_is_taken_off_and_what_is_encrypted_is_said() -> None:
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nWe do.\n- -- \nAnn\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQ=\n-----END PGP SIGNATURE-----\nfooter"
    )
    assert unarmoured(signed) == ("We do.\n-- \nAnn\n\nfooter", "")
    closed = parse(
        raw("Content-Type: text/plain", body=b"-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n")
    )
    assert "encrypted" in closed.unreadable
    quoted = "> -----BEGIN PGP SIGNED MESSAGE-----\n> x"
    assert unarmoured(quoted) == (quoted, "")


def test_a_uuencoded_file_is_a_file() -> None:
    text = "Hi\n\nbegin 644 plan.txt\n%2&5L;&\\\n`\nend\n\nAnn"
    assert uudecoded(text) == ("Hi\n\n\n\nAnn", [("plan.txt", b"Hello")])
    assert uudecoded("begin 644 steps\nnow\nend") == ("begin 644 steps\nnow\nend", [])


def test_enriched_text_is_read() -> None:
    assert enriched("<bold>Hi</bold>\nall\n\na << b\n") == "Hi all\na < b "


def _parts(*parts: bytes, kind: str = "mixed") -> Parsed:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return parse(raw(f"Content-Type: multipart/{kind}; boundary=b", body=body))


ICS = b"Content-Type: text/calendar; method=REQUEST; name=day.ics\r\n%s\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n"


def test_a_calendar_file_attached_to_words_is_a_file_and_no_invitation() -> None:
    words = b"\r\nSave the date."
    attached = _parts(words, ICS % b"Content-Disposition: attachment; filename=day.ics\r\n")
    assert ([f.name for f in attached.files], attached.methods) == (["day.ics"], [])
    invited = _parts(words, ICS % b"", kind="alternative")
    assert (invited.files, invited.methods) == ([], ["REQUEST"])


PICTURE = (
    b"Content-Type: image/jpeg; name=p.jpg\r\nContent-ID: <x>\r\nContent-Disposition: inline; filename=p.jpg\r\n\r\nx"
)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (b"\r\nSee the photo.", ["p.jpg"]),  # a phone gives it a Content-ID that nothing refers to
        (b"Content-Type: text/html\r\n\r\n<p>See <img src='cid:x'></p>", []),
        (b"\r\nSee [cid:x].", []),
    ],
)
def test_a_picture_is_attached_unless_a_text_shows_it(text: bytes, files: list[str]) -> None:
    assert [f.name for f in _parts(text, PICTURE).files] == files


def test_parts_without_their_boundary_are_read_as_text() -> None:
    parsed = parse(raw("Content-Type: multipart/mixed; boundary=gone", body=b"We do.\r\n"))
    assert [text.text.strip() for text in parsed.texts] == ["We do."]
    assert "boundary" in parsed.problems[0]


def test_text_in_utf8_twice_and_in_base64_that_nobody_declared_is_read() -> None:
    assert once("It’s £80 – é".encode().decode("cp1252")) == "It’s £80 – é"
    assert once("Â£5 and ’") == "Â£5 and ’"  # not all of the line is that
    assert once("naïve café") == "naïve café"
    words = b"Dear all, this is a mail that is long enough to be more than one line of base64.\n"
    assert undeclared_base64(base64.encodebytes(words)) == words
    assert undeclared_base64(b"A" * 76 + b"\n" + b"A" * 76) == b"A" * 76 + b"\n" + b"A" * 76


def test_the_text_of_a_winmail_dat_is_read_when_there_is_no_other() -> None:
    def attribute(id: int, value: bytes) -> bytes:
        return struct.pack("<BII", 1, id, len(value)) + value + b"\0\0"

    said = "We do, £80.".encode("utf-16-le")
    properties = struct.pack("<I", 1) + struct.pack("<HHII", 0x1F, 0x1000, 1, len(said)) + said
    wrapper = struct.pack("<IH", 0x223E9F78, 1) + attribute(0x00069003, properties)
    head = ("Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64")
    assert [t.text for t in parse(raw(*head, body=base64.encodebytes(wrapper))).texts] == ["We do, £80."]
    part = b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(
        wrapper
    )
    assert [t.text.strip() for t in _parts(b"\r\nHello", part).texts] == ["Hello"]


def test_a_mail_inside_a_mail_has_its_size() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nFrom: ann@example.org\r\nSubject: Results\r\n\r\nUp by 5%"
    (file,) = _parts(b"\r\nSee attached.", inner).files
    assert (file.name, file.size) == ("Results.eml", 51)
