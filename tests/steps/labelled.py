"""A small stream of invented mail, each with the thread a reader would put it in; in the order in which it arrives.

Made of what really goes wrong: Outlook without In-Reply-To, phones, prefixes in other languages, tags of gateways and
lists, subjects that change, collide or are lent to another topic, Message-IDs that are missing, doubled or cut off,
answers before questions, recalls, corrections, invitations, and answers to the digest. The labels were written before
the stream was first run.
"""

import base64
from datetime import timedelta

from tests.steps.world import NOON, SERVICE, mail

GWEN, TUNDE, PRIYA, RUTH = (
    "gwen@example.org",
    "tunde@example.org",
    "priya@example.org",
    "ruth@charity.example.org",
)


def index(seed: int, child: bytes = b"") -> str:
    """A Thread-Index: 22 bytes of the conversation, five more for each answer."""
    return base64.b64encode(bytes((seed + n) % 256 for n in range(22)) + child).decode()


def wrote(sender: str, subject: str, body: str, days: float, message_id: str = "", **headers: str) -> bytes:
    """One mail; `answers` sets In-Reply-To, `references` References, both as ids without brackets."""
    ids = {
        name: " ".join(f"<{id}>" for id in headers.pop(key).split())
        for key, name in (("answers", "In-Reply-To"), ("references", "References"))
        if key in headers
    }
    return mail(sender, subject, body, message_id, at=NOON + timedelta(days=days), **headers, **ids)


ISSUE = (
    "GP leads digest, Issue 3\n\n1. PSA in under 50s (Gwen Pryce)\nWhich threshold do you use below fifty?\n"
    "- Age-specific ones (3 replies)\n\n2. Who reads the CT report? (Tunde Ade)\n"
    "Does the lung CT report come back to the practice or to the clinic?\n\n"
    "3. GPs’ views on teledermatology (Priya Rao)\n"
)
QUOTED = f"On Sunday the digest <{SERVICE}> wrote:\n\n" + "".join(f"> {line}\n" for line in ISSUE.splitlines())

#: (thread, mail); None: it belongs to no thread, or only the coordinator can say to which.
MAIL: list[tuple[str | None, bytes]] = [
    # Outlook, NHSmail, phones and languages
    (
        "iron",
        wrote(
            GWEN,
            "[LEADS] Iron deficiency without anaemia",
            "Do you refer it? Who scopes first?",
            0,
            "i1@x",
            Thread_Index=index(1),
        ),
    ),
    (
        "iron",
        wrote(
            TUNDE,
            "RE: [LEADS] Iron deficiency without anaemia",
            "Only over sixty.",
            0.2,
            "i2@x",
            Thread_Index=index(1, b"12345"),
        ),
    ),
    (
        "iron",
        wrote(
            PRIYA,
            "Re: [EXTERNAL] [LEADS] Iron deficiency without anaemia",
            "FIT first, always.",
            0.4,
            "i3@x",
            answers="i1@x",
            references="i1@x",
        ),
    ),
    (
        "iron",
        wrote(TUNDE, "AW: [EXTERNAL]: [LEADS] Iron deficiency without anaemia", "And coeliac serology.", 3, "i4@x"),
    ),
    ("iron", wrote(PRIYA, "SV: Iron deficiency without anaemia", "We add a urine dip.", 12, "i5@x")),
    ("iron", wrote(TUNDE, "RÉP : Iron deficiency without anaemia", "Menstruating women differ.", 13, "i6@x")),
    (
        "iron",
        wrote(
            PRIYA,
            "Qt: Iron deficiency without anaemia",
            "Thresholds vary by lab.",
            14,
            "i7@x",
            Thread_Topic="Iron deficiency without anaemia",
        ),
    ),
    ("iron", wrote(GWEN, "Re: Iron deficiency", "Thank you, all of you.", 15, "i8@x", answers="i3@x")),
    ("iron", wrote(TUNDE, "RE: EXTERNAL: Iron deficiency without anaemia", "Ferritin below thirty.", 16, "i9@x")),
    # the same subject months later
    ("iron again", wrote(PRIYA, "Iron deficiency without anaemia", "Has anybody audited theirs?", 110, "j1@x")),
    ("iron again", wrote(GWEN, "Re: Iron deficiency without anaemia", "We have, in spring.", 111)),
    # another subject, the same topic
    ("psa", wrote(GWEN, "PSA in under 50s", "Which threshold do you use below fifty?", 1, "p1@x")),
    (
        "psa",
        wrote(
            TUNDE, "Re: PSA in under 50s", "Ours is 2.5 below fifty.", 1.5, "p2@x", answers="p1@x", references="p1@x"
        ),
    ),
    (
        "psa",
        wrote(
            PRIYA,
            "Re: Age-specific thresholds (was: PSA in under 50s)",
            "NICE has a table.",
            2,
            "p3@x",
            answers="p2@x",
            references="p1@x p2@x",
        ),
    ),
    (
        "psa",
        wrote(PRIYA, "Thresholds by age", "The table is in NG12.", 2.1, "p4@x", answers="p2@x", references="p1@x p2@x"),
    ),
    (
        "psa",
        wrote(TUNDE, "RE: Age-specific thresholds", "Thanks for the table.", 2.5, "p5@x", references="p1@x p2@x p3@x"),
    ),
    ("psa", wrote(GWEN, "Summary of replies: PSA in under 50s", "Six of us use age-specific thresholds.", 9, "p6@x")),
    # a new topic typed over an old mail, and its answers
    (
        "parking",
        wrote(
            PRIYA,
            "Parking at the leadership day",
            "Is there any, and does it cost?",
            4,
            "d1@x",
            answers="p2@x",
            references="p1@x p2@x",
        ),
    ),
    (
        "parking",
        wrote(
            RUTH,
            "RE: Parking at the leadership day",
            "There is, and it does not.",
            5,
            "d2@x",
            answers="d1@x",
            references="p1@x p2@x d1@x",
        ),
    ),
    (
        "parking",
        wrote(PRIYA, "Re: Parking at the leadership day", "Splendid.", 5.5, "d3@x", references="p1@x p2@x d1@x d2@x"),
    ),
    # no Message-ID anywhere
    ("nodules", wrote(TUNDE, "Thyroid nodules", "Who requests the ultrasound?", 6)),
    ("nodules", wrote(GWEN, "Re: Thyroid nodules", "The practice does.", 7)),
    ("nodules", wrote(PRIYA, "Re: Thyroid nodules", "Here the clinic.", 8)),
    # one Message-ID, two mails
    ("slots", wrote(GWEN, "Ultrasound slots", "Where are slots kept?", 9, "u1@x")),
    ("freezer", wrote(TUNDE, "Vaccine freezer alarm", "Whose has rung at night?", 9.1, "u1@x")),
    ("slots", wrote(PRIYA, "Re: Ultrasound slots", "In the diary.", 10, "u2@x", answers="u1@x")),
    # answers before their question
    (
        "lungs",
        wrote(
            PRIYA,
            "Re: Lung health checks",
            "In March, in two vans.",
            12,
            "l3@x",
            answers="l2@x",
            references="l1@x l2@x",
        ),
    ),
    (
        "lungs",
        wrote(TUNDE, "Re: Lung health checks", "Ours begin in May.", 11, "l2@x", answers="l1@x", references="l1@x"),
    ),
    ("lungs", wrote(GWEN, "Lung health checks", "When do yours begin?", 10, "l1@x")),
    # References cut off in the middle, what they name last never came
    (
        "ct",
        wrote(
            TUNDE,
            "Who reads the CT report?",
            "Does the lung CT report come back to the practice or to the clinic?",
            13,
            "c1@x",
        ),
    ),
    (
        "ct",
        wrote(
            PRIYA,
            "Re: Who reads the CT report?",
            "To the clinic.",
            14,
            "c9@x",
            answers="c8@x",
            references="c1@x c7@x c8@x",
        ),
    ),
    # what they answer never came
    ("lost", wrote(GWEN, "Re: Night sitters", "We have two.", 15, "n1@x", answers="lost@x")),
    ("lost", wrote(TUNDE, "Re: Night sitters (and day ones)", "We have none.", 60, "n2@x", answers="lost@x")),
    # recalled, corrected, answered all the same
    (
        "pay",
        wrote(
            RUTH,
            "GPs on site groups",
            "Dear all, do you pay the GPs who sit on your site groups, and does every group have on?",
            16,
            "r1@x",
        ),
    ),
    (
        "pay",
        wrote(
            RUTH,
            "Recall: GPs on site groups",
            "Ruth Calloway would like to recall the message, “GPs on site groups”.",
            16.01,
            "r2@x",
        ),
    ),
    (
        "pay",
        wrote(
            RUTH,
            "GPs on site groups (corrected)",
            "Dear all, do you pay the GPs who sit on your site groups, and does every group have one?",
            16.02,
            "r3@x",
        ),
    ),
    ("pay", wrote(PRIYA, "Re: GPs on site groups", "Yes, by the hour.", 16.5, "r4@x", answers="r1@x")),
    ("pay", wrote(TUNDE, "RE: GPs on site groups (corrected)", "By the session.", 17)),
    # a forward used as an answer; a subject whose quotes a phone has straightened
    ("skin", wrote(PRIYA, "GPs’ views on teledermatology", "Is it safe for two-week referrals?", 18, "t1@x")),
    ("skin", wrote(GWEN, "Re: GPs' views on teledermatology", "With a good picture, yes.", 19)),
    (
        "skin",
        wrote(
            TUNDE, "FW: GPs’ views on teledermatology", "See what our dermatologist says.", 20, "t3@x", answers="t1@x"
        ),
    ),
    # two questions of one subject within days
    ("quick 1", wrote(TUNDE, "Quick question", "What is your fax-free date?", 20, "q1@x")),
    ("quick 2", wrote(PRIYA, "Quick question", "Which form do you use for ascites?", 24, "q2@x")),
    ("quick 1", wrote(GWEN, "Re: Quick question", "April.", 20.3)),
    ("quick 2", wrote(GWEN, "Re: Quick question", "The general one.", 24.3)),
    # the same announcement every month
    (
        "bulletin 1",
        wrote(
            RUTH,
            "Charity bulletin",
            "Our bulletin is out. Read what is new about screening, trials and training.",
            2,
            "b1@x",
        ),
    ),
    (
        "bulletin 2",
        wrote(
            RUTH,
            "Charity bulletin",
            "Our bulletin is out. Read what is new about screening, trials and education.",
            31,
            "b2@x",
        ),
    ),
    # the old subject lent to a new topic: nothing but the words say so
    (
        "locums",
        wrote(
            TUNDE,
            "Re: Lung health checks",
            "On something else: what do you pay your locums these days?",
            25,
            "x1@x",
            answers="l1@x",
            references="l1@x",
        ),
    ),
    # answers to the digest, with and without headers
    (None, mail(SERVICE, "GP leads digest, Issue 3", ISSUE, "digest3@example.org", at=NOON + timedelta(days=26))),
    (
        "ct",
        wrote(
            GWEN,
            "Re: GP leads digest, Issue 3",
            f"Item 2: to the practice, and late.\n\n{QUOTED}",
            27,
            "g1@x",
            answers="digest3@example.org",
        ),
    ),
    (
        "psa",
        wrote(
            PRIYA,
            "RE: GP leads digest, Issue 3",
            f"1. We moved to 3.0 last year.\n\n2. To the clinic, here.\n\n{QUOTED}",
            27.1,
            "g2@x",
            answers="digest3@example.org",
        ),
    ),
    (
        "skin",
        wrote(
            TUNDE,
            "Re: GP leads digest, Issue 3",
            "Teledermatology views: ours like it, for all skin but the scalp.",
            27.2,
            "g3@x",
        ),
    ),
    (None, wrote(GWEN, "Re: GP leads digest, Issue 3", "Well put.", 27.3, "g4@x", answers="digest3@example.org")),
]
