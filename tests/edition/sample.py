"""An edition of invented people: two answered questions, an unanswered one, an announcement and an update."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.edition import Digest, Earlier, Sender, When, Who
from digest.edition.compile import Post, ThreadFacts, compile_digest, reply_link
from digest.nouns import Content, Evidence, Kind, Point, Resource, ResourceKind

LONDON = ZoneInfo("Europe/London")
MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=LONDON)
SENDER = Sender(
    "Early Diagnosis Leads", "leads", "digest@example.org", "leads@lists.example.org", "https://digest.example.org"
)

PRIYA = Who("Dr Priya Nair", "Northern")
TOM = Who("Dr Tom Reed", "Peninsula")
SAM = Who("Dr Sam Okoro", "Kent and Medway")
SIAN = Who("Dr Siân Hughes", "Cheshire and Merseyside")
JO = Who("Jo Bell", "")

QUESTION = "Who chases the kit when a patient does not send it back?"
SEARCH = "We run a weekly search for kits handed out more than 14 days ago."
CONDITION = "Only if the kit is handed over in the room."
LIST = "Here the lab sends us a list every Friday and a care coordinator rings each patient."


def post(
    message: int, who: Who | None, kind: Kind = Kind.REPLY, text: str = "", day: int = 3, new: bool = True
) -> Post:
    return Post(message, who, datetime(2026, 11, 1, 9, 5, tzinfo=UTC) + timedelta(days=day - 1), kind, text, new)


def said(message: int, quote: str, start: int = 0) -> Evidence:
    return Evidence(message=message, start=start, end=start + len(quote), quote=quote)


def point(label: str, *evidence: Evidence, for_: list[int] | None = None, against: list[int] | None = None) -> Point:
    return Point(id=label, label=label, evidence=list(evidence), supporters=for_ or [], opposers=against or [])


def thread(
    id: int,
    title: str,
    content: Content,
    *posts: Post,
    answered: bool = True,
    update_of: int | None = None,
    asked_before: tuple[Earlier, ...] = (),
) -> ThreadFacts:
    reply = reply_link("leads@lists.example.org", id, title, f"m{id}@practice.example.org")
    page = f"https://digest.example.org/thread/{id}"
    return ThreadFacts(id, title, content, posts, answered, update_of, asked_before, page, reply)


KITS = thread(
    14,
    "Unreturned FIT kits",
    Content(
        question=[said(1, QUESTION)],
        points=[
            point(SEARCH, said(2, SEARCH), said(4, CONDITION), for_=[2, 3], against=[4]),
            point("the lab sends us a list every Friday", said(5, LIST), for_=[5]),
            Point(id="own", label="Nobody knows a hospital that does the chasing.", own=True, supporters=[2, 5]),
        ],
        resources=[
            Resource(message=5, title="Reminder letter.docx", kind=ResourceKind.FILE),
            Resource(message=2, title="example.org/search", url="https://www.example.org/search?a=1&b=2"),
            Resource(
                message=3, title="NG12", kind=ResourceKind.GUIDELINE, evidence=said(3, "We follow NG12 for this.")
            ),
        ],
        open=[said(4, "Who pays for the stamps?")],
        outcome=[said(1, "We have started the weekly search.", 90)],
        note="Tom will share his search.",
    ),
    post(1, PRIYA, Kind.QUESTION, day=3),
    post(2, TOM, day=4),
    post(3, SIAN, day=4),
    post(4, SAM, day=5),
    post(5, JO, day=6),
    asked_before=(Earlier(7, "Kits that never come back", "https://digest.example.org/thread/3"),),
)
BLOODS = thread(
    15,
    "Bloods before an FDS referral",
    Content(
        question=[said(11, "Which bloods do you ask for?")],
        points=[point("FBC & CRP <5 days old", said(12, "FBC & CRP <5 days old"))],
    ),
    post(11, SAM, Kind.QUESTION, day=5),
    post(12, SIAN, day=6),
)
LEAFLET = thread(
    16,
    "Lung health check leaflets",
    Content(question=[said(21, "Has anyone translated the leaflet into Polish?")]),
    post(21, SIAN, Kind.QUESTION, day=-8, new=False),
    answered=False,
    update_of=11,
)
MASTERCLASS = thread(
    17,
    "Masterclass",
    Content(),
    post(31, JO, Kind.ANNOUNCEMENT, "Dear all,\n\nThe masterclass is on 9 December 2026.\nAll welcome.", day=7),
)
TEMPLATES = thread(
    9,
    "Safety netting templates",
    Content(
        question=[said(41, "Does anyone have a template?")],
        points=[
            point("Our system has one.", said(42, "Our system has one."), for_=[42]),
            point("Ours is shared now.", said(43, "Ours is shared now."), for_=[43]),
        ],
    ),
    post(41, TOM, Kind.QUESTION, day=-20, new=False),
    post(42, PRIYA, day=-19, new=False),
    post(43, SAM, day=6),
    update_of=11,
)
INTRODUCTION = "Thank you for a **lively** week. The [guidance](https://www.example.org/fit) is out."


NEWS = "The *spring* meeting is in Leeds."
DATES = (
    When(datetime(2026, 12, 9, 19, 0, tzinfo=LONDON), "Masterclass: FIT, in practice", "Online; the link follows"),
    When(datetime(2026, 11, 2, 19, 0, tzinfo=LONDON), "Over already"),
    When(datetime(2026, 11, 24, 12, 30, tzinfo=LONDON), "Lunchtime call"),
)


def edition(*threads: ThreadFacts, introduction: str = INTRODUCTION) -> Digest:
    chosen = threads or (KITS, TEMPLATES, BLOODS, LEAFLET, MASTERCLASS)
    return compile_digest(
        "Early Diagnosis Leads",
        12,
        MONDAY,
        introduction,
        chosen,
        page="https://digest.example.org/edition/12",
        announcements=NEWS,
        dates=DATES,
    )


def parts(wire: bytes) -> tuple[str, str]:
    """The text and the HTML part as a mail program reads them."""
    mail = email.message_from_bytes(wire, policy=email.policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")
