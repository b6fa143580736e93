"""Why a message is in its conversation: the words that are stored with it and shown. Pure."""

STARTS = "starts a new conversation"
LEAVES = "answers an earlier message, but with a new subject and topic"
TURNS = "answers an earlier message under its subject, but asks about something else"
ANSWERS = "answers a message by In-Reply-To or, without one, the last of its References"
ANSWERED = "is the earlier message that stored replies answer"
REFERS = "names a message in References, with the same subject"
SHARES = "answers the same missing message"
COPY = "bears the Message-ID of another message, with the same subject"
OUTLOOK = "belongs to the same Outlook conversation"
SUBJECT = "is a reply with the same subject within 30 days"
ALIKE = "is what stored replies with the same subject answer, within 30 days"
CORRECTS = "is its author's mail once more, with corrections"
FOLLOWS = "tells the outcome of its author's own question"
PASSES_ON = "passes on a message of this thread"
ABOUT = "is a program's mail about a message of this thread"
BY_HAND = "moved by the coordinator"
SPLIT = "split off by the coordinator"

# The earlier a reason stands, the more it says; a message is told the first that holds. Those not named here (a
# token's, an answer to the digest's) come before all.
_RANK = (
    BY_HAND,
    SPLIT,
    LEAVES,
    TURNS,
    ANSWERS,
    REFERS,
    SUBJECT,
    COPY,
    SHARES,
    OUTLOOK,
    PASSES_ON,
    CORRECTS,
    FOLLOWS,
    ANSWERED,
    ALIKE,
)
#: What holds for both of two messages, so that it does not tell why the first of a conversation stands there.
MUTUAL = frozenset({COPY, SHARES, OUTLOOK, PASSES_ON, CORRECTS, FOLLOWS})
#: Why a message stands first in its conversation, or again what the first said: it answers nobody.
FIRST = frozenset({STARTS, LEAVES, TURNS, SPLIT, ANSWERED, ALIKE, CORRECTS})


def rank(reason: str) -> int:
    """The lower, the more a reason says."""
    return _RANK.index(reason) if reason in _RANK else -1
