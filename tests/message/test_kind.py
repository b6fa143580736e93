"""What kind of mail it is, and whether its sender is who it says."""

import pytest

from digest.message import Ours, Person, understand
from digest.message.purpose import by_a_person
from digest.nouns import Kind
from tests.message.mails import mail, raw

OURS = Ours(
    "stream@lists.example.org",
    "digest@example.org",
    (Person("Dr Ann Carter", ("ann.carter@example.org",)), Person("Dr Ben Okoro", ("ben@okoro.example.org",))),
)
REPORT = b"--b\r\n\r\nYour message could not be delivered.\r\n--b\r\nContent-Type: %s\r\n\r\nx: y\r\n--b--\r\n"


def _report(kind: str, part: bytes) -> bytes:
    return raw(f"Content-Type: multipart/report; report-type={kind}; boundary=b", body=REPORT % part)


INVITE = (
    b"--b\r\n\r\nLeads' day\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        (_report("delivery-status", b"message/delivery-status"), Kind.BOUNCE, "RFC 3464"),
        (_report("disposition-notification", b"message/disposition-notification"), Kind.RECEIPT, "RFC 8098"),
        (mail(From="MAILER-DAEMON@mx.example.org", Subject="Undelivered Mail"), Kind.BOUNCE, "From"),
        (mail(Return_Path="<>", Subject="Undeliverable: CT"), Kind.BOUNCE, "Return-Path"),
        (mail(X_Failed_Recipients="x@example.org"), Kind.BOUNCE, "X-Failed-Recipients"),
        (mail("Your message\n\n To: s\n\nwas read on Monday.\n", Subject="Read: CT"), Kind.RECEIPT, "read receipt"),
        (raw("Content-Type: multipart/mixed; boundary=b", body=INVITE), Kind.CALENDAR, "RFC 5546"),
        (mail("Ann would like to recall the message, “CT”.\n", Subject="Recall: CT"), Kind.RECALL, "recall"),
        (mail(X_MS_Exchange_Organization_RecallReport="requested"), Kind.RECALL, "RecallReport"),
        (mail("Away.\n", Auto_Submitted="auto-replied"), Kind.AUTO_REPLY, "RFC 3834"),
        (mail("Away.\n", X_Autoreply="yes"), Kind.AUTO_REPLY, "X-Autoreply"),
        (mail("Noted.\n", Return_Path="<>"), Kind.AUTO_REPLY, "Return-Path"),
        (mail("Full.\n", Subject="Message could not be delivered: CT", Return_Path="<>"), Kind.BOUNCE, "Return-Path"),
        (
            mail("It was displayed.\nThis is a Return Receipt.\n", Subject="Return Receipt (displayed) - CT"),
            Kind.RECEIPT,
            "receipt",
        ),
        (mail("\n", Subject="Accepted: Leads' day"), Kind.CALENDAR, "invitation"),
        (mail("Your attempt to recall it failed.\n", Subject="Message Recall Failure: CT"), Kind.RECALL, "recall"),
        (mail("Gone.\n", Subject="Allan o'r swyddfa / Out of office"), Kind.AUTO_REPLY, "out-of-office"),
        (
            mail("I only work on Tuesdays and will reply when I am next in.\n", Subject="Re: CT"),
            Kind.AUTO_REPLY,
            "away",
        ),
        (
            mail("I have now left the ICB. Please redirect your mail to office@example.org.\n", Subject="Re: CT"),
            Kind.AUTO_REPLY,
            "away",
        ),
        (
            mail("This is an automated response. We aim to answer within two days.\n", Subject="Re: CT"),
            Kind.AUTO_REPLY,
            "automatic",
        ),
        (
            mail("Dear Dr, submit a manuscript to our special issue, 50% off.\n", From="x@journal.example.net"),
            Kind.SPAM,
            "not a member",
        ),
        (mail("Away.\n", Subject="Automatic reply: CT"), Kind.AUTO_REPLY, "out-of-office"),
        (mail("Away.\n", Subject="[STREAM] Out of Office: Re: CT"), Kind.AUTO_REPLY, "out-of-office"),
        (mail("Back in May.\n", Subject="I'm on annual leave Re: CT"), Kind.AUTO_REPLY, "away"),
        (mail("I am on leave until 3 May, ring the surgery.\n", Subject="Re: CT"), Kind.AUTO_REPLY, "away"),
        (mail(From="Digest <digest@example.org>", Auto_Submitted="auto-generated"), Kind.ADMIN, "own digest"),
        (mail(From="stream-request@lists.example.org", Subject="Welcome"), Kind.ADMIN, "list server"),
        (mail(X_List_Administrivia="yes"), Kind.ADMIN, "list server"),
        (mail(From="x@shop.example.net", X_Spam_Flag="YES"), Kind.SPAM, "X-Spam-Flag"),
        (
            mail("Dear Doctor, claim your free audit now.\n", From="x@shop.example.net", Subject="Limited offer"),
            Kind.SPAM,
            "not a member",
        ),
        (mail("Buy me some gift cards.\n", From="Dr Ann Carter <a@free.example.net>"), Kind.SPAM, "not a member"),
        (
            mail("Update your login at once or your mailbox will be closed.\n", From="Ann Carter <a@free.example.net>"),
            Kind.SPAM,
            "not a member",
        ),
        (
            mail(
                "The message for one subscriber was not delivered:\n\njo@old.example.net\n\n550 5.1.1 User unknown\n",
                From="Sympa <sympa@lists.example.org>",
                Subject="Subscriber trouble",
                Return_Path="<>",
            ),
            Kind.BOUNCE,
            "RFC 5321",
        ),
        (
            mail("550 no such user here\n", Subject="Bounce: stream, jo@old.example.net", Return_Path="<>"),
            Kind.BOUNCE,
            "Return-Path",
        ),
        (
            mail("Dr Carter is on annual leave until 3 May. Letters: ask our secretary.\n", Subject="Re: CT"),
            Kind.AUTO_REPLY,
            "by name",
        ),
    ],
)
def test_a_mail_that_settles_its_kind_names_the_reason(message: bytes, kind: Kind, says: str) -> None:
    understood = understand(message, OURS)
    assert understood.kind is kind
    assert says in understood.kind_reason


@pytest.mark.parametrize(
    "message",
    [
        mail(Precedence="list", List_Id="<stream.lists.example.org>", X_BeenThere="stream@lists.example.org"),
        mail(Precedence="bulk"),
        mail(Auto_Submitted="no"),
        mail("Who covers your maternity leave?\n", Subject="On maternity leave: who covers?"),
        mail("I am on leave until May, but who reads your forms?\n", Subject="Re: forms"),
        mail("Free trial, click here, act now.\n"),  # a member may say so
        mail(X_Spam_Flag="YES"),
        mail("Can I join? I am a GP in Kent.\n", From="Cat Dunn <cat@example.net>"),
        mail("I will read this on the train.\n", Subject="Read: the new guideline"),
        mail("Who has one?\n", Subject="Automatic reply rules in EMIS"),
        mail("Out of office working helps.\n", Subject="Out of office working in cancer hubs"),
        mail("The maker recalls batch 12 of the kits.\n", Subject="Recall: batch of FIT kits"),
        mail(
            "I am on leave until May, so briefly: we use one letter, and a nurse rings everybody.\n", Subject="Re: CT"
        ),
        mail("I am away from my desk until noon but our manager keeps a list of all of them.\n", Subject="Re: CT"),
        mail("I accepted that we have no clinic, and told them.\n", Subject="Accepted: no clinic"),
        mail("Dr Okoro is on leave until May, so I answer for him: yes, weekly.\n", Subject="Re: CT"),  # somebody else
        mail("Dr Carter is on leave too, and nobody else here has read the policy yet.\n", Subject="Re: CT"),
    ],
)
def test_a_person_wrote_what_no_header_and_no_pattern_of_words_disproves(message: bytes) -> None:
    assert understand(message, OURS).kind is None


@pytest.mark.parametrize(
    "text",
    [
        "Dear practice owner, we put surgeries on the first page of every search engine. Just reply STOP.",
        "I came across your network. Could we book a short demo with you? Our platform cuts waits by half.",
        "Hope this email finds you well. Happy to send a price list and arrange a free three week pilot.",
        "Dear esteemed professor, we offer you a keynote speaker slot for a registration fee of USD 450.",
        "Who is the budget holder for dermatology? Ten minutes of your time is all I ask.",
        "Triple your private revenue, no obligation, cancel whenever you like.",
    ],
)
def test_an_offer_by_a_stranger_says_two_things_that_offers_say(text: str) -> None:
    assert understand(mail(f"{text}\n", From="Jo Vane <jo@vane.example.net>", Subject="Hello"), OURS).kind is Kind.SPAM
    member = understand(mail(f"{text}\n", Subject="Hello"), OURS)
    assert member.kind is None


@pytest.mark.parametrize(
    "text",
    [
        "I am the radiographer Ann spoke of. Our clinic has ten slots a week; ring me for any of them.",
        "Thank you for asking me to speak on the 4th. I can do ten o'clock; my slides are attached.",
        "I run the screening hub and would like to join. Dr Okoro knows me.",
        "We are writing to every lead about the new form, which is free and replaces the old one in May.",
        "I read that your group asked about spirometry. We published our audit last week and can share it.",
    ],
)
def test_a_stranger_with_something_to_say_waits_for_a_person(text: str) -> None:
    assert understand(mail(f"{text}\n", From="Jo Vane <jo@vane.example.net>", Subject="Hello"), OURS).kind is None


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Moving house", "From Monday our mailing list will be replaced by a forum. Subjects will start with [leads]."),
        ("The leads list is closing", "Thank you all for twelve years."),
        ("Request", "Please could somebody add me to the group? My manager agrees."),
        ("Me", "Could you change my work address to this one, please? The other goes in May."),
        ("Goodbye", "I retire on Friday, so please take me off the list."),
        ("How to post", "Two reminders. Keep patient details out. And think before you reply-all."),
        ("Welcome, Dr Osei", "Kofi joins us from Leeds."),
        ("Change of e-mail address", "As above."),
    ],
)
def test_what_is_about_the_list_itself_is_told_from_what_is_asked_on_it(subject: str, text: str) -> None:
    assert by_a_person(text, subject, False, False)[0] is Kind.ADMIN


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("New here", "Thank you for letting me join the group. Does anybody run a spirometry hub?", Kind.QUESTION),
        ("New email template", "We wrote one for negative results. Who would like it?", Kind.QUESTION),
        ("Waiting list", "Who has closed a waiting list for scopes?", Kind.QUESTION),
        ("Our patient group is changing the leaflet", "It will be out in May.", Kind.ANNOUNCEMENT),
        ("Welcome to the new form", "It is shorter.", Kind.ANNOUNCEMENT),
        ("Course", "Ten places are left. Anyone unable to pay should ring Jo.", Kind.ANNOUNCEMENT),
        ("Course", "Anybody who wants one can have the slides.", Kind.ANNOUNCEMENT),
        ("Course", "Anyone know whether the course can be done online.", Kind.QUESTION),
        ("Course", "Anyone tried it and is it any good.", Kind.QUESTION),
        ("Draft", "Here is our draft plan. Suggestions to Jo by Friday please.", Kind.ANNOUNCEMENT),
        ("Draft", "Here is our draft plan. Suggestions please.", Kind.QUESTION),
        ("Fancy a change?", "We need a GP. Job description below, interviews on 3 May.", Kind.ANNOUNCEMENT),
    ],
)
def test_what_only_sounds_like_a_question_or_like_housekeeping_is_none(subject: str, text: str, kind: Kind) -> None:
    assert by_a_person(text, subject, False, False)[0] is kind


@pytest.mark.parametrize(
    ("text", "subject", "in_thread", "to_digest", "kind"),
    [
        ("Who has direct access to CT?", "CT", False, False, Kind.QUESTION),
        ("I would be grateful for any examples of a letter.", "Letters", False, False, Kind.QUESTION),
        ("We are looking for a search that finds them. Views please.", "Search", False, False, Kind.QUESTION),
        (
            "The module is now live. To register see below. Any questions, ask me?",
            "Module",
            False,
            False,
            Kind.ANNOUNCEMENT,
        ),
        ("For information and onward sharing.", "New threshold", False, False, Kind.ANNOUNCEMENT),
        ("A warm welcome to two colleagues.", "Welcome to two new members", False, False, Kind.ADMIN),
        ("Does yours?", "Re: CT", True, False, Kind.REPLY),
        ("Interested to know how others follow up negative FITs.", "FIT", False, False, Kind.QUESTION),
        ("The hospital is on 3. How have you handled the mismatch.", "PSA", False, False, Kind.QUESTION),
        ("We write up cases. If you have one, please get in touch.", "Cases", False, False, Kind.QUESTION),
        ("Struggling with these. Advice gratefully received.", "Help", False, False, Kind.QUESTION),
        ("Anyone cracked text reminders. Thx", "Quick one", False, False, Kind.QUESTION),
        ("We are recruiting. Closing date May. Would this suit you?", "Job", False, False, Kind.ANNOUNCEMENT),
        ("Our audit is published. Have you ever wondered who acts on them?", "Audit", False, False, Kind.ANNOUNCEMENT),
        ("How we do it: see below. Do it with care.", "Our way", False, False, Kind.ANNOUNCEMENT),
        ("Sorry to hijack this: does anyone know the Scottish team?", "Re: CT", True, False, Kind.QUESTION),
        ("Item 2: ours does.", "Re: digest", True, True, Kind.DIGEST_REPLY),
    ],
)
def test_what_a_person_wrote_is_told_apart(
    text: str, subject: str, in_thread: bool, to_digest: bool, kind: Kind
) -> None:
    found, reason = by_a_person(text, subject, in_thread, to_digest)
    assert found is kind
    assert reason.endswith(".")


def test_a_reason_says_what_is_asked_on_the_way_and_what_is_asked_besides() -> None:
    assert "asks: “Does yours?”" in by_a_person("Does yours?", "Re: CT", True, False)[1]
    reason = by_a_person("Who pays for CT? Also, has anyone a card for adults?", "CT", False, False)[1]
    assert "Who pays for CT?" in reason
    assert "Also, has anyone a card for adults?" in reason


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (mail(From="Dr Ann Carter <ann@free.example.net>"), "name is a member's"),
        (mail(From='"CARTER, Ann (HIGH LANE - Z99999)" <ann@free.example.net>'), "name is a member's"),
        (mail(From='"ben@okoro.example.org" <x@free.example.net>'), "member's address"),
        (mail(Authentication_Results="mx.example.org; spf=pass; dmarc=fail (p=reject)"), "dmarc=fail"),
        (mail(Sender="x@free.example.net"), "Sender and From"),
        (mail(From="Dr Аnn Cаrter <ann@free.example.net>"), "name is a member's"),  # Cyrillic А and а
        (mail(From="Ann <ann.carter@exarnple.org>"), "looks like"),
        (
            mail(
                Authentication_Results="mx.example.org; dmarc=fail",
                List_Id="<other.example.net>",
                List_Post="<x@other.example.net>",
            ),
            "dmarc=fail",
        ),
        (b"From: ann.carter@example.org\r\nFrom: x@y.org\r\nSubject: x\r\n\r\nx", "more than one From"),
    ],
)
def test_a_sender_who_may_be_somebody_else_is_named(message: bytes, says: str) -> None:
    assert says in understand(message, OURS).spoof


@pytest.mark.parametrize(
    "message",
    [
        mail(),
        mail(Authentication_Results="mx.example.org; dmarc=fail", List_Id="<stream.lists.example.org>"),  # RFC 7960
        mail(Sender="stream-bounces@lists.example.org", List_Id="<stream.lists.example.org>"),
        mail(Sender="Stream <STREAM@LISTS.EXAMPLE.ORG>"),  # LISTSERV, which writes no List-Id
        mail(Sender="owner-stream@lists.example.org", Authentication_Results="mx.example.org; dmarc=fail"),
        mail(From="Ann <ann@free.example.net>"),
        # below another host's Received: anybody may have written it (RFC 8601, 5)
        raw("Received: from b by c", "Received: from a by b", "Authentication-Results: evil; dmarc=fail", "Subject: x"),
        mail(From="Dr Ann Carter <BEN@okoro.example.org>"),
    ],
)
def test_ordinary_senders_are_not_suspected(message: bytes) -> None:
    assert understand(message, OURS).spoof == ""


@pytest.mark.parametrize(
    "headers",
    [
        {  # Mailman: the author in Reply-To
            "From": '"Dr Ann Carter via Stream" <stream@lists.example.org>',
            "Reply_To": "Dr Ann Carter <ann.carter@example.org>",
        },
        {  # Mailman, replies to the list: the author in Cc, among others
            "From": '"Dr Ann Carter via Stream" <stream@lists.example.org>',
            "Reply_To": "stream@lists.example.org",
            "Cc": "Ben <ben@okoro.example.org>, Dr Ann Carter <ann.carter@example.org>",
        },
        {  # Google
            "From": "\"'Dr Ann Carter' via Stream\" <stream@lists.example.org>",
            "X_Original_From": "Dr Ann Carter <ann.carter@example.org>",
            "Reply_To": "stream@lists.example.org",
        },
        {  # groups.io
            "From": '"CARTER, Ann (HIGH LANE) via lists.example.org" <ann.carter=example.org@lists.example.org>',
            "Reply_To": "stream@lists.example.org",
        },
        {  # LISTSERV
            "From": "Dr Ann Carter <0000012ab3cd-dmarc-request@lists.example.org>",
            "Sender": "Stream <stream@lists.example.org>",
            "Reply_To": "Dr Ann Carter <ann.carter@example.org>, stream@lists.example.org",
        },
    ],
)
def test_the_author_is_known_behind_a_list_that_puts_itself_into_from(headers: dict[str, str]) -> None:
    understood = understand(mail("CT access is fine here.\n", **headers), OURS)
    assert understood.from_address == "ann.carter@example.org"
    assert " via " not in understood.from_name
    assert understood.spoof == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "Eve <eve@example.net>", "Reply_To": "Dr Ann Carter <ann.carter@example.org>"},
        {"From": "Eve <ann.carter=example.org@evil.example.net>", "Reply_To": "x@evil.example.net"},
        {"From": "Stream <stream@lists.example.org>", "Cc": "Dr Ann Carter <ann.carter@example.org>"},
    ],
)
def test_nobody_becomes_a_member_by_what_they_put_beside_their_own_from(headers: dict[str, str]) -> None:
    assert understand(mail("CT access is fine here.\n", **headers), OURS).from_address != "ann.carter@example.org"
