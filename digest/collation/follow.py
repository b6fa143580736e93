"""What becomes of a question: which of several a reply answers, what is still open, what the asker did. Pure.

A question asked on the way counts as answered when somebody else takes it up later: by quoting it, by name, or in its
words. In doubt it stays open, because a coordinator takes out what is not open more easily than they miss what is.
"""

import re
from collections.abc import Iterable, Sequence

from digest.collation import Contribution
from digest.collation.points import statements
from digest.collation.questions import asking
from digest.collation.sentences import Sentence, split
from digest.collation.sides import called
from digest.collation.stance import asks_along
from digest.collation.worth import words
from digest.nouns import SegmentRole
from digest.words import content as stems

_OUTCOME = re.compile(
    r"\b(?:(?:we|i)(?:'ve|'re|'ll|'m| have| are| will| am)?(?: \w+)? (?:went (?:with|for|ahead)|gone (?:with|for|ahead)"
    r"|go(?:ing)? (?:with|for|to|ahead)|decided|agreed|chose|chosen|opted|settled|adopted|end(?:ed)? up)"
    r"|^\W*will (?!do\b|you\b|any|some)\w+ |in the end,? (?:we|i)|(?:we|i)(?: will|'ll)"
    r"|(?:our|my) (?:decision|plan|conclusion)"
    r"|(?:update|outcome|feedback)\b.{0,30}:|\bit is(?=[.!])"
    r"|\b(?:they|we|he|she|who) (?:(?:are|is|have|has) )?(?:now )?(?:willing|agreed|happy|prepared|going) to"
    r" (?:try|pilot|fund|pay|change|start|adopt|use|take|let|accept)"
    r"|\b(?:has|have) (?:now |since )?been (?:re-?)?(?:referred|seen|booked|scanned|agreed|changed|approved|signed|"
    r"set up))",
    re.IGNORECASE,
)
# What will be told or asked later is no outcome: "I will share the letter", "we are going to ask the lab".
_LATER = re.compile(
    r"\b(?:will|'ll|shall|going to|let|able to|promise to|try to|back to) (?:\w+ )?(?:summari[sz]e|collate|circulate"
    r"|share|report|let|(?:you|everyone|people|me) know|keep you|get back|be in touch|send|forward|post|follow up"
    r"|come back|contact|e-?mail|dm|ring|call|tell|update|feed back|you (?:all )?(?:at|in|how))\b"
    r"|\b(?:and|then) (?:(?:tell|let|update|report|feed back|get back)\b"
    r"|(?:bell|ring|call|phone|e-?mail|message|text|send|forward) (?:you|them|her|him)\b)",
    re.IGNORECASE,
)
# Keeping the list in order is no outcome either: "I'll delete yours, there is a name in it".
_HOUSEKEEPING = re.compile(
    r"\b(?:delet\w+|redact\w*|blank(?:ed)? out|(?:take|taken|took) .{0,40}\b(?:archive|down)"
    r"|remov\w+ .{0,30}\b(?:name|archive|list)|unsubscri\w+|resend|re-send|send (?:it|this) again)\b",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"\(?(\d{1,2})[.)]\s+$")
# A later question is the one that is answered when so much of its words is said, and so much more than of the first's.
_ENOUGH = 0.25
_CLEARLY = 0.1
#: An answer says as many of a question's words again.
_TAKEN_UP = 2


def outcome(reply: Contribution) -> list[Sentence]:
    """The sentences in which an asker tells what they did in the end, or will do."""
    return [
        sentence
        for sentence in statements(reply)
        if words(sentence.text) >= 4
        and _OUTCOME.search(sentence.text.replace("’", "'"))
        and not tells_later(sentence.text)
        and not _HOUSEKEEPING.search(sentence.text)
    ]


def tells_later(sentence: str) -> bool:
    """Whether a sentence says what will be told or asked later: an errand, not an outcome."""
    return bool(_LATER.search(sentence.replace("’", "'")))


def asked_and_answered(replies: Sequence[Contribution], everybody: Iterable[str]) -> list[Contribution]:
    """The replies that ask something which somebody takes up afterwards; `replies` in order of sending."""
    open_ = {(reply.message, sentence.start) for reply, sentence in still_open(replies, everybody)}
    return [
        reply
        for reply in replies
        if any((reply.message, sentence.start) not in open_ for sentence in asked_on_the_way(reply))
    ]


def still_open(replies: Sequence[Contribution], everybody: Iterable[str]) -> list[tuple[Contribution, Sentence]]:
    """The questions that replies ask and nobody takes up afterwards; `replies` in order of sending."""
    people = sorted({one for one in everybody if one})
    found = []
    for place, reply in enumerate(replies):
        later = [one for one in replies[place + 1 :] if one.author != reply.author]
        for sentence in asked_on_the_way(reply):
            addressed = called(sentence.text, set(people) - {reply.author})
            if not any(_takes_up(one, reply, sentence, addressed) for one in later):
                found.append((reply, sentence))
    return found


def asked_on_the_way(reply: Contribution) -> list[Sentence]:
    """Questions that want an answer: the last thing said, or put to somebody; others are figures of speech."""
    sentences = [s for s in split(reply.text, reply.segments) if words(s.text)]
    asked = {(s.start, s.end) for s in asking(reply)}
    return [
        sentence
        for place, sentence in enumerate(sentences)
        if any(start >= sentence.start and end <= sentence.end for start, end in asked)
        and (sentence.text.rstrip(")").endswith("?") or _wants(sentence.text))
        and (_ANYBODY.search(sentence.text) or not _ERRAND.search(sentence.text))
        and (_PUT.search(sentence.text) or all(s.text.endswith("?") or words(s.text) < 4 for s in sentences[place:]))
    ]


def _wants(sentence: str) -> bool:
    """Whether a sentence without a mark is put to anybody: "grateful for anyone's form", not "if anyone is reading"."""
    return bool(_ANYBODY.search(sentence)) and not _IF_ANYBODY.search(sentence) and not asks_along([sentence])


_IF_ANYBODY = re.compile(r"\b(?:if|unless|should|in case|whoever) (?:any|some)(?:one|body)?\b", re.IGNORECASE)
# What one asks of a colleague for oneself: "can I ring you about it?", "could you send me your form?"
_ERRAND = re.compile(
    r"\b(?:can|could|may|might) (?:i|we) (?:\w+ ){0,2}?(?:ring|call|phone|e-?mail|dm|contact|visit|steal|pinch|borrow"
    r"|copy|have|see|use) (?:you|yours?|it|a copy)\b"
    r"|\b(?:can|could|would|will|might) you (?:\w+ ){0,2}?(?:re-?send|send|share|forward|e-?mail|attach|pass|put|give"
    r"|show) (?:me|us|it|yours?)\b",
    re.IGNORECASE,
)
_ANYBODY = re.compile(r"\b(?:any(?:one|body)?|some(?:one|body))\b", re.IGNORECASE)
_PUT = re.compile(r"\b(?:you|your|yours|any(?:one|body)|some(?:one|body)|others|elsewhere)\b", re.IGNORECASE)


def _takes_up(later: Contribution, asker: Contribution, question: Sentence, addressed: Sequence[str]) -> bool:
    said = statements(later)
    if not said:
        return False
    if later.author in addressed:
        return True
    if called(" ".join(s.text for s in said), [asker.author]):
        return True
    if any(question.text in " ".join(q.split()) for q in _quoted(later)):
        return True
    wanted = {stem for stem in stems(question.text) if not stem.isdigit()}
    shared = wanted & {stem for s in said for stem in stems(s.text)}
    return not addressed and len(shared) >= min(_TAKEN_UP, len(wanted) or _TAKEN_UP)


def _quoted(one: Contribution) -> list[str]:
    return [re.sub(r"^[>\s]+", "", one.text[s.start : s.end]) for s in one.segments if s.role is SegmentRole.QUOTE]


def question_answered(reply: Contribution, sentence: Sentence, asked: Sequence[Sentence]) -> int:
    """Which of several asking sentences a reply's sentence answers: the one it is written under, by its number, by its
    words; the first in doubt.
    """
    if (shown := answer_to(reply, sentence, asked)) is not None:
        return shown
    said = set(stems(sentence.text))
    shared = [len(said & set(stems(one.text))) / (len(set(stems(one.text))) or 1) for one in asked]
    best = max(range(len(asked)), key=lambda n: (shared[n], -n), default=0)
    return best if best == 0 or shared[best] >= max(_ENOUGH, shared[0] + _CLEARLY) else 0


def answer_to(reply: Contribution, sentence: Sentence, asked: Sequence[Sentence]) -> int | None:
    """The asking sentence that a reply's sentence is shown to answer, by the quote above it or its number, or None."""
    if len(asked) < 2:
        return None
    if above := set(stems(quoted_above(reply, sentence))):
        shared = [len(above & set(stems(one.text))) / (len(set(stems(one.text))) or 1) for one in asked]
        if max(shared) >= 0.5:
            return shared.index(max(shared))
    number = _LIST_NUMBER.search(reply.text[max(0, sentence.start - 6) : sentence.start])
    if number and 0 < int(number[1]) <= len(asked):
        in_order = sorted(range(len(asked)), key=lambda n: asked[n].start)
        return in_order[int(number[1]) - 1]
    return None


def quoted_above(reply: Contribution, sentence: Sentence) -> str:
    """The quoted passage that a sentence answers from beneath, without its marks; "" where none stands above it."""
    for before, after in zip(reply.segments, reply.segments[1:], strict=False):
        if before.role is SegmentRole.QUOTE and after.start <= sentence.start < after.end:
            passage = re.sub(r"(?m)^[>|\s]+", "", reply.text[before.start : before.end]).strip()
            return " ".join(passage.rpartition("\n\n")[2].split())
    return ""
