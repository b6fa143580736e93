"""What machines and employers put around what people write: banners, disclaimers, tag lines, rules.

Each is told by what it says, in the words gateways, phones and (above all British) public bodies use. A paragraph is
given as one line.
"""

import re

from digest.words import low

_RULE = re.compile(r"^\s*([*_=#~–—-])\1{4,}\s*$")
_DEVICES = (
    r"i-?phone|ipad|ipod|galaxy|samsung|android|blackberry|phone|mobile|smart\w*|outlook|yahoo|gmail|mail|proton\w*|"
    r"windows|huawei|pixel|nokia|xperia|oneplus|motorola|device|tablet|mailspring|spark|tutanota|tuta|aol|bt\w*|"
    r"superhuman|fairphone|chromebook"
)
_TAG_LINE = re.compile(
    rf"^\W{{0,3}}(?:sent (?:from|via|by|using|with|on) (?:my |an? |the )?(?:\w+ ){{0,4}}?(?:{_DEVICES})\b"
    r"|sent (?:whilst |while |from )?(?:on the (?:move|go)|out and about|in transit)\b"
    r"|get (?:the )?(?:outlook|bluemail|spark)\b.{0,30}\b(?:for|on) (?:ios|android|mobile|mac)|yahoo mail: search"
    r"|(?:my )?(?:iphone|ipad|galaxy|android)\W*$"
    rf"|(?:thumb[- ]?)?typed (?:with|on|by) .{{0,30}}(?:thumbs?|fingers?|{_DEVICES})"
    r"|gesendet (?:von|mit|aus)\b|von meinem \w+ gesendet|envoyé (?:de|depuis|à partir)\b|enviado (?:desde|do)\b"
    r"|inviato da\b|verzonden (?:vanaf|met|vanuit)\b|skickat från\b|sendt fra\b|wysłane z\b"
    r"|anfonwyd o\b|lähetetty \w+sta\b"
    r"|this (?:message|e-?mail) was sent from (?:my|a) (?:phone|mobile)"
    r"|(?:dictated|apolog\w+|(?:please )?(?:excuse|forgive))\b.{0,60}"
    r"\b(?:brevity|typos|autocorrect|(?:my|a|smart) ?phone|dictation|(?:typing|spelling|any) errors|for errors)\b)",
    re.I,
)

# What says by itself, in lower case, that a paragraph is a disclaimer …
_DISCLAIMER = re.compile(
    r"intended (?:only|solely|exclusively) for|(?:solely|only) for the (?:use|attention) of|"
    r"intended for the (?:\w+ )?(?:addressee|recipient)|if you are not the (?:intended|named|correct)|"
    r"not the intended (?:recipient|addressee)|(?:received|reached) (?:\w+ ){0,4}(?:in error|by mistake)|"
    r"sent to you in error|(?:may|might) (?:contain|hold|include) (?:\w+[\s,]+){0,8}(?:confidential|privileged)|"
    r"(?:private and|strictly) confidential|"
    r"confidential(?:ity)? (?:notice|and (?:may be )?(?:legally )?privileged|disclaimer)|legally privileged|"
    r"(?:do|does) not necessarily (?:reflect|represent)|not necessarily (?:those|the views?|represent|reflect)|"
    r"virus(?:es)?\b.{0,80}(?:scanned|checked|liab|free|swept)|scanned (?:for|by)\b.{0,40}(?:virus|mimecast|malware)|"
    r"consider the environment|think before (?:you )?print(?:ing)?|(?:please )?(?:do not|don'?t) print this e-?mail|"
    r"secure (?:\w+ ){0,4}e-?mail (?:service|system|standard)|nhsmail is the secure|"
    r"any (?:unauthori[sz]ed )?(?:disclosure|dissemination|copying|distribution)\b|accredited to the dcb1596"
)
# … and what does so below a signature, in a second such phrase, or about the mail itself: people write of these, too.
_ORGANISATION = re.compile(
    r"freedom of information|registered (?:office|charity|company|in england|address)|"
    r"company (?:registration|number|no)\b|(?:charity|company)\b.{0,40}registered in|charity (?:no|number)\b|"
    r"does not accept (?:clinical )?(?:\w+ )?(?:requests|correspondence|service)\b|"
    r"(?:mailbox|inbox|address|messages?|e-?mails?) (?:is|are|may be) (?:not )?(?:regularly )?monitored|"
    r"data protection act|uk gdpr|privacy (?:notice|policy)\b|"
    r"(?:accepts? no|not accept(?: any)?|no) (?:liability|responsibility)|liable for|errors or omissions|"
    r"views (?:or opinions )?(?:presented|expressed)|committed to openness"
)
_ABOUT_MAIL = re.compile(r"\b(?:this|the) (?:e-?mail|message|communication|transmission)\b|\bvirus")
_DISCLAIMER_START = re.compile(
    r"^\W*(?:disclaimer(?!\W+(?:i|we|my)\b)|confidentiality(?: notice)?\b|(?:notice|statement) of confidentiality|"
    r"important notice|please note:? this (?:e-?mail|practice|mailbox))\b",
    re.I,
)
# The government's marks (Government Security Classifications) and the traffic light protocol's.
_MARKING = re.compile(
    r"^\W*(?:(?:UN)?OFFICIAL(?:\W+SENSITIVE\b.{0,40})?|(?:NOT )?PROTECTIVELY MARKED|NHS CONFIDENTIAL\b.{0,40}|"
    r"RESTRICTED|(?:IN )?CONFIDENCE|TLP\W{1,2}\w+)\W*$"
)
_MORE = re.compile(  # what may follow a disclaimer
    r"^\W*(?:(?:for (?:more|further) information|to find out|find out|visit|please visit|thank you\b.{0,60}$)|"
    r"https?://|www\.)",
    re.I,
)

# What a banner may be without another word, …
_BARE_BANNER = re.compile(
    r"^\W*(?:external(?:\s+(?:e-?mail|sender|message|mail))?|report suspicious|first.time sender)\W*$", re.I
)
# … how one starts, …
_BANNER = re.compile(
    r"^\W*(?:external\b(?:\s+(?:e-?mail|sender|message|mail))?\s?[\]):!.–-]"
    r"|(?:caution|warning|attention|notice|alert|beware|be careful|important)\b\W*(?:[:!.–-]|this\b|external\b)"
    r"|(?:this|the following) (?:e-?mail|message|mail|sender)\b.{0,60}\b(?:originate[sd]|come|came|comes|sent|is|was|"
    r"received) (?:\w+ ){0,3}(?:from|outside|outwith|external)"
    r"|you don.?t often get e-?mail from|some people who received this message don.?t often get|"
    r"you (?:have )?not? (?:previously|often)|"
    r"you (?:have )?received this (?:e-?mail|message) from an? (?:external|unknown)"
    r"|(?:please note )?(?:that )?this (?:e-?mail|message)\b.{0,40}\bexternal (?:e-?mail |sender|source|address)"
    r"|this (?:message|e-?mail) (?:has been|was) (?:marked|flagged|identified)|this sender (?:is|has)|"
    r"report suspicious|first.time sender|\w*BannerStart\b)",
    re.I,
)
# … and what it speaks of: people warn each other, too, but not of the mail they are writing.
_BANNER_SAYS = re.compile(
    r"\b(?:e-?mail|message|mail|sender)\b.{0,90}\b(?:outside|outwith|external)\b|"
    r"\b(?:outside|outwith|external)\b.{0,60}\b(?:e-?mail|message|sender|source|address|organi[sz]ation)\b|"
    r"unless you (?:recogni[sz]e|trust|know|are expecting)|click(?:ing)? (?:on )?(?:any )?links?\b|suspicious|"
    r"often get|open(?:ing)? (?:\w+ ){0,3}attachments?\b|unknown sender|not previously|BannerStart",
    re.I,
)


def is_rule(line: str) -> bool:
    """A line of five or more of one sign."""
    return bool(_RULE.match(line))


def is_tag_line(line: str) -> bool:
    """What a phone or a program puts below a mail, or somebody to excuse it."""
    return len(line) < 120 and bool(_TAG_LINE.match(line))


def is_disclaimer(paragraph: str, signed: bool = True) -> bool:
    """Whether an organisation put a paragraph below every mail. `signed`: a signature stands above it."""
    text = paragraph[:3000]
    said = low(text)
    if _DISCLAIMER_START.match(text) or _DISCLAIMER.search(said) or _MARKING.match(text):
        return True
    found = {match[0] for match in _ORGANISATION.finditer(said)}
    return bool(found) and (signed or len(found) > 1 or bool(_ABOUT_MAIL.search(said)))


def goes_on(paragraph: str) -> bool:
    """Whether a paragraph below a disclaimer is more of it: where to read on, thanks for what was asked."""
    return len(paragraph) < 300 and bool(_MORE.match(paragraph))


def is_banner(paragraph: str) -> bool:
    """Whether a gateway put a paragraph above mail from outside."""
    if _MARKING.match(paragraph):
        return True
    return bool(_BARE_BANNER.match(paragraph) or (_BANNER.match(paragraph) and _BANNER_SAYS.search(paragraph)))
