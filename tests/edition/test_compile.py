"""What an edition says: order, names, sides, counts; and what it refuses to say."""

from dataclasses import replace
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.edition import Link, Quote, Who
from digest.edition.compile import CUT, GUEST, QUOTE_LENGTH, TEXT_LENGTH, cut, reply_link
from digest.nouns import Content, Kind, Point, Resource, ResourceKind
from tests.edition.sample import (
    BLOODS,
    CONDITION,
    JO,
    KITS,
    LEAFLET,
    LIST,
    MASTERCLASS,
    PRIYA,
    QUESTION,
    SAM,
    SEARCH,
    SIAN,
    TOM,
    edition,
    point,
    post,
    said,
    thread,
)


def test_every_thread_has_its_place() -> None:
    digest = edition()
    assert [i.thread for i in digest.unanswered] == [16]
    assert [i.thread for i in digest.items] == [14, 15]
    assert [i.thread for i in digest.announcements] == [17]
    assert [i.thread for i in digest.updates] == [9]


def test_unanswered_questions_come_oldest_first_and_are_never_updates() -> None:
    fresh = replace(LEAFLET, thread=18, posts=(post(21, SAM, Kind.QUESTION, day=8),), update_of=None)
    assert [i.thread for i in edition(fresh, LEAFLET).unanswered] == [16, 18]


def test_the_counts_are_of_what_is_new() -> None:
    digest = edition()
    assert (digest.questions, digest.replies) == (2, 6)
    assert digest.alliances == ("Cheshire and Merseyside", "Kent and Medway", "Northern", "Peninsula")


def test_a_question_is_told_in_its_own_order_with_who_asked_when_in_the_communitys_zone() -> None:
    asked = Content(question=[said(1, "And second?", 50), said(1, "First?", 2), said(2, "Me too:\n how?")])
    item = edition(thread(1, "T", asked, post(1, PRIYA, Kind.QUESTION), post(2, TOM, Kind.QUESTION))).items[0]
    assert item.question == (Quote("First?", PRIYA), Quote("And second?", PRIYA), Quote("Me too: how?", TOM))
    assert item.asker == PRIYA
    assert item.asked_at.isoformat() == "2026-11-03T09:05:00+00:00"
    assert item.replies == 0
    assert item.text == ""


def test_a_point_names_who_said_it_first_who_agrees_and_who_differs_with_their_words() -> None:
    first, second, third = edition().items[0].lines
    assert (first.text, first.supporters, first.opposers) == (SEARCH, (TOM, SIAN), (SAM,))
    assert first.quotes == (Quote(CONDITION, SAM),)
    assert second.quotes == (Quote(LIST, JO),)
    assert (third.own, third.supporters, third.quotes) == (True, (TOM, JO), ())


def test_whoever_is_quoted_as_the_point_is_named_before_those_who_agree() -> None:
    content = Content(question=[said(1, "Q?")], points=[point("It works.", said(3, "It works."), for_=[2])])
    item = edition(thread(1, "T", content, post(1, PRIYA, Kind.QUESTION), post(2, TOM), post(3, SAM))).items[0]
    assert item.lines[0].supporters == (SAM, TOM)


@pytest.mark.parametrize(
    ("label", "quote", "beside"),
    [
        ("It works.", "It works.", []),
        ("It works.", "It works. Twice a week.", ["Twice a week."]),
        ("It works.", "We rang. It works. Twice a week.", ["We rang. […] Twice a week."]),
        ("It works", "It works twice a week.", ["It works twice a week."]),  # part of a sentence says too little
    ],
)
def test_what_a_quote_says_besides_the_label_stands_below_it_once(label: str, quote: str, beside: list[str]) -> None:
    content = Content(points=[point(label, said(2, quote), for_=[2])])
    line = edition(thread(1, "T", content, post(1, PRIYA), post(2, TOM))).items[0].lines[0]
    assert (line.text, [quote.text for quote in line.quotes]) == (label, beside)


@pytest.mark.parametrize(
    ("for_", "against", "supporters", "opposers"),
    [
        ([2, 3], [], {TOM}, set()),  # the same person twice
        ([2], [3], set(), {TOM}),  # changed their mind
        ([3], [2], {TOM}, set()),  # and the other way round
        ([2], [2], set(), {TOM}),  # of two minds in one mail: dissent is never hidden
    ],
)
def test_a_person_stands_on_one_side_of_a_point(
    for_: list[int], against: list[int], supporters: set[Who], opposers: set[Who]
) -> None:
    own = Point(id="p", label="Mine", own=True, supporters=for_, opposers=against)
    line = edition(thread(1, "T", Content(points=[own]), post(1, PRIYA), post(2, TOM), post(3, TOM))).items[0].lines[0]
    assert (set(line.supporters), set(line.opposers)) == (supporters, opposers)


def test_whoever_differs_is_quoted_with_the_words_that_show_it() -> None:
    claim = point("It works.", said(2, "It works."), for_=[2], against=[3, 4])
    claim.evidence.append(said(4, "Not here."))
    posts = post(1, PRIYA, Kind.QUESTION), post(2, TOM), post(3, SAM), post(4, SIAN)
    facts = thread(1, "T", Content(question=[said(1, "Q?")], points=[claim]), *posts)
    sides = {(claim.id, 3): "Only with\n a nurse.", (claim.id, 4): "I disagree.", (claim.id, 2): "Yes."}
    (line,) = edition(replace(facts, sides=sides)).items[0].lines
    assert line.quotes == (Quote("Not here.", SIAN), Quote("Only with a nurse.", SAM))


def test_points_say_which_sentence_they_answer_where_several_are_answered() -> None:
    asked = [said(1, "Which bloods?", 50), said(1, "Who rings?", 2)]
    first, second = (point(words, said(2, words, at), for_=[2]) for words, at in (("FBC.", 0), ("A nurse.", 9)))
    first.answers, second.answers = asked[0].id, asked[1].id
    posts = post(1, PRIYA, Kind.QUESTION), post(2, TOM)
    both = edition(thread(1, "T", Content(question=asked, points=[first, second]), *posts)).items[0]
    assert [line.answers for line in both.lines] == ["Which bloods?", "Who rings?"]
    one = edition(thread(1, "T", Content(question=asked, points=[first]), *posts)).items[0]
    assert [line.answers for line in one.lines] == [""]  # no need to say it


@pytest.mark.parametrize("kind", list(ResourceKind))
def test_what_was_shared_says_what_it_is_and_who_shared_it(kind: ResourceKind) -> None:
    shared = [
        Resource(message=2, title="B", url="https://b.example.org", kind=ResourceKind.CONTACT),
        Resource(message=2, title="A", url="https://a.example.org", kind=kind, evidence=said(2, "See  A.")),
        Resource(message=1, title="A", url="https://a.example.org", kind=kind),
    ]
    item = edition(thread(1, "T", Content(resources=shared), post(1, PRIYA), post(2, TOM))).items[0]
    assert item.resources[0] == Link("A", "https://a.example.org", kind, TOM, "See A.") or kind is ResourceKind.CONTACT
    # What two people shared is named once.
    assert [link.title for link in item.resources] == (["B", "A"] if kind is ResourceKind.CONTACT else ["A", "B"])


def test_dates_stand_in_order_and_past_ones_are_gone() -> None:
    assert [date.what for date in edition().dates] == ["Lunchtime call", "Masterclass: FIT, in practice"]


@pytest.mark.parametrize(
    ("title", "length", "shown"),
    [("Short", 10, "Short"), ("two  words here", 10, "two words…"), ("x" * 60, 10, "xxxxxxxxx…"), ("", 10, "")],
)
def test_a_title_is_cut_between_words_and_never_to_nothing(title: str, length: int, shown: str) -> None:
    assert cut(title, length) == shown


def test_an_opposer_whose_words_are_the_point_keeps_their_quote() -> None:
    content = Content(points=[point("It fails.", said(2, "It fails."), against=[2])])
    line = edition(thread(1, "T", content, post(1, PRIYA), post(2, TOM))).items[0].lines[0]
    assert (line.supporters, line.opposers, line.quotes) == ((), (TOM,), (Quote("It fails.", TOM),))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Point(id="p", label="Everybody does it"), "shows no evidence"),
        (point("Everybody does it", said(2, "Nobody does it")), "does not stand in its evidence"),
        (point("Ours", said(99, "Ours")), "message 99"),
        (Point(id="p", label="Mine", own=True, supporters=[98]), "message 98"),
        (Point(id="p", label="Mine", own=True, opposers=[97]), "message 97"),
    ],
)
def test_a_point_that_nothing_shows_is_refused(bad: Point, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        edition(thread(1, "T", Content(points=[bad]), post(1, PRIYA), post(2, TOM)))


def test_a_question_that_cites_another_threads_message_is_refused() -> None:
    with pytest.raises(ValueError, match="message 77"):
        edition(thread(1, "T", Content(question=[said(77, "Q?")]), post(1, PRIYA)))


def test_a_point_of_the_coordinators_own_needs_no_evidence() -> None:
    own = Point(id="p", label="In short: yes.", own=True)
    line = edition(thread(1, "T", Content(points=[own]), post(1, PRIYA))).items[0].lines[0]
    assert (line.text, line.own, line.supporters) == ("In short: yes.", True, ())


def test_somebody_outside_the_member_list_is_a_guest() -> None:
    content = Content(question=[said(1, "Q?")], points=[point("A.", said(2, "A."), for_=[2])])
    digest = edition(thread(1, "T", content, post(1, None, Kind.QUESTION), post(2, None)))
    assert digest.items[0].asker == GUEST
    assert digest.items[0].lines[0].supporters == (GUEST,)
    assert digest.alliances == ()


def test_an_update_marks_what_is_new_in_it() -> None:
    assert [line.new for line in edition().updates[0].lines] == [False, True]
    assert not any(line.new for line in edition().items[0].lines)


def test_a_thread_that_asks_nothing_shows_its_opening_words() -> None:
    item = edition(MASTERCLASS).announcements[0]
    assert item.text.startswith("Dear all,\n\nThe masterclass")
    assert not item.shortened
    assert edition(thread(1, "T", Content(), post(1, TOM, text="By the way."))).items[0].text == "By the way."


def test_long_words_are_cut_where_a_reader_sees_it() -> None:
    text = "\n\n".join(["One sentence of some length stands here. " * 5] * 10)
    item = edition(thread(1, "T", Content(), post(1, JO, Kind.ANNOUNCEMENT, text))).announcements[0]
    assert item.shortened
    assert len(item.text) <= TEXT_LENGTH + len(CUT)
    assert item.text.endswith("here." + CUT)
    quote = "word " * 100
    content = Content(points=[point("word", said(2, quote))])
    line = edition(thread(1, "T", content, post(1, PRIYA), post(2, TOM))).items[0].lines[0]
    assert len(line.quotes[0].text) <= QUOTE_LENGTH + len(CUT)
    assert line.quotes[0].text.endswith("word" + CUT)


def test_resources_are_named_once() -> None:
    twice = Resource(message=1, title="", url="https://example.org/a")
    item = edition(thread(1, "T", Content(resources=[twice, twice]), post(1, TOM, text="See."))).items[0]
    assert [(r.title, r.url) for r in item.resources] == [("example.org/a", "https://example.org/a")]


def test_an_address_that_stands_for_itself_is_cut_where_it_tells_enough() -> None:
    long = f"https://www.example.org/guidance/{'a-long-path/' * 20}"
    item = edition(
        thread(1, "T", Content(resources=[Resource(message=1, title=long, url=long)]), post(1, TOM, text="See."))
    ).items[0]
    [link] = item.resources
    assert link.url == long
    assert link.title.startswith("example.org/guidance/a-long-path/")
    assert link.title.endswith("…")
    assert len(link.title) <= 60


def test_the_coordinators_order_is_kept() -> None:
    assert [i.thread for i in edition(BLOODS, KITS).items] == [15, 14]
    assert edition(KITS).items[0].question == (Quote(QUESTION, PRIYA),)


# --- the reply link (RFC 6068) -----------------------------------------------------------------------------------


def test_a_reply_link_carries_the_token_and_the_message_it_answers() -> None:
    assert reply_link("leads@example.org", 14, "FIT & FDS: who?", "abc+1@x.example.org") == (
        "mailto:leads@example.org?subject=Re%3A%20%5BT14%5D%20FIT%20%26%20FDS%3A%20who%3F"
        "&In-Reply-To=%3Cabc%2B1%40x.example.org%3E"
    )
    assert "In-Reply-To" not in reply_link("leads@example.org", 14, "T", "")


@settings(deadline=None)
@given(st.text(), st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="<>"), min_size=1))
def test_a_reply_link_comes_back_whole(title: str, message_id: str) -> None:
    link = urlsplit(reply_link("o'neil+x%y@example.org", 7, title, message_id))
    assert link.scheme == "mailto"
    assert unquote(link.path) == "o'neil+x%y@example.org"
    fields = parse_qs(link.query.replace("+", "%2B"), strict_parsing=True)
    assert fields["In-Reply-To"] == [f"<{message_id}>"]
    subject = fields["subject"][0]
    assert subject.startswith("Re: [T7]")
    assert len(subject) <= 130
    if title.isprintable():
        EmailMessage()["Subject"] = subject
