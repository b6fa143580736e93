"""A week of the sample community's stream: 6 threads, 40 replies, 3 messages that a person must decide about.

Six conversations of the sample as they are, with more people answering, so that the week is as full as it gets.
"""

import email
import email.policy
import email.utils
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

from digest.assets import SAMPLE

THREADS, REPLIES, HELD = 6, 40, 3

#: The sample's mails that are in the week: five conversations, a question nobody answers, and a stranger's request.
CHOSEN = (
    *(1, 2, 5, 10, 11, 13, 45),  # cancer care reviews
    *(3, 4, 6, 9, 14, 18, 20, 30, 44),  # how long is a negative FIT good for?
    *(12, 15, 16, 24, 36, 48),  # safety netting urgent referrals in EMIS
    *(27, 28, 32, 39, 43, 47),  # raised platelets
    *(34, 38, 42, 46, 50),  # after the vague symptoms clinic; 46 may identify a patient
    40,  # stage at diagnosis
    35,  # not from a member
)

#: Who else answers: the mail answered, the writer, and what they say. The last writes from an address nobody knows.
MORE = (
    (12, "Dr Ian Strickland <ian.strickland@example.org>", "Agree with Lucy. We run the same search every Monday."),
    (12, "Dr Hannah Dungey <hannah.dungey@example.org>", "Thank you all, this is really helpful."),
    (12, "Dr Naomi Feldman-Wright <naomi.feldman-wright@example.org>",
     "We moved the list into a shared Teams planner, so that a locum can see who was not called back. It took one"
     " afternoon to set up, and the nurse looks at it every Thursday."),
    (27, "Dr Jenifer Trevanion <jenifer.trevanion@example.com>",
     "I disagree with Megan. Three months is too long when the count is above 600; we repeat it after six weeks."),
    (27, "Dr Shafiq Rahman <shafiq.rahman@example.org>", "+1 to Peter’s point about the chest X-ray alone."),
    (27, "Dr Rukhsana Mirza <rukhsana.mirza@example.org>", "Many thanks, everyone."),
    (34, "Dr Gareth Prosser <gareth.prosser@example.net>",
     "Our clinic writes back with a named nurse and a date by which we should look again. Before that letter we had"
     " three patients in a year who fell between us."),
    (34, "Dr Eleanor Voss <eleanor.voss@example.org>", "Agree with Gareth, the date is what makes the difference."),
    (34, "Dr Kwame Boateng-Reid <kwame.boateng-reid@example.org>",
     "Only if the clinic agrees to see them again without a new referral. Ours did after we asked twice."),
    (1, "Dr Anjali Deshmukh <anjali.deshmukh@example.org>",
     "Our nurse associate does them by phone, twenty minutes each, and books a second call where something comes up."),
    (1, "Dr Chidi Nwosu <chidi.nwosu@example.org>", "Thanks for sharing these."),
    (12, "Clare <clare.at.home@example.net>",
     "From my other address: we print the list once a month for the partners’ meeting. Nobody had asked for it before,"
     " and now they do."),
)  # fmt: skip


def mails(now: datetime) -> Iterator[bytes]:
    """The week in order of arrival, its dates moved so that the newest is an hour old."""
    raws = {number: (SAMPLE / "mail" / f"{number:04}.eml").read_bytes() for number in CHOSEN}
    dated = sorted((_date(raw), raw) for raw in [*raws.values(), *_more(raws)])
    shift = now - timedelta(hours=1) - dated[-1][0]
    for at, raw in dated:
        lines = raw.split(b"\n")
        line = next(n for n, text in enumerate(lines) if text.lower().startswith(b"date:"))
        end = b"\r" if lines[line].endswith(b"\r") else b""
        lines[line] = b"Date: " + email.utils.format_datetime(at + shift).encode() + end
        yield b"\n".join(lines)


def _more(raws: dict[int, bytes]) -> Iterator[bytes]:
    latest = max(map(_date, raws.values()))
    for number, (answered, sender, words) in enumerate(MORE, start=1):
        asked = email.message_from_bytes(raws[answered], policy=email.policy.default)
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, str(asked["To"])
        mail["Subject"] = f"Re: {asked['Subject']}"
        mail["Date"] = email.utils.format_datetime(latest + timedelta(minutes=7 * number))
        mail["Message-ID"] = f"<week-{number}@example.org>"
        mail["In-Reply-To"] = mail["References"] = str(asked["Message-ID"]).strip()
        mail.set_content(f"{words}\n")
        yield mail.as_bytes()


def _date(raw: bytes) -> datetime:
    return email.utils.parsedate_to_datetime(email.message_from_bytes(raw, policy=email.policy.compat32)["Date"])
