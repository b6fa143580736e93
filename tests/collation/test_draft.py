"""From a thread's messages to the draft of its collation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collation import Contribution
from digest.collation.draft import answered, draft, question_text, unaccounted
from digest.collation.noticing import AGREES, DIFFERS, taken
from digest.collation.provenance import faults
from digest.nouns import Content, Kind, Point, Segment, SegmentRole
from tests.collation.threads import ASKER, BETH, RAVI, SAM, asks, grounds, says

QUESTION = asks("Hi all\n\nWe open in May. Who rings people when a text about a missed test is not answered?")
RINGS = says(2, SAM, "Hi Ada\n\nOur receptionist rings everybody on the list on day ten. It takes her an hour a week.")
LETTER = says(3, BETH, "We send a letter after six weeks, but only if the practice has not rung by then.")


def points(*replies: Contribution) -> list[Point]:
    return draft([QUESTION, *replies]).points


def test_a_thread_is_drafted_as_its_question_and_what_each_reply_says() -> None:
    content = draft([QUESTION, RINGS, LETTER])
    assert question_text(content) == "Who rings people when a text about a missed test is not answered?"
    assert {point.label: point.supporters for point in content.points} == {
        "Our receptionist rings everybody on the list on day ten.": [2],
        "We send a letter after six weeks, but only if the practice has not rung by then.": [3],
    }
    assert content.set_aside == []


def test_a_point_is_labelled_by_its_best_sentence_and_shown_with_what_is_said_along_with_it() -> None:
    (point,) = points(RINGS)
    assert point.label == "Our receptionist rings everybody on the list on day ten."
    assert [e.quote for e in point.evidence] == [f"{point.label} It takes her an hour a week."]


@pytest.mark.parametrize(
    "beside",
    [
        "\n\nWe pay her for an hour a week.",  # another paragraph
        " Many thanks for asking.",
        " Who pays for yours?",
        " My patient Quist waited a year.",  # a name has to be masked in it
    ],
)
def test_what_is_apart_or_must_be_masked_is_not_quoted_along(beside: str) -> None:
    text = f"Our receptionist rings everybody on the list on day ten.{beside}"
    at = text.find("Quist")
    masks = {(at, at + 5): "name"} if at >= 0 else {}
    (point,) = points(says(2, SAM, text, masks=masks))
    assert point.evidence[0].quote == point.label == "Our receptionist rings everybody on the list on day ten."


def test_a_long_reply_is_not_quoted_whole() -> None:
    text = " ".join(f"In ward {n} our receptionist rings {n} people on the list on day {n}." for n in range(10, 22))
    (point,) = points(says(2, SAM, text))
    assert all(len(e.quote.split()) <= 45 for e in point.evidence)
    assert len(point.evidence) <= 2


def test_agreeing_with_somebody_supports_their_point() -> None:
    by_label = {point.evidence[0].message: point for point in points(RINGS, LETTER, says(4, RAVI, "Agree with Sam."))}
    assert by_label.keys() == {2, 3}
    assert by_label[2].supporters == [2, 4]


def test_the_point_with_most_support_comes_first() -> None:
    assert [p.supporters for p in points(RINGS, LETTER, says(4, RAVI, "+1 Beth"))] == [[3, 4], [2]]


def test_among_points_with_as_much_support_what_has_not_been_said_above_comes_first() -> None:
    rings = "Our receptionist rings everybody on the list on day ten, and a third of them then send it."
    again = "Here a receptionist rings everybody on the list on day ten, and a third of them then send it."
    other = "We print the label before it leaves the practice, which stopped the rejections."
    found = points(says(2, SAM, rings), says(3, BETH, again), says(4, RAVI, other))
    assert [p.supporters for p in found].index([4]) < max([p.supporters for p in found].index([n]) for n in (2, 3))


@pytest.mark.parametrize(
    "said",
    [
        "We would accept it only if the practice has rung twice by then.",
        "Returns rose by 23 % after six weeks, and by 31 % after ten.",
        "We tried it for a year, it cost a clerk, and we would not do it again.",
        "No. 4 on the form stays, e.g. for pts. whom Dr. Holt saw on a 2WW.",
    ],
)
def test_conditions_figures_and_what_came_of_it_stand_whole_in_the_label(said: str) -> None:
    (point,) = points(says(2, SAM, f"Interesting one. {said}"))
    assert said in point.label


def test_agreement_that_names_nobody_joins_the_point_whose_words_it_repeats() -> None:
    found = points(RINGS, LETTER, says(4, RAVI, "+1 for the letter after six weeks."))
    assert [p.supporters for p in found] == [[3, 4], [2]]


@pytest.mark.parametrize(
    "words", ["Agree with Sam.", "+1 Sam", "As Sam says.", "I second that, Sam.", "Same here, as Sam."]
)
def test_however_it_is_said_support_goes_to_the_point_of_the_colleague_who_is_named(words: str) -> None:
    found = {p.evidence[0].message: p.supporters for p in points(RINGS, LETTER, says(4, RAVI, words))}
    assert found == {2: [2, 4], 3: [3]}


def test_a_bare_plus_one_joins_what_came_just_before() -> None:
    assert [p.supporters for p in points(RINGS, LETTER, says(4, RAVI, "+1"))] == [[3, 4], [2]]


def test_an_answer_that_overtook_its_ground_still_joins_it() -> None:
    assert [p.supporters for p in points(says(4, RAVI, "Agree with Sam."), RINGS)] == [[2, 4]]


def test_what_a_supporter_adds_is_a_point_of_its_own() -> None:
    adds = says(4, RAVI, "Agree with Sam. We also found that 40 of our 90 patients had the wrong mobile number.")
    found = {point.evidence[0].message: point for point in points(RINGS, adds)}
    assert found[2].supporters == [2, 4]
    assert found[4].label == "We also found that 40 of our 90 patients had the wrong mobile number."


def test_a_different_view_goes_to_the_opposers_and_stands_in_its_own_words() -> None:
    differs = says(4, RAVI, "I disagree with Sam. Reception has no time to ring two hundred people a month.")
    found = {point.evidence[0].message: point for point in points(RINGS, differs)}
    assert (found[2].supporters, found[2].opposers) == ([2], [4])
    assert found[4].label == "Reception has no time to ring two hundred people a month."


@pytest.mark.parametrize(
    "reply",
    [
        says(4, RAVI, "Thanks all, very helpful."),
        says(4, RAVI, "Our letter is attached.", attachments=("letter.docx",)),
        says(4, ASKER, "Thank you both. That gives me a lot to think about."),
    ],
)
def test_replies_that_only_thank_or_hand_over_are_set_aside(reply: Contribution) -> None:
    content = draft([QUESTION, RINGS, reply])
    assert content.set_aside == [4]
    assert 4 not in content.used()


@pytest.mark.parametrize(
    "text",
    [
        "I'll be there, if the trains let me.",
        "Sorry, can't make it, I'm on call.",
        "Signed up, thanks Ada.",
        "We will both come, thank you.",
    ],
)
def test_who_says_whether_they_will_come_makes_no_point(text: str) -> None:
    assert draft([QUESTION, says(2, SAM, text)]).set_aside == [2]


def test_who_says_what_they_will_do_makes_one() -> None:
    assert len(points(says(2, SAM, "I'll come back to them on day ten, and ring those who gave no number."))) == 1


def test_the_answer_to_a_question_asked_on_the_way_stands_under_nobodys_yes() -> None:
    asked = asks("Do any of you ring people when a text about a missed test is not answered?")
    yes = says(2, SAM, "Yes, on day ten. Our receptionist does it.")
    aside = says(3, BETH, "While we are here, does anybody test tumours for mismatch repair?")
    answer = says(4, RAVI, "Yes we do, Beth, every one of them since 2021.")
    found = draft([asked, yes, aside, answer]).points
    assert {p.evidence[0].message: p.supporters for p in found} == {2: [2], 4: [4]}


def test_an_askers_errand_is_neither_a_point_nor_an_outcome() -> None:
    content = draft([QUESTION, RINGS, says(3, ASKER, "Very kind, all. Sam, I'll dig the numbers out and ring you.")])
    assert (content.set_aside, content.outcome) == ([3], [])


def test_what_only_leans_to_yes_heads_nothing() -> None:
    asked = asks("Do any of you ring people when a text about a missed test is not answered?")
    leans = says(2, SAM, "Receptionists!! Ours has run like that since May and the complaints have dried up.")
    found = draft([asked, leans, says(3, BETH, "No, we would never ring anybody about a test.")]).points
    assert {p.evidence[0].message: (p.supporters, p.opposers) for p in found} == {2: ([2], []), 3: ([3], [])}


def test_a_question_that_names_several_ways_is_answered_by_no_yes() -> None:
    asked = asks("Do you ring them on day ten, or do you wait for the second text?")
    found = draft([asked, says(2, SAM, "Yes, ring. It works."), says(3, BETH, "No, we would never ring.")]).points
    assert all(point.opposers == [] for point in found)


def test_where_somebody_works_is_no_word_of_what_they_agree_with() -> None:
    box = says(2, SAM, "A letter with a box at the top has worked: done by us, or for the practice.")
    same = says(4, RAVI, "Same here with the box, we copied it from Leeds.")
    assert [p.supporters for p in points(box, LETTER, same)] == [[2, 4], [3]]


def test_what_the_asker_did_in_the_end_is_the_outcome() -> None:
    content = draft([QUESTION, RINGS, says(4, ASKER, "Thank you both. We went with ringing on day ten.")])
    assert [one.quote for one in content.outcome] == ["We went with ringing on day ten."]
    assert content.set_aside == []


def test_a_question_asked_on_the_way_is_open_until_somebody_takes_it_up() -> None:
    follow_up = says(4, RAVI, "Sam, how many people is that in a month?")
    content = draft([QUESTION, RINGS, follow_up])
    assert [one.quote for one in content.open] == ["Sam, how many people is that in a month?"]
    assert content.set_aside == []
    answer = says(5, SAM, "About forty in most months, more after a holiday.")
    answered_since = draft([QUESTION, RINGS, follow_up, answer])
    assert answered_since.open == []
    assert answered_since.set_aside == [4]


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("Does anybody do this at weekends?", 1),
        ("We ring them ourselves. Sam, do your receptionists ring at weekends?", 1),
        ("Our letter says it all. (Ring me, if anyone from the laboratory is reading.)", 0),
        ("We ring them. If anyone wants to hear more, do ask me.", 0),
        ("Same problem here, would love this too if anyone has one!", 0),
        ("Sam, can I ring you about the list?", 0),
        ("Lovely. Beth, could you send me your form?", 0),
    ],
)
def test_open_is_what_wants_an_answer_from_the_group_or_about_the_matter(text: str, open_: int) -> None:
    assert len(draft([QUESTION, RINGS, says(4, RAVI, text)]).open) == open_


def test_a_point_knows_which_question_it_answers() -> None:
    asked = asks("Who rings people about a missed test? And which letter do you send them afterwards?")
    found = draft(
        [asked, says(2, SAM, "Our reception rings them all."), says(3, BETH, "We send the hospital's own letter.")]
    )
    ids = {one.quote: one.id for one in found.question}
    by_message = {point.evidence[0].message: point.answers for point in found.points}
    assert by_message == {
        2: ids["Who rings people about a missed test?"],
        3: ids["And which letter do you send them afterwards?"],
    }


def test_links_and_files_are_resources_each_once() -> None:
    url = "https://www.example.org/forms/recall.pdf"
    first = says(2, SAM, f"We use this form every week: {url}", links=(url,))
    again = says(3, BETH, "We use the same form here now.", links=(url + "/",), attachments=("Letter (final).docx",))
    assert [(one.message, one.title, one.url) for one in draft([QUESTION, first, again]).resources] == [
        (2, "recall.pdf", url),
        (3, "Letter (final).docx", ""),
    ]


def test_identifiers_are_masked_in_what_is_quoted() -> None:
    text = "We rang Mr Example Person three times and then wrote to him."
    reply = says(2, SAM, text, masks={(8, 25): "name"})
    assert points(reply)[0].label == "We rang [name removed] three times and then wrote to him."


def test_a_question_sent_again_corrected_is_asked_once() -> None:
    first = asks("Quick poll: do you pay the GPs on your tumour groups, and does every group have on?")
    again = asks("Quick poll: do you pay the GPs on your tumour groups, and does every group have one?", message=2)
    content = draft([first, again, says(3, SAM, "We pay two hours for each meeting.")])
    assert [one.message for one in content.question] == [2]


def test_an_announcement_asks_nothing_and_counts_as_answered() -> None:
    announced = says(1, ASKER, "The spring meeting is on 4 May. Will you come?", Kind.ANNOUNCEMENT)
    content = draft([announced])
    assert content == Content()
    assert answered([announced], content)


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([], False),
        ([says(2, SAM, "How many is that in a month?")], False),
        ([says(2, SAM, "Thanks for asking this!")], False),
        ([says(2, ASKER, "To be clear, I mean people with no mobile telephone.")], False),
        ([RINGS], True),
        ([says(2, SAM, "+1")], True),
    ],
)
def test_a_question_is_answered_by_a_substantive_reply_of_somebody_else(
    replies: list[Contribution], expected: bool
) -> None:
    thread = [QUESTION, *replies]
    assert answered(thread, draft(thread)) is expected


def test_what_was_said_about_an_announcement_does_not_answer_a_later_question() -> None:
    announced = says(1, ASKER, "The threshold will be lowered in May.", Kind.ANNOUNCEMENT)
    remark = says(2, SAM, "We heard the same from our network last week.")
    question = says(3, BETH, "Does anybody know who pays for the extra clinics?", Kind.QUESTION)
    thread = [announced, remark, question]
    assert not answered(thread, draft(thread))
    thread.append(says(4, RAVI, "The network pays for the first year, then the trust does."))
    assert answered(thread, draft(thread))


def test_what_is_asked_in_reply_to_an_announcement_is_a_question_once_it_is_answered() -> None:
    news = says(1, ASKER, "The update on weight loss is out for comment until May.", Kind.ANNOUNCEMENT)
    praise = says(2, BETH, "A clear document, and the table on page nine is the best part of it.")
    wonders = says(3, SAM, "Are we going to ask for a lower age for weight loss?")
    answer = says(4, RAVI, "I hope so, Sam. The evidence for fifty instead of sixty is decent.")
    waits = draft([news, praise, wonders])
    assert (waits.question, [one.quote for one in waits.open]) == (
        [],
        ["Are we going to ask for a lower age for weight loss?"],
    )
    content = draft([news, praise, wonders, answer])
    assert question_text(content) == "Are we going to ask for a lower age for weight loss?"
    by_message = {point.evidence[0].message: point.answers for point in content.points}
    assert by_message == {2: "", 4: content.question[0].id}
    assert content.open == []
    assert answered([news, praise, wonders, answer], content)


@pytest.mark.parametrize(
    ("reply", "quotes"),
    [
        ("Agree with Sam, ours rings on day ten and half of them had moved house.", 2),
        ("Agree with Sam.", 1),
    ],
)
def test_who_agrees_and_says_something_of_it_is_quoted_under_the_point(reply: str, quotes: int) -> None:
    (point,) = points(RINGS, says(4, RAVI, reply))
    assert point.supporters == [2, 4]
    assert len(point.evidence) == quotes


def test_a_sentence_that_can_be_shown_whole_is_quoted_before_one_that_must_be_masked() -> None:
    story = (
        "Mrs Ivy Trellis of 4 Quay Row waited nine weeks, and nobody rang her. Since then the nurse rings on Fridays."
    )
    reply = says(2, SAM, story, masks={(0, 14): "patient_name", (18, 28): "address"})
    assert [point.label for point in points(reply)] == ["Since then the nurse rings on Fridays."]


def test_a_reminder_to_keep_names_out_is_set_aside() -> None:
    text = (
        "A gentle reminder, as there is a patient's name in this chain. Please could everyone delete it from replies."
    )
    assert draft([QUESTION, RINGS, says(3, BETH, text)]).set_aside == [3]


def test_agreement_with_a_thing_joins_whoever_spoke_of_it_and_not_what_came_just_before() -> None:
    found = points(RINGS, LETTER, says(4, RAVI, "+1 for receptionists."))
    assert [p.supporters for p in found] == [[2, 4], [3]]


def test_words_that_are_all_masked_make_no_point() -> None:
    reply = says(2, SAM, "Ivy Trellis, 4 Quay Row, Marrow.", masks={(0, 11): "patient_name", (13, 31): "address"})
    content = draft([QUESTION, reply])
    assert (content.points, content.set_aside) == ([], [2])


def test_a_reply_that_says_what_it_hands_over_is_a_point() -> None:
    url = "https://example.org/leaflets"
    tells = says(2, SAM, f"Eight easy-read leaflets written with a self-help group, free to print: {url}", links=(url,))
    assert [point.supporters for point in points(tells)] == [[2]]


def test_a_reply_that_came_after_the_edit_is_unaccounted_for() -> None:
    content = draft([QUESTION, RINGS])
    assert unaccounted([QUESTION, RINGS, LETTER], content) == [3]


def test_a_reply_whose_clock_ran_ahead_of_the_question_is_still_a_reply() -> None:
    content = draft([RINGS, QUESTION])
    assert question_text(content) == "Who rings people when a text about a missed test is not answered?"
    assert [p.supporters for p in content.points] == [[2]]


def test_replies_to_a_message_that_never_came_are_collated_without_a_question() -> None:
    content = draft([RINGS, LETTER])
    assert content.question == []
    assert content.used() == {2, 3}


def test_the_same_thread_gives_the_same_draft_with_the_same_ids() -> None:
    assert draft([QUESTION, RINGS, LETTER]) == draft([QUESTION, RINGS, LETTER])
    assert [point.id for point in points(LETTER)] == ["m3-0"]


def test_an_empty_thread_drafts_to_nothing() -> None:
    assert draft([]) == Content()


PIECES = st.sampled_from(
    [
        "Agree with Sam.",
        "+1",
        "Thanks all",
        "Who does?",
        "We ring 40 people a week.",
        "I disagree, Beth.",
        "\n\n",
        "",
        "Ravi",
    ]
)
REPLIES = st.lists(
    st.tuples(
        st.sampled_from([ASKER, BETH, RAVI, SAM, ""]), st.lists(PIECES, max_size=4).map(" ".join) | st.text(max_size=60)
    ),
    max_size=6,
)


@given(REPLIES)
def test_every_reply_is_used_or_set_aside_and_every_line_bears_its_provenance(replies: list[tuple[str, str]]) -> None:
    thread = [QUESTION, *(says(number, author, text) for number, (author, text) in enumerate(replies, start=2))]
    content = draft(thread)
    assert unaccounted(thread, content) == []
    assert not content.used() & set(content.set_aside)
    assert faults(content, grounds(thread)) == []
    assert len({point.id for point in content.points}) == len(content.points)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "Our hub posts every kit within a day. But only to people with a mobile. It has two clerks.",
            "Our hub posts every kit within a day. But only to people with a mobile.",
        ),
        (
            "A clerk reads the list on Mondays. She found six people without an appointment in a month.",
            "A clerk reads the list on Mondays. She found six people without an appointment in a month.",
        ),
    ],
)
def test_a_quote_keeps_its_conditions_and_what_it_leans_on(text: str, quote: str) -> None:
    assert quote in [evidence.quote for evidence in points(says(2, SAM, text))[0].evidence]


def test_who_would_agree_without_something_does_not_agree() -> None:
    reply = says(3, BETH, "I have changed my mind, a bit. Without that hour of hers I would be with Sam.")
    (point,) = [p for p in points(RINGS, reply) if p.evidence[0].message == 2]
    assert 3 not in point.supporters


def test_who_would_only_like_to_know_as_well_answers_nothing() -> None:
    along = says(2, SAM, "Following with interest, nothing like it here either. We have been wondering too.")
    content = draft([QUESTION, along])
    assert content.set_aside == [2]
    assert not answered([QUESTION, along], content)


def test_an_answer_between_the_lines_knows_the_quoted_line_it_answers() -> None:
    asked = asks("Who rings people about a missed test? And which letter do you send them afterwards?")
    first, second = "> And which letter do you send them afterwards?", "> Who rings people about a missed test?"
    text = f"{first}\nThe hospital has one.\n{second}\nTwo clerks share it between them."
    spans = [
        Segment(0, len(first) + 1, SegmentRole.QUOTE),
        Segment(len(first) + 1, text.index(second), SegmentRole.NEW),
        Segment(text.index(second), text.index("Two clerks"), SegmentRole.QUOTE),
        Segment(text.index("Two clerks"), len(text), SegmentRole.NEW),
    ]
    reply = Contribution(2, SAM, Kind.REPLY, text, tuple(spans))
    content = draft([asked, reply])
    ids = {one.id: one.quote for one in content.question}
    asked_of = {p.evidence[0].quote: ids[p.answers] for p in content.points}
    assert asked_of == {
        "The hospital has one.": "And which letter do you send them afterwards?",
        "Two clerks share it between them.": "Who rings people about a missed test?",
    }


def test_numbered_answers_each_make_a_point_for_their_question() -> None:
    asked = asks("Who rings people about a missed test? And which letter do you send them afterwards?")
    text = "Hi Ada\n\n1. Two clerks share it between them.\n2. The hospital has one.\n\nGood luck with it."
    content = draft([asked, says(2, SAM, text)])
    ids = {one.id: one.quote for one in content.question}
    assert {p.label: ids[p.answers] for p in content.points} == {
        "Two clerks share it between them.": "Who rings people about a missed test?",
        "The hospital has one.": "And which letter do you send them afterwards?",
    }


def test_who_answers_a_proposal_with_yes_stands_with_the_first_who_did_and_who_answers_with_no_differs() -> None:
    asked = asks("Do your practices ring people about a missed test?")
    yes = says(2, SAM, "We do. Two clerks ring everybody on the list on day ten.")
    too = says(3, BETH, "Yes, since the spring. It takes our receptionist an hour a week.")
    no = says(4, RAVI, "No. Nobody here has the time, so we send a letter.")
    thread = [asked, yes, too, no]
    content = draft(thread)
    first = next(point for point in content.points if point.evidence[0].message == 2)
    assert (first.supporters, first.opposers) == ([2, 3], [4])
    assert {point.evidence[0].message for point in content.points} == {2, 3, 4}
    sides = {(one.message, one.words, one.cue.quote) for one in taken(thread, content) if one.point == first.id}
    assert sides == {(3, AGREES, "Yes"), (4, DIFFERS, "No")}


def test_who_calls_the_asker_by_name_answers_the_question() -> None:
    asked = asks("Do your practices ring people about a missed test?")
    yes = says(2, SAM, "Yes, two clerks ring everybody on the list on day ten.")
    against = says(3, BETH, "Not for me, I'm afraid, Ada. We have nobody to ring two hundred people.")
    content = draft([asked, yes, against])
    first = next(point for point in content.points if point.evidence[0].message == 2)
    assert (first.supporters, first.opposers) == ([2], [3])


def test_an_open_question_proposes_nothing() -> None:
    found = points(
        says(2, SAM, "Yes, I do that myself on Mondays."), says(3, BETH, "Yes, our clerk does it every week.")
    )
    assert [len(point.supporters) for point in found] == [1, 1]


def test_who_agrees_about_one_thing_supports_what_was_said_of_that_thing() -> None:
    text = "We gave it up after eight months because nobody trained anybody. I would only do it with a named nurse."
    agrees = says(4, RAVI, "Agree with Sam about the named nurse.")
    supported = [point for point in points(says(2, SAM, text), agrees) if 4 in point.supporters]
    assert [point.label for point in supported] == ["I would only do it with a named nurse."]


def test_a_few_words_more_from_somebody_who_has_made_their_point_are_set_aside_unless_they_were_asked() -> None:
    more = says(4, SAM, "I suppose ours is a small town.")
    assert draft([QUESTION, RINGS, more]).set_aside == [4]
    asked = says(3, BETH, "Sam, how large is your town?")
    assert 4 in draft([QUESTION, RINGS, asked, more]).used()


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ("Thanks. We have decided to post them, with a phone call first.", 1),
        ("Thanks all. One letter and a call it is.", 1),
        ("Great. Will pair it with the Saturday clinic.", 1),
        ("Thank you. I rang the clinic on Friday and they are willing to try it for six months.", 1),
        ("Thanks. I will share the letter when it is done.", 0),
        ("Thanks. We are going to report back at Easter.", 0),
        ("Thanks. I’ll count who comes back and tell you in the summer.", 0),
        ("Sam, I’ll delete yours, there is a name in it.", 0),
    ],
)
def test_what_will_be_told_later_is_no_outcome(text: str, outcomes: int) -> None:
    assert len(draft([QUESTION, RINGS, says(4, ASKER, text)]).outcome) == outcomes
