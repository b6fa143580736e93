"""A new topic under an old subject: a conversation that somebody uses only to reach the list. Pure.

What an answer's own words say by themselves is known before (`Turn`); here they are held against everything that was
said before them. Precision first: an honest follow-up question shares words with its conversation or names somebody in
it; what shares a little and says nothing stays, and a coordinator can split it off.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from digest.nouns import Turn
from digest.thread.threading import Post
from digest.words import content

# What any two mails among people who plan cancer care have in common, and what words for asking and for time they use.
_EVERYWHERE = """
    refer referral cancer practice patient urgent suspected clinic pathway form letter list service team trust hospital
    consultant doctor nurse care primary secondary board alliance network icb pcn usc lead area region local national
    colleague question answer reply ask wonder agree idea view experience example help advice sorry mail email thread
    topic subject group stream note bit lot way people number half first second third one two three four five six seven
    eight nine ten hundred day week month year hour today yesterday monday tuesday wednesday thursday friday january
    february march april may june july august september october november december morning afternoon evening work start
    stop change turn look run set end come read write wrote tell told mean found hear heard call called like let hope
    mind point case time problem issue different old big small good bad long short happen try hand line page best right
    left fine patch folk love
    """
# The share of an answer's words of meaning that may be said before it, and how many it must have at all.
_SHARED = {Turn.ALONE: 0.15, Turn.SAYS: 0.5}
_WORDS = {Turn.ALONE: 5, Turn.SAYS: 0}
#: What somebody says that their mail is not about.
_DENIED = re.compile(r"\b(?:nothing (?:at all )?to do with|unrelated to|not about|hijack\w*)\b[^.?!\n]{0,80}", re.I)
_NAME = re.compile(r"\b[A-Z](?:['’][A-Z])?[^\W\d_]+")


def turns(post: Post, before: Sequence[Post], parents: Sequence[Post]) -> bool:
    """Whether an answer is a new topic: its words ask something, and hardly any of them was said `before` it.

    `before`: the conversation's earlier posts; `parents`: those among them that it answers.
    """
    if post.turn is Turn.NONE or not before:
        return False
    if post.turn is Turn.ALONE:
        names = (_telling(" ".join(_NAME.findall(one.name))) for one in before if one.author != post.author)
        if frozenset().union(*names) & _telling(" ".join(_NAME.findall(post.text))):
            return False  # it speaks to somebody, or of somebody, in the conversation
        first = min(before, key=lambda one: one.order)
        if post.author and post.author in {first.author, *(one.author for one in parents)}:
            return False  # who asked goes on asking
    subject = frozenset().union(*(_telling(one.base.text) for one in parents))  # its own may name the new topic
    words = _telling(_DENIED.sub(" ", post.text) if post.turn is Turn.SAYS else post.text)
    if len(words) < _WORDS[post.turn] or words & subject:
        return False
    said = subject.union(*(_telling(one.text) for one in before))
    return len(words & said) <= _SHARED[post.turn] * len(words)


def _telling(text: str) -> frozenset[str]:
    """The words of a text that tell what it is about."""
    return frozenset(content(text)) - _common()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(content(_EVERYWHERE))
