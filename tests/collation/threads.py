"""Small invented threads for the tests of this room."""

from digest.collation import Contribution
from digest.collation.provenance import Ground
from digest.nouns import Kind, Segment, SegmentRole

ASKER, SAM, BETH, RAVI = "Dr Ada Osei", "Dr Samuel Holt", "Dr Elizabeth Frame", "Dr Ravi Nair"


def new(text: str) -> tuple[Segment, ...]:
    """One NEW segment over the whole text."""
    return (Segment(0, len(text), SegmentRole.NEW),)


def says(message: int, author: str, text: str, kind: Kind = Kind.REPLY, **more: object) -> Contribution:
    return Contribution(message, author, kind, text, new(text), **more)  # type: ignore[arg-type]


def asks(text: str, message: int = 1, author: str = ASKER) -> Contribution:
    return says(message, author, text, Kind.QUESTION)


def grounds(thread: list[Contribution]) -> dict[int, Ground]:
    return {one.message: Ground(one.text, one.segments, one.masks) for one in thread}
