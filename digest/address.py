"""E-mail addresses, also beyond ASCII (RFC 6530): one spelling for each. Pure."""

import unicodedata

import idna


def canonical(address: str) -> str:
    """An address as it is stored and compared: lower case, composed (RFC 6532, 3.1), its domain as the DNS has it.

    What is no address comes back in lower case.
    """
    return ascii_domain(unicodedata.normalize("NFC", address.strip()).lower())


def ascii_domain(address: str) -> str:
    """An address with its domain as the DNS has it (RFC 5891, 4.4), so that its local part alone may need SMTPUTF8."""
    local, at, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def is_address(address: str) -> bool:
    """Whether mail can be sent to a canonical address: one @, no blanks or brackets, a domain that the DNS can have."""
    local, at, domain = address.partition("@")
    return (
        bool(at and local and domain)
        and domain.isascii()
        and address.isprintable()
        and not any(mark in address for mark in " <>")
        and "@" not in domain
    )
