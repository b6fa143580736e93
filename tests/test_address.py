"""One spelling for each address, also beyond ASCII."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.address import ascii_domain, canonical, is_address


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" Gwen@Example.ORG ", "gwen@example.org"),
        ("ΗΛΊΑΣ@example.org", "ηλίας@example.org"),
        ("sia\u0302n@example.org", "siân@example.org"),  # two ways to write one letter
        ("jo@Bücher.example", "jo@xn--bcher-kva.example"),
        ("jo@xn--bcher-kva.example", "jo@xn--bcher-kva.example"),
        ("jo@straße.example", "jo@xn--strae-oqa.example"),  # IDNA 2008, and not the "strasse" of 2003
        ("no address", "no address"),
    ],
)
def test_each_address_has_one_spelling(written: str, stored: str) -> None:
    assert canonical(written) == stored
    assert canonical(stored) == stored


@pytest.mark.parametrize("address", ["siân@example.org", "用户@xn--bcher-kva.example", "o'neil@example.org"])
def test_mail_can_be_sent_to(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "gwen",
        "@example.org",
        "gwen@",
        "a@b@example.org",
        "a b@example.org",
        "a@ex\r\nample.org",
        "<a@example.org>",
        "a\u3000b@example.org",
        "jo@☃..example",
        "a@\u202eexample.org",
    ],
)
def test_mail_cannot_be_sent_to(address: str) -> None:
    assert not is_address(canonical(address))


@given(st.text())
def test_whatever_is_found_to_be_an_address_has_a_domain_in_ascii_and_keeps_its_local_part(text: str) -> None:
    address = ascii_domain(f"{text}@bücher.example")
    assert address == f"{text}@xn--bcher-kva.example"
    assert not is_address(canonical(text)) or canonical(text).rpartition("@")[2].isascii()
