"""Subject lines: base subject (RFC 5256, 2.1), prefixes in many languages, list tags, tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.thread.subject import Base, base, read, title


@pytest.mark.parametrize(
    ("subject", "text", "is_reply", "is_forward"),
    [
        ("Chest X-ray access", "chest x-ray access", False, False),
        ("Re: Chest X-ray access", "chest x-ray access", True, False),
        ("RE: AW: Re: Chest X-ray access", "chest x-ray access", True, False),
        ("Re[2]: Chest X-ray access", "chest x-ray access", True, False),
        ("Re (3): Chest X-ray access", "chest x-ray access", True, False),
        ("Re : Chest X-ray access", "chest x-ray access", True, False),
        ("[LEADS] Re: Chest X-ray access", "chest x-ray access", True, False),
        ("Re: [EXTERNAL] [LEADS] RE:  Chest X-ray\r\n access", "chest x-ray access", True, False),
        ("Antw: Chest X-ray access", "chest x-ray access", True, False),
        ("SV: VS: Rif: Odp: Chest X-ray access", "chest x-ray access", True, False),
        ("Fwd: Chest X-ray access", "chest x-ray access", False, True),
        ("Re: FW: WG: Chest X-ray access", "chest x-ray access", True, True),
        ("Chest X-ray access (fwd)", "chest x-ray access", False, True),
        ("[Fwd: Re: Chest X-ray access]", "chest x-ray access", True, True),
        ("Rehabilitation: who pays?", "rehabilitation: who pays?", False, False),
        ("Ref: budget", "ref: budget", False, False),
        ("[LEADS]", "[leads]", False, False),
        ("Re:", "", True, False),
        ("", "", False, False),
    ],
)
def test_a_subject_is_taken_apart(subject: str, text: str, is_reply: bool, is_forward: bool) -> None:
    assert base(subject) == Base(text, is_reply, is_forward, None)


def test_a_token_is_read_wherever_it_stands_and_leaves_the_base_subject() -> None:
    assert base("Re: Chest X-ray access [T14]") == Base("chest x-ray access", True, False, 14)
    assert base("[t7] [LEADS] Re: Chest X-ray access").token == 7
    assert base("Our [TEAM] grew, T14").token is None


def test_the_earlier_subject_is_read_from_was() -> None:
    assert base("RE: Nodules (was: Re: [LEADS] Chest X-ray access)").was == "chest x-ray access"
    assert base("Nodules [was Chest X-ray access]").was == "chest x-ray access"
    assert base("How it was").was == ""


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: [LEADS] chest X-ray access [T14]", "Chest X-ray access"),
        ("FW: eConsult and delays", "eConsult and delays"),
        ("Re: ", "No subject"),
    ],
)
def test_a_title_is_fit_to_be_shown(subject: str, expected: str) -> None:
    assert title(subject) == expected


@given(st.text(max_size=200))
def test_any_subject_is_read_and_a_base_subject_has_nothing_more_to_strip(subject: str) -> None:
    once = base(subject)
    again = base(once.text)
    assert (again.text, again.is_reply, again.is_forward) == (once.text, False, False)
    assert title(subject)


def test_an_unknown_prefix_is_one_when_outlooks_topic_is_what_follows_it() -> None:
    assert read("Qt: [LEADS] Chest X-ray access", "Chest X-ray access").is_reply
    assert read("Qt: Chest X-ray access", "Chest X-ray access").text == "chest x-ray access"
    assert not read("Qt: Chest X-ray access", "").is_reply
    assert not read("A word on: Chest X-ray access", "Chest X-ray access").is_reply
    assert not read("Chest X-ray access", "Chest X-ray access").is_reply
