"""The small labelled stream: every mail in the thread where a reader would put it."""

from collections import Counter

from digest import store
from tests.steps.labelled import MAIL
from tests.steps.world import World

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
