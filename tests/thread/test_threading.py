"""What headers and subjects say about a conversation, rule by rule."""

import base64

import pytest

from digest.thread.threading import answered_by_index, clusters, conversation, outlook_index


def test_outlooks_index_names_the_conversation_and_what_is_answered() -> None:
    root = bytes(range(22))
    index = outlook_index(base64.b64encode(root + b"child" + b"grand").decode())
    assert conversation(index) == root.hex() == outlook_index(base64.b64encode(root).decode())
    assert answered_by_index(index) == [(root + b"child").hex(), root.hex()]
    assert answered_by_index(root.hex()) == answered_by_index("") == []


@pytest.mark.parametrize("header", ["", "AQ==", "not base64!", "é"])
def test_a_thread_index_that_is_none_is_no_index(header: str) -> None:
    assert outlook_index(header) == conversation("") == ""


@pytest.mark.parametrize(
    ("ids", "conversations"),
    [
        ([], []),
        (["a", "b"], [{0}, {1}]),
        (["a", "b a", "c b a"], [{0, 1, 2}]),
        (["c b", "a", "b a"], [{0, 1, 2}]),  # a late parent joins
        (["b missing", "c missing"], [{0, 1}]),  # a message that never came
        (["a", "a"], [{0, 1}]),  # copies
        (["", "", "a"], [{0}, {1}, {2}]),  # without Message-ID
        (["a a", "b b"], [{0}, {1}]),  # names itself
        (["a", "b", "x a b"], [{0, 1, 2}]),  # answers two
        (["a b", "b a"], [{0, 1}]),  # a circle
    ],
)
def test_header_conversations_are_what_shared_message_ids_connect(
    ids: list[str], conversations: list[set[int]]
) -> None:
    assert clusters([one.split() for one in ids]) == conversations
