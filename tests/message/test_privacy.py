"""Patient identifiers, and what only looks like them. All numbers are from test and drama ranges."""

import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.message import Ours, Person, understand
from digest.message.privacy import NOBODY, Known, identifiers, valid_nhs_number
from digest.nouns import Place
from tests.message.mails import mail, raw


def _hits(text: str, known: Known = NOBODY) -> list[tuple[str, str]]:
    return [(hit.type, hit.text) for hit in identifiers(text, Place.BODY, known)]


@pytest.mark.parametrize(
    ("digits", "valid"),
    [("9434765919", True), ("9434765918", False), ("9991042172", True), ("1111111111", False), ("999104217", False)],
)
def test_the_check_digit_of_an_nhs_number(digits: str, valid: bool) -> None:
    assert valid_nhs_number(digits) is valid


@given(st.from_regex(r"\A[1-9][0-9]{8}\Z"))
def test_at_most_one_check_digit_fits(nine: str) -> None:
    assert sum(valid_nhs_number(f"{nine}{d}") for d in range(10)) <= 1


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("seen again, 999 104 2172, in May", [("nhs_number", "999 104 2172")]),
        ("9991042172", [("nhs_number", "9991042172")]),
        ("999-104-2172.", [("nhs_number", "999-104-2172")]),
        ("NHS no: 999 104 2173", [("nhs_number", "999 104 2173")]),  # named as one, so a slip of the pen hides nothing
        ("(NHS 9991042173)", [("nhs_number", "9991042173")]),
        ("DOB 14/03/1953", [("dob", "14/03/1953")]),
        ("d.o.b. 3rd March 1953", [("dob", "3rd March 1953")]),
        ("she was born on 3 Mar 53", [("dob", "3 Mar 53")]),
        ("Date of birth: 1953-03-14", [("dob", "1953-03-14")]),
        ("Mrs Alderthwaite has a mass", [("patient_name", "Mrs Alderthwaite")]),
        ("I saw Mr J O'Farrant-Lee today", [("patient_name", "Mr J O'Farrant-Lee")]),
        ("my patient Jocelyn Quillfeather", [("patient_name", "Jocelyn Quillfeather")]),
        ("Patient Jocelyn Quillfeather was", [("patient_name", "Jocelyn Quillfeather")]),
        ("a lady, Jocelyn Quillfeather, aged 42", [("patient_name", "Jocelyn Quillfeather")]),
        ("a man called Odo McNabbing", [("patient_name", "Odo McNabbing")]),
        ("Patient name: QUILLFEATHER, Jocelyn", [("patient_name", "QUILLFEATHER, Jocelyn")]),
        (
            "Jocelyn Quillfeather DOB 14.3.53",
            [("patient_name", "Jocelyn Quillfeather"), ("dob", "14.3.53")],
        ),
        ("Mrs Quillfeather, 14/03/1953", [("patient_name", "Mrs Quillfeather"), ("dob", "14/03/1953")]),
        ("hospital no RK9 4471902", [("hospital_number", "RK9 4471902")]),
        ("MRN: 1234567", [("hospital_number", "1234567")]),
        (
            "she lives at 12 Cobbler Row, Anyham, ZZ99 3VZ",
            [("address", "12 Cobbler Row, Anyham"), ("postcode", "ZZ99 3VZ")],
        ),
        ("her home is Flat 2, 14 Long Meadow Close", [("address", "Flat 2, 14 Long Meadow Close")]),
        ("ring the patient on 07700 900733 today", [("phone", "07700 900733")]),
        ("her daughter, tel +44 7700 900733", [("phone", "+44 7700 900733")]),
        ("the patient's e-mail is j.quill@mail.example.net", [("email", "j.quill@mail.example.net")]),
    ],
)
def test_identifiers_are_found(text: str, hits: list[tuple[str, str]]) -> None:
    assert _hits(text) == hits


MEMBERS = Known.of(["Dr Ann Carter", "Ben Okoro"], ["ann.carter@example.org"])


@pytest.mark.parametrize(
    "text",
    [
        "Meeting ID: 999 104 2172",
        "Tel 01632 960 000",
        "High Lane Surgery (Z99999), 14 High Lane, ZZ1 1ZZ",
        "What do you tell her?\n\nTej\n\nGP Partner\nElm Tree Family Practice, 3 Cobbler Row, Anyham ZZ99 3VZ",
        "the trial is ISRCTN99999901 or NCT00000000",
        "call me on 07700 900142",
        "ring our office on 01632 960000 about her",
        "We asked Mr Patel, the colorectal surgeon",
        "under Mr Patel at the trust",
        "I agree with Ms Carter",
        "the patient Ann Carter asked about",
        "patients in East Anglia and the North West",
        "one of them in January 2026",
        "published on 14/03/2024",
        "a patient information leaflet from Cancer Research",
        "my patients write to ann.carter@example.org",
        "£1,234,567 and 1234567 tests",
        "version 9991042172.1 or x9991042172",
        "https://example.org/9991042172x",
        "10 patients of 12 had a 14 day wait",
        "Crohn's, Barrett's and Hodgkin's",
    ],
)
def test_what_only_looks_like_an_identifier_is_none(text: str) -> None:
    assert _hits(text, MEMBERS) == []


def test_hits_do_not_overlap_and_their_spans_count_from_the_offset() -> None:
    text = "Mrs Quillfeather, NHS no 999 104 2172, tel 07700 900733"
    hits = identifiers(text, Place.BODY, offset=100)
    assert [text[hit.start - 100 : hit.end - 100] for hit in hits] == [hit.text for hit in hits]
    assert all(a.end <= b.start for a, b in pairwise(hits))


def test_a_mail_is_searched_in_body_quote_subject_and_file_names_but_not_in_signatures() -> None:
    ours = Ours("stream@lists.example.org", "digest@example.org", (Person("Ann Carter", ("ann.carter@example.org",)),))
    text = (
        "Mrs Quillfeather again.\n\nAnn\n07700 900142\n\nOn 5 Jan 2026, Ben Okoro <b@x.org> wrote:\n> DOB 14/03/1953\n"
    )
    understood = understand(mail(text, Subject="Re: NHS 9991042172"), ours)
    assert [(hit.place, hit.text) for hit in understood.hits] == [
        (Place.SUBJECT, "9991042172"),
        (Place.BODY, "Mrs Quillfeather"),
        (Place.QUOTED, "14/03/1953"),
    ]
    for hit in understood.hits[1:]:
        assert understood.text[hit.start : hit.end] == hit.text
    lines = ("Content-Type: application/pdf", 'Content-Disposition: attachment; filename="Mrs Quillfeather CT.pdf"')
    found = understand(raw(*lines), ours).hits
    assert [(hit.place, hit.text) for hit in found] == [(Place.ATTACHMENT_NAME, "Mrs Quillfeather")]


@pytest.mark.parametrize(
    "piece", ["St ", "12 High Street, ", "Mr ", "a@a.", "1950 ", "Aa, ", "9990", "%20 ", "\n> x", "dob 1/"]
)
def test_the_work_is_linear_in_the_text(piece: str) -> None:
    """Counted, not timed: how often patterns are tried does not grow faster than the text."""
    short, long = (_calls((piece * size)[:size]) for size in (4_000, 16_000))
    assert long <= 5 * short + 100


def _calls(text: str) -> int:
    calls = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        identifiers(text, Place.QUOTED)
    finally:
        sys.setprofile(None)
    return calls
