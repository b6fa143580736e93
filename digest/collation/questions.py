"""The asking sentences of a message, with or without a question mark. Pure."""

import re

from digest.collation import Contribution
from digest.collation.sentences import Sentence, split
from digest.collation.worth import words
from digest.nouns import Kind
from digest.words import content

_OPENS = re.compile(
    r"\W*(?:(?:and|so|but|or),? )?(?:who|what|when|where|which|why|how|whose|is|are|was|were|do|does|did|has|have|had"
    r"|can|could|would|will|should|shall|may|might|any|anyone|anybody)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:grateful (?:for|if|to)|gratefully"
    r"|(?:would|be) (?:(?:really|very|much|so) )*(?:appreciated?|welcome|glad|helpful|interested)"
    r"|(?:any|all) (?:\w+ ){1,6}(?:welcome|appreciated|please)"
    r"|(?:keen|interested|love|like) to (?:know|hear|see|learn|understand)"
    r"|looking for|after (?:any|some|your) (?:advice|views|ideas|examples|templates?)"
    r"|(?:does|do|can|could|has|have|if|whether) any(?:one|body)|wonder(?:ing|ed)? (?:if|whether|what|how|who)"
    r"|(?:views|thoughts|advice|suggestions|ideas|examples|experiences?|comments|opinions)(?: \w+)? (?:please|welcome)"
    r"|please (?:could|can|would|share|send|tell|let (?:me|us) know|advise)"
    r"|(?:want|need|trying) to (?:know|find out|understand) (?:who|what|how|whether|if|which|where|when))\b",
    re.IGNORECASE,
)
_GROUP = re.compile(r"\b(?:any(?:one|body)|some(?:one|body)|you|your|yours|others|elsewhere|anywhere)\b", re.IGNORECASE)
_ANNOUNCED = re.compile(
    r"\b(?:questions?|query|poll|ask(?:ing)?|views|quick one|wonder\w*|advice|help)\b", re.IGNORECASE
)
# An asking order of words, where no mark follows: "Will certificates be sent out", "…, whose job is it to ring".
_UNMARKED = re.compile(
    r"^\W*(?:(?:and|so|but|or),? )?(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should|shall|may"
    r"|might)(?:n't)? \w+|who(?:se)?|what|where|which|why|how)\b"
    r"|, (?:whose|who (?:is|are|should|does|do|has|can|would)|what (?:is|are|do|does|should|would)"
    r"|how (?:do|does|many|much|often|should|would|can)|do|does|can|should|would|is|are)\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\W*(?:how (?:are (?:you|things)|is everyone)(?: (?:all|doing|keeping))*[?,]|are you well|ok\?|right\?)",
    re.IGNORECASE,
)
# What stands before a question: "My question:", "First,", "I am away on Wednesdays, so"
_LEAD = re.compile(
    r"(?:first|second|third|last)(?:ly)?(?: of all| question)?[,:]\s+(?=\S)|[^:?]{1,90}:\s+(?=\S)"
    r"|[^?]{12,160}?[,;\u2013\u2014-] (?:so|and|but) (?=(?:is|are|was|were|do|does|did|has|have|had|can|could|would"
    r"|will|should|shall|may|might)(?:n't)? \w+)",
    re.IGNORECASE,
)
_LATER_ONE = re.compile(r"\W*(?:and )?(?:a )?(?:second|third|last|another|finally|also|ps)(?:ly)?\b", re.IGNORECASE)

#: How many asking sentences of one message are kept.
LIMIT = 3


def asking(contribution: Contribution) -> list[Sentence]:
    """The asking sentences of a message, best first, at most LIMIT; a lead such as "My question:" is left off."""
    found = []
    sentences = split(contribution.text, contribution.segments)
    topic = {stem for sentence in sentences for stem in content(sentence.text)}
    for sentence in sentences:
        body = _without_lead(sentence)
        score = _directness(sentence.text, body.text) + 0.05 * min(10, len(topic & set(content(body.text))))
        if score > 1:
            found.append((-score, body.start, body))
    if not found and contribution.kind is Kind.QUESTION:  # somebody asked, without a mark and without asking words
        found = [(0.0, s.start, s) for s in sentences if _UNMARKED.search(s.text) and words(s.text) >= 5][:1]
    return [body for _, _, body in sorted(found)[:LIMIT]]


_YES_OR_NO = re.compile(
    r"\W*(?:\d{1,2}[.)] +)?(?:(?:and|so|but|or),? )?(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|would"
    r"|will|should|shall|may|might)(?:n't)?|any ?(?:one|body))\b"
    r"|.*, (?:do|does|are|is|have|has|can|should|would) (?:you|your|we|any)",
    re.IGNORECASE,
)


#: What is asked for, not proposed: "Has anyone found a way of …?"
_ASKED_FOR = re.compile(
    r"(?:any|some)(?:one|body)(?: \w+){0,3} (?:a (?:good |better )?way|ways|something|anything|what|how|which|who"
    r"|where)\b",
    re.IGNORECASE,
)


def proposes(question: str) -> bool:
    """Whether a question takes yes or no for an answer, so that it proposes what people stand for or against."""
    plain = question.replace("’", "'")
    return bool(_YES_OR_NO.match(plain)) and not _ASKED_FOR.search(plain)


# "…, or do you adjust first?" lets people choose, but not ", or not?" and "in January or June".
_CHOICE = re.compile(
    r"\bor (?:(?:just|rather|simply|instead|else|still|are|is|do|does|should|can|have|has|would|will) )*"
    r"(?:you|we|they|it|there|somebody|someone|everybody|[a-z]+ing|let|wait|hold|keep|send|refer|ask|go|leave|check|take"
    r"|adjust|repeat|watch|first|afterwards|elsewhere|the other)\b",
    re.IGNORECASE,
)


def lets_choose(question: str) -> bool:
    """Whether a question names several ways, so that a yes or a no to it says nothing."""
    return bool(_CHOICE.search(question))


def _without_lead(sentence: Sentence) -> Sentence:
    lead = _LEAD.match(sentence.text)
    if not lead or not sentence.text.endswith("?"):
        return sentence
    rest = sentence.text[lead.end() :]
    if not _OPENS.match(rest) or words(rest) < 4:
        return sentence
    cut = lead[0].rstrip()[-1] not in ",:"  # "…, so will it be recorded?"
    if cut and (_OPENS.match(sentence.text) or _UNMARKED.search(lead[0])):  # which asks two things in one
        return sentence
    return Sentence(sentence.start + lead.end(), sentence.end, rest)


def _directness(whole: str, body: str) -> float:
    marked = body.rstrip(")\"'”’ ").endswith("?")
    request = bool(_REQUEST.search(body))
    if _COURTESY.match(body) or not (marked or request):
        return 0.0
    score = 2.0 if marked else 1.5
    score += 0.5 * bool(_OPENS.match(body)) + 0.7 * bool(_GROUP.search(body)) + 0.5 * (marked and request)
    score += 0.6 * bool(_ANNOUNCED.search(whole[: len(whole) - len(body)]))
    score -= 0.8 * bool(_LATER_ONE.match(whole))
    return score - 1.2 * (words(body) < 5) - 0.5 * bool(re.match(r"\W*(?:and|or|but)\b", body, re.I))
