"""What headers and subjects say about a conversation, rule by rule."""

import base64

import pytest

from digest.thread.threading import clusters, conversation


def test_the_conversation_is_the_first_22_bytes_of_thread_index() -> None:
    root = bytes(range(22))
    assert conversation(base64.b64encode(root).decode()) == root.hex()
    assert conversation(base64.b64encode(root + b"child").decode()) == root.hex()


@pytest.mark.parametrize("header", ["", "AQ==", "not base64!", "é"])
def test_a_thread_index_that_is_none_is_no_conversation(header: str) -> None:
    assert conversation(header) == ""


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
