"""DKIM signatures (RFC 6376) over finished mail, by dkimpy."""

import re
from dataclasses import dataclass
from functools import lru_cache

import dkim  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

_RELAXED = (b"relaxed", b"relaxed")  # servers on the way may touch white space


@dataclass(frozen=True, slots=True)
class Key:
    """What a community's mail is signed with."""

    domain: str
    selector: str
    pem: bytes

    def header(self, mail: bytes) -> bytes:
        """The header to put above `mail`, whose lines end in CRLF. Takes some ten milliseconds: it is Python's RSA.

        Every header of the mail is signed, and From once more than it stands there, so that nobody can add another
        (8.15).
        """
        head = mail.partition(b"\r\n\r\n")[0]
        names = [field.partition(b":")[0].strip() for field in re.split(rb"\r\n(?![ \t])", head)]
        signed = [*names, b"From"]
        made: bytes = dkim.sign(
            mail, self.selector.encode(), self.domain.encode(), self.pem, canonicalize=_RELAXED, include_headers=signed
        )
        return made


@lru_cache(maxsize=8)
def key(domain: str, selector: str, pem: str) -> Key:
    """The key in a PEM file. Raises ValueError, saying what is wrong, unless it is RSA of 2048 bits or more."""
    try:
        found = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("is no private key in PEM format without a password") from None
    if not isinstance(found, RSAPrivateKey) or found.key_size < 2048:  # RFC 8301, 3.2; not all read Ed25519 yet
        raise ValueError("is no RSA key of 2048 bits or more")
    # Written anew, because dkimpy reads a file with other line ends, or with words around the key, as no key at all.
    return Key(domain, selector, found.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
