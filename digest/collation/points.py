"""What each reply says that is worth keeping. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise

from digest.collation import Contribution, own_words, unmasked
from digest.collation.sentences import Sentence, split
from digest.collation.stance import asks_along, only_sides, stance, thanks
from digest.collation.worth import Line, words
from digest.nouns import Stance

#: Shorter sentences seldom say something by themselves.
_SUBSTANCE = 4

#: How much less a sentence is worth as a quote when some of it has to be masked.
_MASKED = 0.3

_HANDING_OVER = re.compile(
    r"\b(?:attach\w*|enclos\w+|forward(?:ing|ed)|copy|link|here is|here are|happy to|put you in touch|apolog\w+|sorry"
    r"|ps|let me know|look(?:ing)? forward|good luck|hope (?:this|that))\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


_APOLOGY = re.compile(
    r"\W*(?:my |many |sincere )?(?:apolog\w+|sorry)\b(?: for| about| if| to (?:all|everyone|hear)|[,.!]| all)"
    r"(?!.*\b(?:but|however)\b)",
    re.IGNORECASE,
)
# Whether they will come: "I'll be there, train permitting". Nobody collates that.
_COMES = re.compile(
    r"\W*(?:(?:sorry|sadly|alas|great|lovely|yes|no|all),? )*(?:i|we)? ?"
    r"(?:(?:'ll|will|hope to|plan to|am going to|'m going to) (?:\w+ )?(?:be there|come|attend|join (?:you|in|by))"
    r"|(?:can't|cannot|can not|won't be able to|am unable to|'m unable to) (?:make (?:it|that)|come|attend|join)"
    r"|(?:am |'m |have |'ve )?(?:just )?(?:signed up|registered|booked (?:on|in|my place|a place))"
    r"|see you (?:all )?there|(?:must|have to) (?:cry off|send (?:my )?apologies)|will miss (?:it|this one))\b",
    re.IGNORECASE,
)
_COMES_WORDS = 10
#: What else somebody says who hands something over: "Version 4, please ignore the comments."
_BESIDE = 8


def statements(contribution: Contribution) -> list[Sentence]:
    """The sentences that state something: neither thanks nor a question."""
    return [
        sentence
        for sentence in split(contribution.text, contribution.segments)
        if not sentence.text.rstrip(")\"'”’ ").endswith("?")
        and shows(contribution, sentence)
        and not (thanks(sentence.text) and words(sentence.text) < 12)
        and not _APOLOGY.match(sentence.text)
        and not _comes(sentence.text)
        and words(sentence.text)
    ]


def _comes(sentence: str) -> bool:
    """Whether a sentence only says whether its author will come."""
    return bool(_COMES.match(sentence.replace("’", "'"))) and words(sentence) <= _COMES_WORDS


# A coordinator's "gentle reminder to keep patients' names out of mails" keeps order and makes no point.
_REMINDS = re.compile(r"\b(?:reminder|nudge|plea)\b", re.IGNORECASE)
_OF_ORDER = re.compile(
    r"\b(?:(?:patients?['’]?s?['’]?|their|any|the) (?:names?|details|numbers?|identit\w+)"
    r"|names and (?:dates|numbers)|names, |identifiers?|archive|delete)\b",
    re.IGNORECASE,
)


def reminds(contribution: Contribution) -> bool:
    """Whether a reply reminds the others to keep patients' details out of their mails."""
    own = own_words(contribution)
    return bool(_REMINDS.search(own) and _OF_ORDER.search(own))


def shows(contribution: Contribution, sentence: Sentence) -> bool:
    """Whether a sentence still says something where the words that may identify a patient are masked."""
    shown = words(unmasked(contribution, sentence))
    return shown >= min(_SUBSTANCE, words(sentence.text))


def substantive(contribution: Contribution) -> bool:
    """Whether a reply contributes: states something or takes a side, rather than only thanking or asking."""
    said = statements(contribution)
    if reminds(contribution):
        return False
    return not asks_along(sentence.text for sentence in said) and any(
        words(sentence.text) >= _SUBSTANCE or stance(sentence.text)[0] not in (Stance.NONE, Stance.INFO)
        for sentence in said
    )


def only_shares(contribution: Contribution) -> bool:
    """Whether a reply hands over a link or a file and says nothing else."""
    beside = [
        words(_LINK.sub("", sentence.text))
        for sentence in statements(contribution)
        if not _HANDING_OVER.search(sentence.text)
    ]
    return bool(contribution.links or contribution.attachments) and sum(beside) <= _BESIDE


def ranked(contribution: Contribution, lines: Sequence[Line]) -> list[Line]:
    """Those of a thread's `lines` in which a reply states something, best first; what only takes sides comes last."""
    said = {(s.start, s.end) for s in statements(contribution)}
    own = [
        line
        for line in lines
        if line.message == contribution.message and (line.sentence.start, line.sentence.end) in said
    ]

    def value(line: Line) -> float:
        whole = unmasked(contribution, line.sentence) == line.sentence.text
        return line.worth - (0 if whole else _MASKED)

    return sorted(own, key=lambda line: (only_sides(line.sentence.text), -value(line), line.sentence.start))


# A sentence that qualifies the one before it: cut off, the quote would promise more than its author did.
_QUALIFIES = re.compile(
    r"\W*(?:(?:but|and|or|though|although|even then|that said|however)\W+)?(?:only|unless|except|provided|providing"
    r"|as long as|otherwise|but|though|although|however|that said|not if|mind you"
    r"|the (?:catch|snag|downside|drawback|one gap|weak spot|condition|caveat|proviso))\b",
    re.IGNORECASE,
)
# A sentence that says nothing without the one before it.
_LEANS_BACK = re.compile(
    r"\W*(?:(?:and|but|so|then) )?(?:it|they|that|this|these|those|he|she|both|neither|which|such"
    r"|the (?:former|latter))\b",
    re.IGNORECASE,
)
#: A quote is not made longer than so many words for what it leans on.
_QUOTE = 60


def whole(contribution: Contribution, sentence: Sentence) -> Sentence:
    """A sentence with what it cannot do without: what it leans on before it, its conditions and limits after it."""
    around = split(contribution.text, contribution.segments)
    at = next((place for place, one in enumerate(around) if one.start == sentence.start), -1)
    if at < 0:
        return sentence
    first, last = at, at
    while first and (_LEANS_BACK.match(around[first].text) or _QUALIFIES.match(around[first].text)):
        if not _go_together(contribution, around[first - 1], around[first]):
            break
        first -= 1
    while last + 1 < len(around) and _QUALIFIES.match(around[last + 1].text):
        if not _go_together(contribution, around[last], around[last + 1]):
            break
        last += 1
    start, end = around[first].start, around[last].end
    text = contribution.text[start:end]
    return Sentence(start, end, text) if words(text) <= _QUOTE else sentence


# A neighbouring sentence is quoted along from this worth on, while the passage has no more than so many words: what is
# said in a few lines is said together, and a sentence alone often needs the one beside it.
_ALONG = 0.2
_PASSAGE = 45


def passage(contribution: Contribution, quote: Sentence, lines: Sequence[Line], taken: Sequence[Sentence]) -> Sentence:
    """A quote with those neighbours among `lines` that are worth it, the worthier first; `taken`: other quotes."""
    worth = {
        line.sentence.start: line.worth
        for line in lines
        if unmasked(contribution, line.sentence) == line.sentence.text and not only_sides(line.sentence.text)
    }
    around = split(contribution.text, contribution.segments)
    within = [place for place, one in enumerate(around) if quote.start <= one.start < quote.end]
    if not within:
        return quote
    first, last = within[0], within[-1]
    while True:
        wider = [(n, last) for n in (first - 1,) if n >= 0] + [(first, n) for n in (last + 1,) if n < len(around)]
        scored = []
        for start, end in wider:
            new = around[start] if start < first else around[end]
            text = contribution.text[around[start].start : around[end].end]
            free = all(new.end <= one.start or new.start >= one.end for one in taken)
            if (
                worth.get(new.start, 0) >= _ALONG
                and free
                and words(text) <= _PASSAGE
                and _adjoin(contribution, around[start : end + 1])
            ):
                scored.append((worth[new.start], start, end))
        if not scored:
            break
        _, first, last = max(scored)
    start, end = around[first].start, around[last].end
    return Sentence(start, end, contribution.text[start:end])


def _go_together(contribution: Contribution, one: Sentence, other: Sentence) -> bool:
    """Whether nothing but a space stands between two sentences, and neither thanks nor asks."""
    between = contribution.text[one.end : other.start]
    return (
        not between.strip()
        and "\n" not in between
        and not any(thanks(s.text) or s.text.endswith("?") or _APOLOGY.match(s.text) for s in (one, other))
    )


def _adjoin(contribution: Contribution, sentences: Sequence[Sentence]) -> bool:
    """Whether nothing but space stands between sentences, and no blank line."""
    gaps = [contribution.text[one.end : other.start] for one, other in pairwise(sentences)]
    return not any(gap.strip() or gap.count("\n") > 1 for gap in gaps)
