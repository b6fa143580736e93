"""The small labelled stream: every mail in the thread where a reader would put it."""

import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest import store
from digest.steps.read import new_words
from tests.steps.labelled import MAIL
from tests.steps.world import World, make

#: Nothing but its words tells that it left the thread whose subject and headers it bears: a coordinator splits it off.
MISSED = frozenset({"locums"})


def test_mails_are_threaded_as_a_reader_would(world: World) -> None:
    for start in range(0, len(MAIL), 7):
        world.receive(*(raw for _, raw in MAIL[start : start + 7]))
    with store.read(world.engine) as session:
        threads = {message.source: message.thread_id for message in world.messages(session)}
    found = [(label, threads[f"{number:04}.eml"]) for number, (label, _) in enumerate(MAIL, start=1)]
    assert {thread for label, thread in found if label is None} == {None}
    kept = [(label, thread) for label, thread in found if label is not None and label not in MISSED]
    assert all(thread is not None for _, thread in kept)
    # as many pairs as there are labels, and as there are threads: nobody is apart, nobody is together
    assert len(set(kept)) == len({label for label, _ in kept}) == len({thread for _, thread in kept})
    assert len(Counter(label for label, _ in kept)) > 15


Read = tuple[int, str, str]  # a mail's place in MAIL, its kind, its new words


def partition(order: list[int], at_once: int) -> set[frozenset[Read]]:
    """The threads, as what is read in each, when the mails of MAIL arrive in this order."""
    with tempfile.TemporaryDirectory() as folder:
        world = make("", Path(folder))
        for start in range(0, len(order), at_once):
            world.receive(*(MAIL[at][1] for at in order[start : start + at_once]))
        threads: dict[int, set[Read]] = {}
        with store.read(world.engine) as session:
            for message in world.messages(session):
                if message.thread_id is not None:
                    read = (order[int(message.source[:4]) - 1], message.kind, " ".join(new_words(message).split()))
                    threads.setdefault(message.thread_id, set()).add(read)
        world.engine.dispose()
    return {frozenset(found) for found in threads.values()}


#: Whoever answers the digest has read it, so that its threads were there before.
LAST = next(at for at, (_, raw) in enumerate(MAIL) if b"From: digest@" in raw)


@cache
def expected() -> set[frozenset[Read]]:
    """The threads when mail comes as it is listed."""
    return partition(list(range(len(MAIL))), len(MAIL))


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(range(LAST)), st.permutations(range(LAST + 1, len(MAIL))), st.integers(15, len(MAIL)))
def test_any_order_of_arrival_makes_the_same_threads_of_the_same_words_and_kinds(
    first: list[int], last: list[int], at_once: int
) -> None:
    assert partition([*first, LAST, *last], at_once) == expected()
