"""What the author wrote, and what else stands in the text."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.message.reply import Context, new_text, reflow, roles, segments, spans
from digest.nouns import SegmentRole

ANN = Context("Dr Ann Carter", "Re: [STREAM] CT access", "stream@lists.example.org")


def _new(text: str, context: Context = ANN) -> str:
    return new_text(text, segments(text, context))


def _parts(text: str, context: Context = ANN) -> list[tuple[str, str]]:
    return [(s.role.value, text[s.start : s.end].strip()) for s in segments(text, context)]


OUTLOOK = (
    "From: Ben Okoro <ben@example.org>\nSent: 05 January 2026 09:00\nTo: stream@lists.example.org\nSubject: CT access"
)


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, 5 Jan 2026 at 09:00, Ben Okoro <ben@example.org> wrote:",
        "On Mon, 5 Jan 2026 at 09:00, OKORO, Ben (HIGH LANE SURGERY -\nZ99999) <ben@example.org>\nwrote:",
        "On 05/01/2026 09:00, Ben Okoro wrote:",
        "    On Monday, 5 January 2026 at 09:00:00 GMT, Ben Okoro <ben@example.org> wrote:",
        "Am 05.01.2026 um 09:00 schrieb Ben Okoro <ben@example.org>:",
        "Le lun. 5 janv. 2026 à 09:00, Ben Okoro <ben@example.org> a écrit :",
        "El lun, 5 ene 2026 a las 9:00, Ben Okoro (<ben@example.org>) escribió:",
        "Op ma 5 jan 2026 om 09:00 schreef Ben Okoro <ben@example.org>:",
        "2026-01-05 9:00 GMT+00:00 Ben Okoro <ben@example.org>:",
        "-----Original Message-----\n" + OUTLOOK,
        "________________________________\n" + OUTLOOK,
        OUTLOOK,
        OUTLOOK.replace("From:", "*From:*").replace("Sent:", "*Sent:*").replace("To:", "*To:*"),
        "Von: Ben Okoro\nGesendet: Montag, 5. Januar 2026 09:00\nAn: stream\nBetreff: CT",
        "De : Ben Okoro\nEnvoyé : lundi 5 janvier 2026 09:00\nÀ : stream\nObjet : CT",
        "-------- Original message --------\n" + OUTLOOK.replace("Sent: 05 January 2026", "Date: 05/01/2026"),
    ],
)
def test_a_quote_is_found_below_every_kind_of_attribution(attribution: str) -> None:
    assert _new(f"Yes, we do.\n\n{attribution}\n\n> Who has CT?\n") == "Yes, we do."


@pytest.mark.parametrize("attribution", ["On 5 Jan 2026, at 09:00, Ben Okoro <b@x.org> wrote:", OUTLOOK])
def test_a_quote_without_marks_goes_to_the_end(attribution: str) -> None:
    assert _new(f"Yes, we do.\n\n{attribution}\n\nHi\n\nWho has CT?\n\nBen\n") == "Yes, we do."


def test_answers_below_and_between_quotes_are_new_in_order() -> None:
    text = (
        "In pieces:\n\nOn 05/01/2026 09:00, Ben wrote:\n\n> Who pays?\n\n"
        "The trust does.\n\n> Who reports?\n> And when?\n\n"
        "Radiology.\n\n-- \nAnn\n"
    )
    assert _new(text) == "In pieces:\n\nThe trust does.\n\nRadiology."
    assert [role for role, _ in _parts(text)] == ["new", "quote", "new", "quote", "new", "signature"]


def test_marks_may_be_bars_or_indented_and_a_torn_line_belongs_to_its_quote() -> None:
    text = (
        "On 5 January 2026 at 09:00, Ben wrote:\n| Who has CT?\n| Anyone?\n\nWe do.\n\n"
        "    > Who pays for the reporting of all these scans that we are now asking\nfor?\n    > Us?\n\nThe trust.\n"
    )
    assert _new(text) == "We do.\n\nThe trust."
    assert _new("| a | b |\n| 1 | 2 |\n") == "| a | b |\n| 1 | 2 |"


@pytest.mark.parametrize(
    "ending",
    [
        "Kind regards\nAnn",
        "Many thanks,\n\nAnn Carter",
        "Best wishes, Ann",
        "Ann",
        "A.",
        "AC",
        "Thanks\nAnn\n\nDr Ann Carter\nGP, High Lane Surgery\nTel 01632 960000",
        "Dr Ann Carter, GP, High Lane",
        "Dr Ann Carter MRCGP\nHigh Lane Surgery",
        "-- \nAnn",
        "Viele Grüße / best wishes\nAnn",
        "BW\nA",
        "Sent from my iPhone",
        "Ann\n\nSent from my Galaxy",
        "Get Outlook for Android",
        "This message may contain confidential information. If you are not the intended recipient please delete it.",
        "Ann\n\n*****************\n\nThis e-mail is intended only for the addressee.\n\n*****************",
        "_______________________________________________\nStream mailing list\nTo unsubscribe write to x@example.org",
    ],
)
def test_what_comes_after_the_last_word_is_not_new(ending: str) -> None:
    assert _new(f"Hi all\n\nWe have it in two trusts.\n\n{ending}\n") == "Hi all\n\nWe have it in two trusts."


@pytest.mark.parametrize(
    "text",
    [
        "Thanks all",
        "Many thanks for this, it is just what we needed.",
        "Thanks Ben, that helps.\n\nWe will try it.",
        "Best practice is to ring the patient.\n\nWe do.",
        "On the first point I agree.\n\nOn the second I wrote:\n\nnothing.",
        "From: our side there is nothing to add.",
        "Ann is my name and this is a sentence.\n\nIt goes on.",
        "Please keep it confidential until March.",
        "1. First\n2. Second",
        "👍",
        "Agreed",
        "Hi Ben\n\nBrilliant",
    ],
)
def test_words_that_look_like_an_ending_stay_when_they_say_something(text: str) -> None:
    assert _new(text) == text


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, 5 Jan 2026 at 09:00, Ben Okoro <ben@example.org\n> wrote:",
        "Missatge de Ben Okoro <ben@example.org> del dia dl., 5 de\ngen. 2026 a les 09:00:",
        '?On 05/01/2026, 09:00, "Ben Okoro" <ben@example.org> wrote:',
        "On Mon, 5 Jan 2026 at 09:00, Ben Okoro<ben@example.org> wrote:   Who has CT?",
    ],
)
def test_attributions_that_programs_have_broken_are_read(attribution: str) -> None:
    assert _new(f"Yes, we do.\n\n{attribution}\n\n> Who has CT?\n") == "Yes, we do."


def test_answers_stand_below_a_greeting_or_a_word_that_they_do() -> None:
    answered = "\n\nFirst my own view.\n\n> Who pays?\n\nThe trust.\n"
    assert _new(f"Dear Ben,\n\nOn 5 Jan 2026, Ben wrote:{answered}") == "Dear Ben,\n\nFirst my own view.\n\nThe trust."
    text = f"Answers in-line.\n\n{OUTLOOK}\n\n[...]\n> Who pays?\n\nThe trust.\n"
    assert _new(text) == "Answers in-line.\n\nThe trust."


COLOURED = [
    ("Please see my answers below in red.", ""),
    ("", ""),
    *((line, "") for line in OUTLOOK.split("\n")),
    ("", ""),
    ("Who has direct access to CT?", ""),
    ("", ""),
    ("We do, for two years now.", "red"),
    ("", ""),
    ("Who pays for it?", ""),
    ("The trust.", "red"),
    ("Ben", ""),
]


def test_answers_in_a_colour_inside_a_quote_are_new_in_order() -> None:
    lines, tints = [line for line, _ in COLOURED], [tint for _, tint in COLOURED]
    found, left = roles(lines, ANN, tints)
    assert left
    assert new_text("\n".join(lines), spans(lines, found)) == (
        "Please see my answers below in red.\n\nWe do, for two years now.\n\nThe trust."
    )
    lines[0] = "We have it."  # a quote may have colours of its own
    assert new_text("\n".join(lines), spans(lines, roles(lines, ANN, tints)[0])) == "We have it."
    lines[0] = ""  # but who says nothing else says that
    assert (
        new_text("\n".join(lines), spans(lines, roles(lines, ANN, tints)[0]))
        == "We do, for two years now.\n\nThe trust."
    )


def test_of_several_colours_inside_a_quote_the_one_that_the_author_names_is_theirs() -> None:
    signed = [("Ben Okoro", "#005eb8"), ("GP, Kent", "#005eb8"), ("01632 960001", "#005eb8")]
    lines = [line for line, _ in [*COLOURED[:-1], ("", ""), *signed]]
    tints = [tint.replace("red", "#c00000") for _, tint in [*COLOURED[:-1], ("", ""), *signed]]
    expected = "Please see my answers below in red.\n\nWe do, for two years now.\n\nThe trust."
    assert new_text("\n".join(lines), spans(lines, roles(lines, ANN, tints)[0])) == expected
    lines[0] = "Please see my comments below."  # no colour is named, but nobody answers in a signature
    found = new_text("\n".join(lines), spans(lines, roles(lines, ANN, tints)[0]))
    assert found == expected.replace("answers below in red", "comments below")


def test_a_card_that_begins_with_the_authors_name_is_a_signature_though_it_speaks() -> None:
    assert _new("We do.\n\nA\n\nAnn Carter\nGP, Kent. You will not find me at my desk on Fridays.\n") == "We do."
    assert _new("We do.\n\nAnn\n\nI meant to say that you may have our leaflet.\n").endswith("our leaflet.")


def test_a_quote_set_in_by_spaces_ends_where_the_author_begins() -> None:
    text = (
        "On 5 Jan 2026, 09:00, Ben <b@x.org> wrote:\n\n    Hi\n\n    Who has CT?\n    > an older question\n\nWe do.\n"
    )
    assert _new(text) == "We do."


def test_what_was_broken_off_a_marked_line_is_read_with_it() -> None:
    text = (
        "> Speaking of this, does anybody know a search that runs every item of a form\n"
        "in isolation from the other ones, which we have been asked for by the local team\nand need.\n\nWe have one.\n"
        "> We would like to know whether that is a good idea and who would have to pay.\n"
        "I think it is.\n> And when?\n"
    )
    assert _new(text) == "We have one.\n\nI think it is."


@pytest.mark.parametrize(
    "after",
    [
        "PS: the form is online.",
        "NB: the form is online.",
        "Sorry, I forgot to say that we have put the form on our shared drive, if you need it.",
        "@Ben the form is online.",
        "[*] The form is online.",
        "Appendix: the form.\n\nIt has three boxes, and the last of them asks for weight loss.",
    ],
)
def test_an_afterthought_below_the_name_is_new(after: str) -> None:
    assert _new(f"We do.\n\nMany thanks\nAnn\n\n{after}") == f"We do.\n\n{after}"
    if after.startswith("PS"):
        assert _new(f"We do.\n\nMany thanks\nAnn\n{after}") == f"We do.\n\n{after}"


@pytest.mark.parametrize(
    "below",
    [
        "I work on Mondays, Tuesdays and Thursdays and may not see your message before then.",
        "I do not expect you to reply outside of your own working hours, whenever this mail arrives.",
        "If you need to reach me in a hurry please ring my secretary, Mrs Poe, on 01632 960000.",
        "GP Partner\nHigh Lane Surgery\n\nYou can tell us how we are doing, and we read all of it ourselves.",
        '"If you can keep your head when all about you are losing theirs and blaming it on you."',
        "Follow us and see what we do for people in your part of the county.",
    ],
)
def test_what_people_keep_below_their_names_is_not_new(below: str) -> None:
    assert _new(f"We do.\n\nMany thanks\nAnn\n\n{below}") == "We do."


def test_a_postscript_and_footnotes_below_the_name_are_new() -> None:
    text = "We do [1].\n\nAnn\n\nPS: the form is online.\n\n[1] https://example.org/form\n"
    assert _new(text) == "We do [1].\n\nPS: the form is online.\n\n[1] https://example.org/form"


@pytest.mark.parametrize(
    "banner",
    [
        "[EXTERNAL] This email originated from outside of the organisation. Do not click links.",
        "CAUTION: This message came from an outside sender. Think before you open attachments.",
        "You don't often get email from ann@example.org. Learn why this is important",
        "EXTERNAL EMAIL",
        "This email originated outside the Trust. Do not open attachments unless you recognise the sender.",
    ],
)
def test_a_gateways_banner_is_not_new(banner: str) -> None:
    assert _parts(f"{banner}\n\nWe have it.\n") == [("banner", banner), ("new", "We have it.")]


def test_a_warning_that_the_author_gives_is_no_banner() -> None:
    assert _new("Caution: the new form drops the box for weight loss.") == (
        "Caution: the new form drops the box for weight loss."
    )


FORWARDED = (
    "From: Hub <hub@example.org>\nSent: 5 January 2026\nTo: Ann Carter\nSubject: Results\n\n"
    "Dear Ann\n\nUp by 5%.\n\nHub\n"
)


def test_a_forward_of_something_new_is_kept_without_its_header_block() -> None:
    text = f"See below.\n\nAnn\n\n{FORWARDED}"
    assert _new(text, Context("Ann Carter", "FW: Results", "stream@lists.example.org")) == (
        "See below.\n\nDear Ann\n\nUp by 5%."
    )
    assert _new(text, ANN) == "See below."
    marked = f"See below.\n\n---------- Forwarded message ---------\n{FORWARDED}"
    assert _new(marked, ANN).endswith("Up by 5%.")


def test_a_forward_used_as_a_reply_is_a_quote() -> None:
    context = Context("Ann Carter", "FW: [STREAM] CT access", "stream@lists.example.org")
    assert _new(f"We do.\n\n{OUTLOOK}\n\nWho has CT?\n", context) == "We do."


def test_when_nothing_is_left_everything_is_shown_and_that_is_said() -> None:
    lines = ["> Who has CT?", "", "Kind regards", "Ann"]
    assert roles(lines, ANN) == ([SegmentRole.NEW] * 4, False)
    text = f"{OUTLOOK}\n\nWho has CT?"
    found, left = roles(text.split("\n"), ANN)
    assert not left
    assert found[0] is SegmentRole.QUOTE
    assert found[-1] is SegmentRole.NEW


def _reflowed(text: str) -> list[str]:
    lines = text.split("\n")
    return [" ".join(lines[a:b]) for a, b in reflow(lines, roles(lines, ANN)[0])]


def test_soft_wraps_are_undone_and_real_breaks_kept() -> None:
    text = (
        "We have run direct access to CT for two years in both of our trusts and the\n"
        "median wait is nine days.\nShort line.\n\n"
        "1. Every request is read by a named radiologist on the day that it is made, so\n"
        "nobody waits.\n2. The rest is as it always was.\n\n"
        "Age | Tests\n40 | 7\n\n> a quoted line that is long enough to have been wrapped by somebody's program\n> once"
    )
    assert _reflowed(text) == [
        "We have run direct access to CT for two years in both of our trusts and the median wait is nine days.",
        "Short line.",
        "",
        "1. Every request is read by a named radiologist on the day that it is made, so nobody waits.",
        "2. The rest is as it always was.",
        "",
        "Age | Tests",
        "40 | 7",
        "",
        "> a quoted line that is long enough to have been wrapped by somebody's program",
        "> once",
    ]


def test_a_long_address_does_not_widen_the_authors_lines() -> None:
    text = (
        "We have run direct access to CT for two years in both of our trusts\nand like it.\n\n"
        "https://example.org/a/very/long/address/that/nobody/could/have/wrapped/anywhere/at/all"
    )
    assert _reflowed(text)[0].endswith("trusts and like it.")


LINES = st.sampled_from(
    [
        *("", "Yes.", "> a", ">> b", "| c", "On 1 Jan 2026, Ben wrote:", OUTLOOK, "Kind regards", "Ann", "-- "),
        *("____________________", "Stream mailing list", "CAUTION: external links", "Sent from my iPhone"),
        "confidential: intended only for you",
    ]
)


@given(st.lists(LINES, max_size=40), st.sampled_from(["", "FW: x", "Re: [STREAM] CT"]))
@settings(deadline=None)
def test_segments_cover_the_text_in_order_and_neighbours_differ(lines: list[str], subject: str) -> None:
    text = "\n".join(lines)
    found = segments(text, Context("Ann Carter", subject, "stream@lists.example.org"))
    assert "".join(text[s.start : s.end] for s in found) == text
    assert all(a.end == b.start and a.role != b.role for a, b in pairwise(found))
    assert not text.strip() or any(s.role is SegmentRole.NEW for s in found)


@pytest.mark.parametrize(
    "footer",
    [
        # LISTSERV: a rule and blank lines between its sentences
        "########################################################################\n\n"
        "To unsubscribe from the LEADS list, click the following link:\nhttps://lists.example.org/scripts/wa?SUBED1=LEADS\n\n"
        "This message was issued to members of the LEADS mailing list, a list of the Example Trust",
        # groups.io: between two rules
        "-=-=-=-=-=-=-=-=-=-=-=-\nLinks: You receive all messages sent to this group.\n"
        "View/Reply Online (#7): https://groups.example.org/g/leads/message/7\n"
        "Mute This Topic: https://groups.example.org/mt/1/2\nUnsubscribe: https://groups.example.org/g/leads/unsub\n"
        "-=-=-=-=-=-=-=-=-=-=-=-",
    ],
)
def test_a_lists_footer_with_blank_lines_or_a_closing_rule_is_whole(footer: str) -> None:
    parts = _parts(f"We scan everybody.\n\nAnn\n\n{footer}\n")
    assert parts[0] == ("new", "We scan everybody.")
    assert parts[-1] == ("footer", footer)
