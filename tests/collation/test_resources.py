"""What people share: each thing once, under a name that says what it is, with the sentence that names it."""

import pytest

from digest.collation import Contribution
from digest.collation.resources import key, resources
from digest.nouns import Resource, ResourceKind
from tests.collation.threads import BETH, SAM, asks, says


def shared(*replies: Contribution) -> list[Resource]:
    return resources([asks("Has anyone a leaflet?"), *replies], {one.message for one in replies})


def test_a_link_is_called_by_its_anchor_else_by_its_file_else_by_its_address() -> None:
    page, leaflet, bare = (
        "https://example.org/a/12",
        "https://example.org/f/Leaflet%20v2.pdf",
        "https://www.example.org/x/",
    )
    one = says(2, SAM, "Here.", links=(page, leaflet, bare), anchors={page: "Our FIT leaflet", bare: "click here"})
    assert [r.title for r in shared(one)] == ["Our FIT leaflet", "Leaflet v2.pdf", "example.org/x"]


def test_the_same_link_is_listed_once_however_it_was_sent_and_keeps_the_name_that_somebody_gave_it() -> None:
    first = says(2, SAM, "See it.", links=("https://www.example.org/guide/?utm_source=mail",))
    again = says(
        3, BETH, "Guide.", links=("http://example.org/guide",), anchors={"http://example.org/guide": "The guide"}
    )
    assert [(r.message, r.title) for r in shared(first, again)] == [(2, "The guide")]
    assert key("https://www.Example.org/a/?q=1&fbclid=x#top") == "example.org/a?q=1"


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("NICE NG12 says so in table 3.", ResourceKind.GUIDELINE, "NG12"),
        ("We follow DG 56 to the letter.", ResourceKind.GUIDELINE, "DG56"),
        ("SIGN 146 has a page on it.", ResourceKind.GUIDELINE, "SIGN 146"),
        ("That was the NHS-Galleri trial, which is closed.", ResourceKind.TRIAL, "NHS-Galleri"),
        ("It is registered as ISRCTN12345678.", ResourceKind.TRIAL, "ISRCTN12345678"),
        ("The nurses use the QCancer calculator.", ResourceKind.TOOL, "QCancer calculator"),
        ("C the Signs flags them for us.", ResourceKind.TOOL, "C the Signs"),
        ("Happy to share, mail me.", ResourceKind.CONTACT, "Happy to share, mail me."),
        ("Give me a ring if that is of use.", ResourceKind.CONTACT, "Give me a ring if that is of use."),
    ],
)
def test_what_is_named_comes_with_the_sentence_that_names_it(text: str, kind: ResourceKind, title: str) -> None:
    (found,) = shared(says(2, SAM, text))
    assert (found.kind, found.title) == (kind, title)
    assert found.evidence is not None
    assert found.evidence.quote == text


@pytest.mark.parametrize(
    "text",
    [
        "Has anybody used the QCancer calculator?",
        "Our Trust template is poor.",
        "The pilot study was small.",
        "Patients ring us when the text comes.",
        "A nasogastric NG tube and pH 7.",
        "Could you send me the form?",
    ],
)
def test_what_shares_nothing_is_no_resource(text: str) -> None:
    assert shared(says(2, SAM, text)) == []


def test_an_identifier_reaches_no_resource() -> None:
    text = "Ring me about Ada Person, the letter is at https://example.org/ada-person.pdf"
    link = "https://example.org/ada%20person.pdf"
    one = says(2, SAM, text, masks={(14, 24): "patient_name"}, links=(link,))
    assert "person" not in " ".join(r.model_dump_json().lower() for r in shared(one)).replace("person.pdf", "")
    assert not any(r.url for r in shared(one))
