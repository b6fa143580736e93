"""Which item of a digest an answer names, where the digest has other titles than the threads."""

from digest.nouns import Segment, SegmentRole
from digest.thread.items import BY_NUMBER, Item, take_apart

ITEMS = [
    Item(7, 1, "Spirometry", "Spirometry\nHello all. Who runs a spirometry hub outside the hospital?"),
    Item(9, 2, "Quick question", "Quick question\nWhich leaflet do you give to smokers with a nodule?"),
]
DIGEST = """\
1. Lung function in the community (Gwen, Northern)
Who runs a spirometry hub outside the hospital?
- Two do (2 replies)

2. What smokers are given
Which leaflet do you give to smokers with a nodule?
"""


def test_an_item_is_known_by_the_question_below_its_number_when_its_title_is_the_coordinators() -> None:
    text = "Item 2: the green one, in four languages.\n"
    found = take_apart(text, [Segment(0, len(text), SegmentRole.NEW)], ITEMS, DIGEST)
    assert [(one.item, one.reason) for one in found] == [(9, BY_NUMBER)]
