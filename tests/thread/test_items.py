"""Which item of a digest an answer names, where the digest has other titles than the threads."""

import pytest

from digest.nouns import Segment, SegmentRole
from digest.thread.items import BY_NUMBER, BY_WORDS, Item, take_apart

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


WRAPPED = """\
Two questions this time.

1. Blowing into tubes: where? (Gwen Pryce, Northern). Who runs a
spirometry hub outside the hospital?

  * Two do: Dr Osei

2. Something for smokers (Tunde Bello, Wessex). A leaflet was wanted for
those with a spot on the lung.

3. Ask again: which lab? (Priya Nair, London). Theirs is slow.
"""
WITH_ASKERS = [
    Item(7, 1, "Spirometry", "Spirometry\nHello all. Who runs a spirometry hub outside the hospital?", "Gwen Pryce"),
    Item(9, 2, "Quick question", "Quick question\nWhich leaflet for smokers with a nodule?", "Tunde Bello"),
    Item(11, 3, "Help!", "Help!\nOur lab takes nine days. Does yours?", "Priya Nair", "The courier comes at noon."),
    Item(13, 4, "Wigs", "Wigs\nWho pays for wigs?", "Gwen Pryce"),
]


@pytest.mark.parametrize(
    ("said", "item", "reason"),
    [
        ("Item 1: two of ours do.", 7, BY_NUMBER),  # by a sentence of the question, over two lines
        ("Item 2: the green one.", 9, BY_NUMBER),  # by who asked
        ("On number 3: four days.", 11, BY_NUMBER),
        ("The second of these made me smile. The green one.", 9, BY_NUMBER),
        ("Your last question: four days here.", 11, BY_NUMBER),
        ("The first one, yes.", 7, BY_NUMBER),
        ("Surely the courier could come before noon.", 11, BY_WORDS),  # others spoke of it in the thread
        ("The first thing I would do is to ask.", None, ""),
        ("We have wigs from a charity.", None, ""),  # not in this digest
    ],
)
def test_an_item_is_found_by_all_that_the_digest_prints_of_it(said: str, item: int | None, reason: str) -> None:
    text = f"{said}\n"
    found = take_apart(text, [Segment(0, len(text), SegmentRole.NEW)], WITH_ASKERS, WRAPPED)
    assert [(one.item, one.reason) for one in found] == [(item, reason)]
