"""DKIM signatures (RFC 6376) over finished mail. Pure.

Own code on the `cryptography` package: the Python library for it is published as source only, and its RSA is in Python,
many times slower. What checks the signatures in the tests is that library, as Debian has it.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_CRLF = b"\r\n"
_NAMES, _BASE64 = 70, 72  # a line of the header's own folding is no longer than this


@lru_cache(maxsize=8)  # every mail of a community is signed with the same key
def private_key(pem: str) -> RSAPrivateKey:
    """The key in a PEM file. Raises ValueError, saying what is wrong, unless it is RSA of 2048 bits or more."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("is no private key in PEM format without a password") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:  # RFC 8301, 3.2; Ed25519 is not read everywhere yet
        return key
    raise ValueError("is no RSA key of 2048 bits or more")


def signed(mail: bytes, domain: str, selector: str, key: RSAPrivateKey) -> bytes:
    """`mail`, whose lines end in CRLF, with a DKIM-Signature over all of it above its first header.

    Every header it has is signed, and From once more than it stands there, so that nobody can add another (8.15). The
    signature bears no time: a mail that is made again is the same bytes.
    """
    head, _, body = mail.partition(_CRLF * 2)
    fields = [_relaxed(field) for field in re.split(rb"\r\n(?![ \t])", head)]
    # 5.4.2: of headers with the same name the last is taken first, and so on upwards.
    fields.reverse()
    names = [*(field.partition(b":")[0] for field in fields), b"from"]
    ours = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n\th=%s;\r\n\tbh=%s;\r\n\tb=" % (
        domain.encode("ascii"),
        selector.encode("ascii"),
        _folded(names),
        base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()),
    )
    signature = base64.b64encode(key.sign(_CRLF.join([*fields, _relaxed(ours)]), PKCS1v15(), SHA256()))
    lines = [signature[at : at + _BASE64] for at in range(0, len(signature), _BASE64)]
    return ours + b"\r\n\t".join(lines) + _CRLF + mail


def _relaxed(field: bytes) -> bytes:
    """A header field as "relaxed" has it (3.4.2), without its line end."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    """A body as "relaxed" has it (3.4.4)."""
    body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", _CRLF).rstrip(b" ")
    body = re.sub(rb"(?:\r\n)+\Z", b"", body)
    return body + _CRLF if body else b""


def _folded(names: Sequence[bytes]) -> bytes:
    lines, line = [], b""
    for name in names:
        if line and len(line) + 1 + len(name) > _NAMES:
            lines.append(line)
            line = name
        else:
            line = line + b":" + name if line else name
    return b":\r\n\t ".join([*lines, line])
