"""Whether an answer's own words are about something else than the mail they answer: a hijacked conversation. Pure.

Only what the words say by themselves is told here; that they have nothing in common with what was said before is
`thread.topic`'s to find. What is doubtful is a follow-up question: to part what belongs together is worse than to leave
a coordinator a split to make.
"""

import re

from digest.nouns import Turn
from digest.words import low

_EARLY = 400  # characters within which somebody says that they change the topic

# The patterns below are for text in lower case (`words.low`).
_SAYS = re.compile(
    r"\bhijack|\b(?:different|another|separate|new|unrelated|other) (?:topic|subject)\b|"
    r"(?:^|[.!?:,;\n])\s*(?:(?:an?|but|and) )?(?:(?:entirely|completely|quite|totally|wholly) )?"
    r"(?:different|separate|unrelated|another|new) (?:matter|thing|issue)(?: (?:entirely|altogether|completely))?"
    r"\W*(?:$|[.:;!\n–-])|"
    # "I am using your e-mail because I could not find the list's address"
    r"\b(?:us(?:ing|ed|e of)|replying (?:to|on|in)|borrowing|picking)\b[^.?!\n]{0,30}"
    r"\b(?:e-?mail|message|thread|chain|post|one)\b[^.?!\n]{0,30}"
    r"\b(?:lost|cannot find|can['’]t|cannot|can not|could(?:n['’]t| not)|(?:don|didn|haven)['’]t have|"
    r"(?:do|did|have) not have|to get|to reach|for the)\b[^.?!\n]{0,20}\b(?:list|address|group)\b|"
    r"\b(?:ignore|disregard|never mind) (?:the|this|that) (?:subject|thread|title|(?:e-?mails?|message) below)\b|"
    r"\b(?:different|separate|new|unrelated) (?:question|query)\b|"
    r"\b(?:entirely|completely|totally|quite|wholly) unrelated\b|\bunrelated to (?:this|that|the)\b|"
    r"(?<!maybe )(?<!perhaps )(?<!bit )(?<!slightly )\boff[- ]topic\b|"
    r"\bchang(?:e|es|ing) (?:of |the )?(?:subject|topic|tack)\b|"
    r"\bon (?:to )?(?:a|an) (?:\w+ )?(?:different|separate|unrelated|other) (?:note|matter|thing)\b|"
    r"\bon another (?:note|matter|thing)\b|\bsomething (?:entirely|completely|totally|quite) (?:different|unrelated)\b|"
    r"\b(?:with|to|about|for) something (?:different|else|unrelated|new)\b|"
    r"\bnothing (?:at all )?to do with\b|"
    r"\b(?:sorry|apologies|apologise|forgive me|excuse me)\b[^.?!\n]{0,30}\b(?:jump|butt|barg|gate-?crash|piggy-?back|"
    r"hop|hitch|intrud)\w*[^.?!\n]{0,30}\b(?:this|thread|e-?mail|conversation|discussion)\b"
)
# Who asks more about the same: "while you are here", "one more question", "following on from that".
_ASIDE = re.compile(
    r"\b(?:while|whilst|as|since|now|seeing as|given) (?:(?:that )?(?:you|we)(?:['’]re| are| have|['’]ve)|i['’]ve got "
    r"you|i have you)\b[^.?!\n]{0,30}\b(?:here|on (?:it|this|that|the)|at it|talking|discussing|about it)\b|"
    r"\b(?:related|relatedly|linked|similar|follow(?:ing)?[- ]?(?:up|on)|further|another|(?:one|two) more|"
    r"supplementary|secondary|second|quick|last|final|extra|additional|cheeky) (?:note|question|query|point|thought|"
    r"issue)\b|\bto add\b|\bin addition\b|\bbe cheeky\b|\bjust to (?:ask|add|check|clarify)\b|\bslightly\b|"
    r"\bspin[- ]off\b|\bside (?:question|issue|note)\b|\bby the way\b|\bbtw\b"
)
# What takes up what others said, where it begins with it.
_TAKES_UP = re.compile(
    r"\b(?:thanks?|thank you|agree\w*|ditto|echo(?:ing)? (?:that|this|what|all|every|\w+[’']s)|same here|"
    r"me too|\+1|seconded|second(?:ing)? (?:that|this)|"
    r"(?:as|like) (?:\w+ )?(?:said|says|mentioned|above|suggested)|above|you (?:said|mention\w*|describe\w*|say|"
    r"suggest\w*)|your (?:reply|answers?|e?mails?|point|suggestions?|experience|question|offer|idea|protocol|"
    r"templates?|poster)|repl(?:y|ies)|answers|this (?:thread|discussion|conversation))\b|"
    r"^\W*(?:ta|yes|yep|yeah|no|nope|and|but|so|or|because|great|good|lovely|brilliant|excellent|interesting|useful|"
    r"fair|really|ours|same|not|only|we (?:do|did|have|use|had|are|tried|run)|i (?:do|did|think|would|agree|find)|it|"
    r"it['’]s|they|he|she|that|that['’]s|this|these|those|both|neither|depends|had|have used)\b"
)
_EVERYBODY = re.compile(
    r"\b(?:any(?:one|body)|(?:some(?:one|body)|every(?:one|body)) (?:else )?(?:has|have|knows?|us(?:es?|ing)|got|tried|"
    r"here|out there)|others|other (?:areas|practices|alliances|people|leads|places|regions|networks|trusts|teams|"
    r"groups|colleagues)|colleagues|(?:any|some|all|each|most|which|many) of (?:you|us)|you all|where you are|"
    r"anywhere(?: else)?|in your (?:area|patch|part|region|neck|place|network|locality|system|alliance|trust)s?|"
    r"your (?:\w+ ){0,2}?(?:practices|trusts|gps|labs|teams|clinics|areas|patients|pcns|hospitals|consultants|nurses|"
    r"radiologists|networks|alliance|pcn|icb|region|area|patch|colleagues))\b"
)
_TO_ALL = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|morning|afternoon|evening|good \w+|bore da|prynhawn da)\b[ ,]*(?:\w+ ){0,2}?)?(?:all|"
    r"everyone|everybody|colleagues|folks|team|friends|gang|hive ?mind|leads)\b[^.?!\n]{0,30}?[,.!:\n–-]"
)
_GREETING = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|morning|afternoon|evening|good (?:morning|afternoon|evening|day)|bore da)\b"
    r"[^.!?\n,]{0,60}[,.!\n]|(?:all|everyone|colleagues|folks)\s*[,.!\n])\s*"
)
_YOU = re.compile(r"\byour?\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def says(new_text: str) -> bool:
    """Whether somebody says that they turn to another topic: "Sorry to hijack this", "on a different note"."""
    return bool(_SAYS.search(low(new_text[:_EARLY])))


def sentences(text: str) -> list[str]:
    """Sentences and lines, as they stand, from the first 20,000 characters."""
    return [one.strip() for one in _SENTENCE.split(text[:20_000]) if one.strip()]


def turn(new_text: str, asking: re.Pattern[str]) -> Turn:
    """What the author's own words, in lower case, say of their topic. `asking` finds what asks."""
    text = new_text.strip()
    said = sentences(_GREETING.sub("", text, count=1))
    speaks = says(text)
    if not said or (not speaks and (_TAKES_UP.search(said[0]) or any(_ASIDE.search(one) for one in said))):
        return Turn.NONE
    asks = [one for one in said if asking.search(one)]
    if not asks:
        return Turn.NONE
    if speaks:
        return Turn.SAYS
    to_all = bool(_TO_ALL.match(text))
    everybody = any(_EVERYBODY.search(one) or (to_all and _YOU.search(one)) for one in asks)
    return Turn.ALONE if everybody else Turn.NONE
