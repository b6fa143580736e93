"""How a reply stands to the question's proposal or the leading suggestion, and the words that show it. Pure.

A cue is a suggestion to the coordinator ("possible agreement", "different view, please check"), never a verdict.
First-person openers are precise; "however", "support" and "exactly" alone are noise, so they are no cues.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from digest.collation.sentences import hail
from digest.nouns import Stance


def _cues(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"(?<![\w'])(?:" + "|".join(patterns) + r")(?!\w)", re.IGNORECASE)


_START = r"(?:^|(?<=[.!?:,\n] )|(?<=\n)|(?<=[.!?:,][.!?] ))"
_NAMED = r"(?-i:[A-Z][\w'’-]+)"  # somebody, or some place, called by name
_VERY = r"(?:(?:so|very|very much|completely|totally|fully|strongly|firmly|absolutely|entirely|all|definitely) )*"
_MIXED = _cues(
    r"middle (?:way|ground)",
    r"in between",
    r"half[\s-]?way house",
    r"(?:on|with) (?:one|this|that|a|the) (?:single )?(?:big )?condition",
    r"(?:my|the) (?:only |one |main )?(?:condition|proviso|caveat)s? (?:is|are|would be|being)",
    r"(?<!\w is )(?<!are )(?<!was )(?<!were )provid(?:ed|ing)(?= (?:that|there|it|the|you|we|they|nobody|somebody)\b)",
    r"(?<!\bfor )as long as(?= (?:the|it|there|you|we|they|somebody|nobody)\b)",
    r"(?:an?|one) (?:note|word) of caution",
    r"(?:agree|like|support|back|am with|'m with)(?: \w+){0,6},? (?:although|though|but|except|however|unless)",
    r"(?:ok|okay|fine|all right) (?:if|when|as long)",
    r"(?:can|could) live with",
    r"both (?:\w+ )?(?:right|have a point)",
    r"can see both",
    r"(?:it |that |all )?depends(?: on)?",
    r"devil'?s'? advocate",
    r"(?:there is|there's|draw) a distinction",
    r"distinguish between",
    r"agree (?:in part|in principle|up to a point|with (?:some|parts?) of)",
    r"(?:partly|partially) agree",
    r"in defence of",
    r"(?:yes|agreed?|true|fine|good idea|like it|it works),? but",
    r"(?:but )?only (?:if|when|where) (?:we|you|they|there|it|the)",
    r"works? (?:well )?(?:only )?(?:if|provided)",
    r"yes and no",
    r"swings and roundabouts",
    r"pros and cons",
    r"mixed (?:feelings|experiences?|picture|views|results)",
    r"in two minds",
    r"on the one hand",
    r"with (?:one|a|some) (?:caveats?|provisos?|reservations?)",
)
_DISAGREE = _cues(
    _START + rf"{_VERY}against(?=[.,!:;]|$| this| it| that| {_NAMED})",
    r"(?:i'm|i am|we're|we are|i'd be|i would be|come down) " + _VERY + r"against",
    r"dissent(?:er|ing)?",
    r"no,? (?:thanks|thank you)(?=[.,!]|$)",
    r"(?:i|we)(?: do| would|'d| must| have to)? differ(?: from| with|s)?",
    r"(?:i|we) (?:do not|don't|did not|didn't) (?:want|like|buy|see why|see the point)",
    r"(?:i|we) (?:do not|don't) (?:think|believe) (?:that|this|it|we|you|there|the|a|practices|gps|patients)",
    r"(?:i'd|i would|we'd|we would) (?:much )?rather (?:not|have|see|keep|do|say)",
    r"(?:i|we)(?: now| still| would|'d|'ve| have)* refused?",
    r"never again",
    r"vote (?:no|against)",
    r"(?:i'd|i would|what i would) (?:resist|oppose|fight|worry about|avoid|object to)",
    r"(?:i |i'm |i am )?(?:afraid i )?(?:have to |must |respectfully |strongly )?disagree",
    r"(?:do not|don't|cannot|can't) agree",
    r"(?:have to|beg to) differ",
    r"(?:see|saw) (?:it|this|that) (?:the other way|differently|otherwise)",
    r"the (?:other|opposite) (?:side|view|camp)",
    r"push(?:ing)? back",
    r"(?:not|un|less|far from) ?(?:\w+ )?(?:convinced|persuaded)",
    r"not (?:so |too )?sure(?= (?:about|that|i|this|it)|[.,])",
    r"(?:i'd|i would|i'm|i am)(?: be)?(?: \w+)? (?:wary|cautious|nervous|reluctant|hesitant)",
    r"(?:i'd|i would|would) (?:\w+ )?(?:argue|caution|advise|vote|counsel) against",
    r"careful (?:what|with)",
    r"(?:the )?other way (?:round|for us|here)",
    r"(?:the )?opposite (?:here|for us|experience)",
    r"an? (?:very )?different (?:view|model|experience|approach)",
    r"respectfully|with (?:all )?(?:due )?respect",
    r"(?:is|was|would be) a mistake",
    r"(?:bad|poor|terrible) idea",
    r"not (?:me|us|here|for us|in (?:our|my) (?:patch|experience|view|opinion))(?=[.,!:;]|$)",
    r"(?:i'd|i would|we'd|we would) (?:not|never|rather not)",
    r"(?:i|we) (?:wouldn't|would not)",
    r"(?:should not|shouldn't) (?:have|be)",
    r"we (?:should not|shouldn't)",
    r"(?:i'd|i would) (?:still )?(?:keep|stay|stick)",
    r"(?:did not|didn't|does not|doesn't) work",
    r"(?:gave|given) (?:it|that) up",
    r"not (?:worth|workable|realistic|practical|sustainable)",
)
_AGREE = _cues(
    # "Agreed" opens a sentence; "agreed with urology" and "we agreed a template" tell what happened.
    _START + r"(?:(?:completely|totally|fully|strongly|very much) )*agreed?(?: with| that)?",
    r"(?:i|i'd|i would|we)(?: (?:completely|totally|fully|strongly|also|very much))* agree(?: with| that)?",
    r"same (?:here|as|model|approach|for us)",
    _START + r"same",
    r"ditto",
    r"likewise",
    r"(?:me|us) too",
    r"(?:i|we|i'd|i'll)? ?second(?:ed)? (?:that|this|what|\w+'s)",
    r"seconded",
    r"hear,? hear",
    r"(?:exactly|just)? ?(?:what|as) (?!was|is|were|been|being|has|it|i\b|they)\w+ "
    r"(?:says|said|wrote|describes|suggests|suggested)",
    rf"(?:i'm|i am|we're|we are) {_VERY}with (?:you|your|\w+ on|{_NAMED})",
    _START + rf"{_VERY}with (?:you|{_NAMED})(?= (?:on|about|here|there)\b)",
    _START + r"snap",
    rf"(?:i'd|i would|i'll|i will|i|we|we'd|we would|happy to)(?: \w+ly| also| certainly)? "
    rf"(?:back|support|endorse|echo|second|go along with|go with) (?:that|this|you|{_NAMED})",
    _START + rf"(?:support|backing|supporting|echoing) {_NAMED}",
    rf"{_NAMED}(?: \w+)?(?:'s| is| are| has it| have it|'s got it|'ve got it|'re)(?: \w+ly| so| quite| dead)? right"
    r"(?! to| in| that)",
    rf"(?:do|did|doing|done|same|just|exactly|otherwise) (?:it )?(?:as|like|what) {_NAMED}"
    r"(?: (?:does|do|did|describes|says|has))?",
    r"(?:i|we)(?:'ve| have)? (?:do|did|done|use|found|find|see|have) (?:(?:exactly|just|very|much|almost) )*the same",
    r"vote (?:yes|for it)",
    r"(?:i|we) (?:wouldn't|would not|couldn't|could not|'d never|would never) "
    r"(?:go back|be without|do without|change it|want to lose|swap|look back)",
    r"(?:never looked back|best thing we(?: \w+)? did)",
    r"(?:i'd|i would) say (?:do it|yes|go for it)",
    _START + r"(?:go|going) for it",
    _START + r"(?:i )?(?:really )?(?:like|love) (?:it|this|that)",
    r"spot on",
    r"well said",
    r"sounds (?:good|great|right|sensible)",
    r"(?:great|good|excellent) idea",
    r"works (?:well|for us|here)",
    r"here too",
    r"couldn't agree more",
    r"(?:absolutely|definitely)(?=[.!,]|$)",
    r"(?:highly|would|can) recommend",
    r"(?:count|sign) (?:me|us) (?:in|up)",
    r"really good",
)
_PLUS_ONE = re.compile(r"(?<![\w+])\+ ?1(?![\d.])|👍|💯")
_NOT = re.compile(r"\b(?:not|never|cannot|\w+n't)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_YES = re.compile(r"\s*(?:yes|yep|yup|agreed|absolutely|definitely|indeed)\b(?=\W)", re.IGNORECASE)
_NO = re.compile(r"\s*(?:no|nope|none|never)\b(?=\s*[.,!\u2013\u2014-])(?!, (?:problem|worries))", re.IGNORECASE)
# "Not by text, please." opens by turning something down.
_NOT_THAT = re.compile(
    r"\s*not (?!sure|only|just|to mention|long|yet|so|too|bad|quite|a problem|at all|much|many|everyone|every|all|an? )"
    r"[^.!?\n]{3,60}(?:please|[.!])",
    re.IGNORECASE,
)
# The shortest answers to "do you?": "We do.", "We have, since 2023", "Ours can".
_WE_DO = re.compile(
    r"\s*(?:(?:we|i|ours|they) (?:do|have|can|did|are|is|does|has|would)(?: so)?(?= ?[.,!;\u2013\u2014-])"
    r"|(?:we|i) (?:do|have|did|keep|use|run|tried|adopted) (?:one|it|this|that|them)(?= ?[.,!;\u2013\u2014-])"
    r"|keep(?: it| one| them)?(?=[.!]))",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"\n\s*\n")
_THANKS = re.compile(
    r"\W*(?:(?:many|huge|big|so much|very|all|both) )*(?:thank you|thanks|thx|ta|cheers|much appreciated|appreciated"
    r"|great|fab|brilliant|perfect|superb|lovely|wonderful|excellent|useful|helpful|received|noted|ok|okay|will do"
    r"|got it)\b",
    re.IGNORECASE,
)
_PART = re.compile(r"(?<=[.!?])\s+|\n+")


def thanks(sentence: str) -> bool:
    """Whether a sentence opens by thanking or acknowledging."""
    return bool(_THANKS.match(sentence))


def answers_yes_or_no(sentence: str) -> bool:
    """Whether a sentence answers a question rather than a colleague: "Yes, since May", "We do.", "No." """
    plain = sentence.replace("’", "'")
    return any(pattern.match(plain) for pattern in (_YES, _NO, _WE_DO))


def only_sides(sentence: str) -> bool:
    """Whether a sentence takes a side and says nothing else: "I disagree with Sam." """
    side, cue = stance(sentence)
    return side in (Stance.AGREE, Stance.DISAGREE) and len(sentence.split()) - len(cue.split()) <= 2


@lru_cache(maxsize=1024)  # of a thread being drafted, every sentence is asked about more than once
def stance(new: str) -> tuple[Stance, str]:
    """The stance of a reply's new text and the cue that shows it, verbatim ("" for `info` and `none`).

    `none` is a reply that takes no part: it only thanks or only asks.
    """
    plain = new.replace("’", "'")
    openings = [hail(plain), *(gap.end() for gap in _PARAGRAPH.finditer(plain))]
    mixed, favour = _MIXED.search(plain), _favour(plain, openings)
    against = (
        _opens(openings, plain, _NO, against=_YES) or _against(plain, favour) or _NOT_THAT.match(plain, openings[0])
    )
    # Who agrees and, a sentence later, differs is of two minds; within one sentence the first cue tells.
    if not mixed and favour and against and favour.start() < against.start():
        if _PART.search(plain, favour.end(), against.start()):
            mixed = against
        else:
            against = None
    for cue, side in ((mixed, Stance.MIXED), (against, Stance.DISAGREE), (favour, Stance.AGREE)):
        if cue:
            return side, new[cue.start() : cue.end()].strip()
    parts = [part for part in _PART.split(new.strip()) if part]
    return (Stance.NONE if all(thanks(part) or part.endswith("?") for part in parts) else Stance.INFO), ""


def _against(plain: str, favour: re.Match[str] | None) -> re.Match[str] | None:
    """The first cue of differing; "I wouldn't go back" is the start of praise."""
    return next(
        (cue for cue in _DISAGREE.finditer(plain) if not favour or not favour.start() <= cue.start() < favour.end()),
        None,
    )


def _opens(
    openings: Sequence[int], plain: str, *cues: re.Pattern[str], against: re.Pattern[str]
) -> re.Match[str] | None:
    """The first paragraph that opens with one of `cues`, unless one before it opens with `against`."""
    for at in openings:
        if found := next((hit for cue in cues if (hit := cue.match(plain, at))), None):
            return found
        if against.match(plain, at):
            return None
    return None


def _favour(plain: str, openings: Sequence[int]) -> re.Match[str] | None:
    for cue in sorted([*_AGREE.finditer(plain), *_PLUS_ONE.finditer(plain)], key=re.Match.start):
        if not _NOT.search(plain[max(0, cue.start() - 40) : cue.start()]):
            return cue
    return _opens(openings, plain, _YES, _WE_DO, against=_NO)
