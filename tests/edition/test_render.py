"""An edition and the service's own letters as mail: raw bytes, text, HTML."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from lxml import html

from digest.edition.compile import only_questions
from digest.edition.render import HTML_LIMIT, Recipient, dumps, freeze, letter, loads, wire
from digest.nouns import Content, Kind, Resource
from tests.edition.sample import (
    BLOODS,
    CONDITION,
    JO,
    KITS,
    LEAFLET,
    MASTERCLASS,
    PRIYA,
    SENDER,
    edition,
    parts,
    point,
    post,
    said,
    thread,
)


def reader(name: str, address: str, member: int) -> Recipient:
    token = f"{member}.20261109.c2lnbmF0dXJlLW9mLWl0"
    return Recipient(name, address, member, token, f"https://digest.example.org/digest/{token}")


READER = reader("Dr Siân Hughes", "sian@example.org", 7)
FROZEN = freeze(edition(), SENDER)
NOW = datetime(2026, 11, 8, 7, 0, tzinfo=UTC)
TITLES = ["Unreturned FIT kits", "Bloods before an FDS referral for a patient who is losing weight <quickly>"]
LETTERS: dict[str, dict[str, object]] = {
    "sign_in": {"link": "https://digest.example.org/sign-in/abc", "minutes": 20},
    "left": {"link": READER.wishes},
    "wishes": {"link": READER.wishes, "days": 90},
    "in_review": {
        "number": 12,
        "titles": TITLES,
        "hindrances": ["“Unreturned FIT kits”: 1 reply is neither used nor set aside."],
        "send_at": "Monday 9 November 2026 at 7am",
        "link": "https://digest.example.org/edition/3",
    },
    **{
        f"not_reviewed {why}": {
            "number": 12,
            "why": why,
            "send_at": "Monday 9 November 2026 at 7am",
            "link": "https://digest.example.org/edition/3",
        }
        for why in ("skipped", "waiting", "late", "overdue", "changed")
    },
}


def written(name: str, **instead: object) -> bytes:
    return letter(name.split()[0], SENDER, READER.name, READER.address, name, NOW, **{**LETTERS[name], **instead})


def every_mail() -> Iterator[bytes]:
    yield wire(FROZEN, READER)
    yield wire(freeze(replace(edition(), dates=()), SENDER), READER)
    yield wire(freeze(only_questions(edition()), SENDER), READER)
    yield wire(freeze(replace(edition(), covers=(9, 10, 12)), SENDER), READER)
    yield from (written(name) for name in LETTERS)


def heads(raw: bytes) -> list[str]:
    return raw.split(b"\r\n\r\n", 1)[0].decode("ascii").split("\r\n")


# --- wire bytes --------------------------------------------------------------------------------------------------


def test_the_editions_headers_are_exactly_these() -> None:
    key = FROZEN.key
    assert re.fullmatch("[0-9a-f]{24}", key)
    assert heads(wire(FROZEN, READER)) == [
        "From: Early Diagnosis Leads digest <digest@example.org>",
        "Reply-To: Early Diagnosis Leads digest <digest@example.org>",
        "To: =?utf-8?q?Dr_Si=C3=A2n_Hughes?= <sian@example.org>",
        "Subject: Early Diagnosis Leads: Issue 12, 1 question for you",
        "Date: Mon, 09 Nov 2026 07:00:00 +0000",
        f"Message-ID: <leads.12.7.{key}@example.org>",
        "List-Id: Early Diagnosis Leads <leads.digest.example.org>",
        "List-Post: <mailto:digest@example.org>",
        "List-Help: <mailto:digest@example.org?subject=help>",
        "List-Archive: <https://digest.example.org/editions>",
        f"List-Unsubscribe: <{READER.wishes}>, <mailto:digest@example.org?subject=unsubscribe%20{READER.token}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Precedence: bulk",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Content-Language: en-GB",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="mixed.{key}"',
    ]
    undated = wire(freeze(replace(edition(), dates=()), SENDER), READER)
    assert re.fullmatch('Content-Type: multipart/alternative; boundary="[0-9a-f]{24}"', heads(undated)[-1])


def test_every_mail_is_seven_bit_crlf_with_short_lines() -> None:
    for raw in every_mail():
        assert raw.isascii()
        assert b"\r" not in raw.replace(b"\r\n", b"")
        assert b"\n" not in raw.replace(b"\r\n", b"")
        assert b"\0" not in raw
        assert all(len(line) <= 76 for line in raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))
        assert raw.endswith(b"--\r\n")


def test_every_mail_is_one_text_and_one_html_part_without_defects() -> None:
    for raw in every_mail():
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        types = [part.get_content_type() for part in mail.walk()]
        if types[0] == "multipart/mixed":  # an edition with dates
            assert (types.pop(0), types.pop()) == ("multipart/mixed", "text/calendar")
        assert types == ["multipart/alternative", "text/plain", "text/html"]
        assert not any(part.defects for part in mail.walk())
        for name in ("From", "To", "Reply-To", "Subject", "Date", "Message-ID"):
            assert not mail[name].defects, name


def test_a_mail_is_the_same_whenever_it_is_made_again() -> None:
    raw = wire(FROZEN, READER)
    assert wire(freeze(edition(), SENDER), READER) == raw
    assert wire(loads(dumps(FROZEN)), READER) == raw
    assert dumps(loads(dumps(FROZEN))) == dumps(FROZEN)
    assert loads(dumps(FROZEN)) == FROZEN
    assert written("sign_in") == written("sign_in")


def test_two_recipients_mails_differ_in_nothing_but_themselves() -> None:
    other = reader("Jo Bell", "jo+digest@example.org", 8)
    raw = wire(FROZEN, other)
    assert b"sian" not in raw
    assert heads(raw)[2] == "To: Jo Bell <jo+digest@example.org>"
    one, two = (
        "\n".join(parts(wire(FROZEN, r))).replace(r.address, "ADDRESS").replace(r.wishes, "WISHES")
        for r in (READER, other)
    )
    assert one == two


def test_an_edition_that_changed_has_another_message_id() -> None:
    changed = freeze(edition(introduction="Hello"), SENDER)
    assert heads(wire(changed, READER))[5] != heads(wire(FROZEN, READER))[5]


def test_a_plain_reply_reaches_the_service_and_never_the_stream() -> None:
    for raw in every_mail():
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert {a.addr_spec for name in ("From", "Reply-To") for a in mail[name].addresses} == {"digest@example.org"}
        assert "leads@lists.example.org" not in "\n".join(heads(raw))


def test_a_sender_named_in_the_settings_is_named_so() -> None:
    named = replace(SENDER, digest_sender="Cancer digest <digest@example.org>", community="Né à Leeds")
    lines = heads(wire(freeze(edition(), named), READER))
    assert lines[0] == "From: Cancer digest <digest@example.org>"
    assert "List-Id: <leads.digest.example.org>" in lines  # no list header is ever an encoded word


def test_a_name_cannot_start_a_header() -> None:
    raw = wire(FROZEN, reader("Jo\r\nBcc: all@example.org", "jo@example.org", 8))
    assert heads(raw)[2] == 'To: "Jo Bcc: all@example.org" <jo@example.org>'
    with pytest.raises(ValueError, match="To"):
        wire(FROZEN, reader("Jo", "jo@example.org\r\nBcc: all@example.org", 8))


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1), st.text())
def test_no_words_of_a_member_break_the_mail(title: str, words: str) -> None:
    content = Content(question=[said(1, words)], points=[point(words, said(2, words))], note=words)
    wild = thread(1, title, content, post(1, replace(PRIYA, name=title), Kind.QUESTION), post(2, JO))
    frozen = freeze(edition(wild, MASTERCLASS, introduction=words), SENDER)
    raw = wire(frozen, READER)
    assert raw.isascii()
    assert all(len(line) <= 76 for line in raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))
    text, page = parts(raw)
    for part in (text, page):
        assert READER.address in part
        assert "Masterclass" in part


# --- what it says ------------------------------------------------------------------------------------------------


def test_the_text_part_reads_by_itself() -> None:
    text, _ = parts(wire(FROZEN, READER))
    assert all(len(line) <= 72 or "https://" in line for line in text.splitlines())
    assert "<p" not in text
    assert "\n\n\n" not in text
    for words in (
        "Early Diagnosis Leads: Issue 12\n===============================\n9 November 2026\n\nCan you help?\n",
        "From the coordinator\n====================\n\nThank you for a lively week.",
        "The guidance (https://www.example.org/fit)\nis out.",
        "This question has no answer yet.",
        "> Has anyone translated the leaflet into Polish?",
        "2 new questions and 6 replies since the last issue, from 4 Alliances:",
        "Asked by Dr Priya Nair, Northern, on 3 November 2026\n"
        "Asked before in Issue 7: Kits that never come back\nhttps://digest.example.org/thread/3\n",
        "* “We run a weekly search for kits handed out more than 14 days ago.”\n"
        "  - Dr Tom Reed (Peninsula), Dr Siân Hughes (Cheshire and Merseyside)\n"
        f"  - Dr Sam Okoro (Kent and Medway) differs: “{CONDITION[:18]}",
        "* “the lab sends us a list every Friday”\n  - Jo Bell: “Here the lab sends us a list",
        "* Nobody knows a hospital that does the chasing.\n  - The coordinator’s summary of",
        "The coordinator adds: Tom will share his search.",
        "What came of it: “We have started the weekly search.” – Dr Priya Nair,\nNorthern\n",
        "Still open: “Who pays for the stamps?” – Dr Sam Okoro, Kent and Medway\n",
        "* Link: example.org/search – Dr Tom Reed, Peninsula\n  https://www.example.org/search?a=1&b=2\n",
        "* File: Reminder letter.docx – Jo Bell, on the thread’s page\n",
        "* Guideline: “We follow NG12 for this.” – Dr Siân Hughes, Cheshire and\n  Merseyside\n",
        "Announcements\n=============\n\nThe spring meeting is in Leeds.\n",
        "* Lunchtime call\n  Tuesday 24 November 2026 at 12:30pm\n\n* Masterclass: FIT, in practice\n",
        "Change how often you get the digest, pause it or leave:\nhttps://digest.example.org/digest/7.",
        "with [T14] in the\nsubject.",
        "The whole thread: https://digest.example.org/thread/14",
        "* New: “Ours is shared now.”",
        "at the address\nsian@example.org\n",
    ):
        assert words in text, words
    assert text.index("leaflet") < text.index("At a glance") < text.index("Unreturned") < text.index("Masterclass")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("It works.", "“It works.”"),
        ("your own concern.”", "“your own concern.”"),
        ("“Do not wait.", "“Do not wait.”"),
        ("They say “wait”", "“They say “wait””"),
        ('of concern."', "“of concern.”"),
        ('They say "wait"', '“They say "wait"”'),
    ],
)
def test_a_quotation_mark_whose_other_half_was_not_quoted_is_left_out(words: str, shown: str) -> None:
    content = Content(points=[point(words, said(12, words), for_=[12])])
    text, _ = parts(wire(freeze(edition(replace(BLOODS, content=content)), SENDER), READER))
    assert f"* {shown}\n" in text


def test_points_stand_under_the_sentence_they_answer() -> None:
    asked = [said(1, "Which bloods?", 50), said(1, "Who rings?", 2)]
    first, second = (point(words, said(2, words, at), for_=[2]) for words, at in (("FBC.", 0), ("A nurse.", 9)))
    first.answers, second.answers = asked[0].id, asked[1].id
    content = Content(question=asked, points=[first, second])
    both = thread(1, "T", content, post(1, PRIYA, Kind.QUESTION), post(2, JO))
    text, page = parts(wire(freeze(edition(both), SENDER), READER))
    assert "On “Which bloods?”\n\n* “FBC.”\n  - Jo Bell\n\nOn “Who rings?”\n\n* “A nurse.”" in text
    shown = " ".join(html.document_fromstring(page).text_content().split())
    assert "On “Which bloods?” “FBC.” Jo Bell On “Who rings?” “A nurse.”" in shown


def test_the_html_part_is_one_column_that_any_mail_program_can_show() -> None:
    for raw in every_mail():
        _, page = parts(raw)
        tree = html.document_fromstring(page)
        assert page.startswith("<!DOCTYPE html>")
        assert tree.get("lang") == "en-GB"
        assert tree.findtext(".//title") == email.message_from_bytes(raw, policy=email.policy.default)["Subject"]
        assert all(table.get("role") == "presentation" for table in tree.iter("table"))
        assert not [e.tag for e in tree.iter("img", "script", "link", "iframe", "form", "object", "svg")]
        assert "url(" not in page
        links = [str(a.get("href")) for a in tree.iter("a")]
        assert all(link.startswith(("https://", "mailto:")) for link in links)
        assert all(e.get("style") for e in tree.iter("h1", "h2", "p", "a"))  # Outlook and Gmail want them inline
        assert "prefers-color-scheme: dark" in page
        levels = [int(str(e.tag)[1]) for e in tree.iter("h1", "h2", "h3", "h4")]
        assert levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_html_part_says_what_the_text_says() -> None:
    _, page = parts(wire(FROZEN, READER))
    tree = html.document_fromstring(page)
    shown = " ".join(tree.text_content().split())
    for words in (
        "Thank you for a lively week.",
        "Asked by Dr Priya Nair, Northern, on 3 November 2026",
        "Dr Tom Reed (Peninsula), Dr Siân Hughes (Cheshire and Merseyside)",
        f"Dr Sam Okoro (Kent and Medway) differs: “{CONDITION}”",
        "“FBC & CRP <5 days old”",
        "The masterclass is on 9 December 2026. All welcome.",
        "New: “Ours is shared now.”",
        "You get this mail at sian@example.org because",
    ):
        assert words in shown, words
    links = {" ".join(a.text_content().split()): str(a.get("href")) for a in tree.iter("a")}
    assert links["Reply to everyone about “Unreturned FIT kits”"] == KITS.reply
    assert links["Read all 4 replies to “Unreturned FIT kits”"] == KITS.page
    assert links["Read the reply to “Bloods before an FDS referral”"].endswith("/15")
    assert links["Read all of “Lung health check leaflets”"] == LEAFLET.page
    assert links["example.org/search"] == "https://www.example.org/search?a=1&b=2"
    assert len(links) == len(list(tree.iter("a")))  # no two links read the same


def test_a_resource_that_is_not_on_the_web_is_shown_and_not_linked() -> None:
    content = Content(resources=[Resource(message=31, title="Click", url="javascript:alert(1)")])
    _, page = parts(wire(freeze(edition(replace(MASTERCLASS, content=content)), SENDER), READER))
    assert "javascript" not in page
    assert "Click" in page


def test_a_mark_in_a_members_words_stays_their_words() -> None:
    forged = f"{FROZEN.key}.address. {{{{ own('address') }}}} --{FROZEN.key}--"
    frozen = freeze(edition(replace(KITS, title=forged)), SENDER)
    text, page = parts(wire(frozen, READER))
    assert text.count(READER.address) == page.count(READER.address) == 1
    assert "{{ own(" in text


def test_a_long_edition_stays_below_what_gmail_clips_and_names_the_rest_with_a_link() -> None:
    many = [
        replace(KITS, thread=100 + n, title=f"Kits {n}", page=f"https://digest.example.org/thread/{n}.")
        for n in range(60)
    ]
    raw = wire(freeze(edition(*many, MASTERCLASS), SENDER), READER)
    text, page = parts(raw)
    assert HTML_LIMIT * 0.9 < len(raw.split(b"text/html")[1]) < HTML_LIMIT + 1000
    tree = html.document_fromstring(page)
    assert [h.text for h in tree.iter("h3")] == [f"Kits {n}" for n in range(60)] + ["Masterclass"]
    assert {f"https://digest.example.org/thread/{n}." for n in range(60)} <= {a.get("href") for a in tree.iter("a")}
    assert "This issue is a long one:" in page
    assert "Read “Kits 59” and its 4 replies on the web" in page
    assert "Read all 4 replies to “Kits 0”" in page
    assert text.count(CONDITION[:18]) == 60  # the text part has them all
    assert "Read all" not in page.split("Read “Kits")[-1]


def test_one_thread_too_long_for_any_mail_is_named_and_linked() -> None:
    long = replace(KITS, content=KITS.content.model_copy(update={"note": "Much to say. " * 9000}))
    _, page = parts(wire(freeze(edition(long), SENDER), READER))
    assert len(page) < HTML_LIMIT
    assert "Read “Unreturned FIT kits” and its 4 replies on the web" in page


def test_an_edition_whose_introduction_alone_is_too_long_says_where_to_read_it() -> None:
    raw = wire(freeze(edition(introduction="Much to say. " * 9000), SENDER), READER)
    text, page = parts(raw)
    assert len(page) < HTML_LIMIT
    assert "Read all of Issue 12 on the web" in page
    assert READER.wishes in page
    assert " ".join(text.split()).count("Much to say.") == 9000


def test_an_edition_without_anything_new_still_reads() -> None:
    text, _ = parts(wire(freeze(edition(LEAFLET, introduction=""), SENDER), READER))
    assert "0 new questions and 0 replies since the last issue." in text


@pytest.mark.parametrize(
    ("number", "alliances", "words"),
    [
        (12, (), "1 new question and 1 reply since the last issue."),
        (12, ("Avon, Somerset", "Wessex"), "since the last issue, from 2 Alliances: Avon, Somerset; Wessex."),
        (12, tuple("ABCDEFGHI"), "since the last issue, from 9 Alliances."),
        (1, ("Wessex",), "1 question and 1 reply, from 1 Alliance: Wessex."),
    ],
)
def test_the_glance_is_short_and_true_of_a_first_issue(number: int, alliances: tuple[str, ...], words: str) -> None:
    digest = replace(edition(), number=number, questions=1, replies=1, alliances=alliances)
    assert words in " ".join(parts(wire(freeze(digest, SENDER), READER))[0].split())


# --- letters -----------------------------------------------------------------------------------------------------


def test_a_letter_has_these_headers_and_none_of_a_list() -> None:
    lines = heads(written("sign_in"))
    assert [line.partition(":")[0] for line in lines] == [
        "From", "Reply-To", "To", "Subject", "Date", "Message-ID",
        "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert "Auto-Submitted: auto-generated" in lines
    assert "Date: Sun, 08 Nov 2026 07:00:00 +0000" in lines
    assert re.fullmatch(r"Message-ID: <leads\.note\.[0-9a-f]{24}@example\.org>", lines[5])
    assert "abc" not in "\n".join(lines)  # the sign-in link's token


def test_letters_about_different_things_have_different_message_ids() -> None:
    assert len({heads(written(name))[5] for name in LETTERS}) == len(LETTERS)


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_says_the_same_as_text_and_as_html(name: str) -> None:
    text, page = parts(written(name))
    link = str(LETTERS[name]["link"])
    assert f"\n{link}\n" in text
    assert link in [a.get("href") for a in html.document_fromstring(page).iter("a")]
    assert all(len(line) <= 72 or "https://" in line for line in text.splitlines())
    assert text.startswith("Hello Dr Siân Hughes,\n\n")
    shown = " ".join(html.document_fromstring(page).text_content().split())
    sentences = re.findall(r"(?:Issue|If|Nobody|It|Nothing|You)\b[^.:]+\.", " ".join(text.split()))
    assert len(sentences) > 1
    assert [sentence for sentence in sentences if sentence not in shown] == []


def test_the_review_letter_names_what_is_in_it_and_what_needs_doing() -> None:
    text, page = parts(written("in_review"))
    for part in (" ".join(text.split()), page):
        assert "Unreturned FIT kits" in part
        assert "1 reply is neither used nor set aside." in part
        assert "Monday 9 November 2026 at 7am" in part
    assert "<quickly>" not in page
    assert "<quickly>" in text


def test_the_review_letter_says_when_nothing_is_to_be_done_or_to_be_sent() -> None:
    assert "Nothing stands in the way of approving it." in parts(written("in_review", hindrances=[]))[0]
    empty = " ".join(parts(written("in_review", titles=[]))[0].split())
    assert "No thread is waiting for this issue" in empty


def test_a_letter_that_lacks_a_value_is_not_written() -> None:
    with pytest.raises(UndefinedError, match="minutes"):
        letter("sign_in", SENDER, "Jo", "jo@example.org", "k", NOW, link="https://digest.example.org/sign-in/abc")
