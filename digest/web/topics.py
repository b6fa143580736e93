"""Which of the community's own topics a thread may be about."""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.models import Thread
from digest.nouns import Content
from digest.words import content as stems


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the form offers it."""

    name: str
    chosen: bool
    suggested: bool  # its words stand in the thread's title, question or points


def offered(own: Sequence[str], thread: Thread, content: Content) -> list[Topic]:
    """The community's topics and those the thread has besides; the chosen first, then those that suggest themselves."""
    said = [thread.title, *(e.quote for e in content.question), *(p.label for p in content.points)]
    words = {stem for text in said for stem in stems(text)}
    names = list(dict.fromkeys([*thread.topics, *own]))
    found = [Topic(name, name in thread.topics, name not in thread.topics and _about(name, words)) for name in names]
    return sorted(found, key=lambda t: (not t.chosen, not t.suggested))


def _about(name: str, words: set[str]) -> bool:
    own = set(stems(name))
    return bool(own) and own <= words
