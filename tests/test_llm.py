"""The edge to a language model, against a local endpoint that answers, lies, stalls and talks rubbish."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from digest import store
from digest.config import Settings, Wording
from digest.llm import LARGEST, Unworded, complete, completions
from digest.nouns import CollationStatus
from digest.steps import collate, review
from digest.worker import Wordings
from tests.steps.conftest import world as world
from tests.steps.world import NOON, QUESTION, REPLY, World, mail

WORDS = [{"role": "user", "content": "Who?"}]


class Stub(BaseHTTPRequestHandler):
    """Answers as `mode` says; keeps what it was asked."""

    mode: ClassVar[str] = "good"
    seen: ClassVar[list[tuple[str, dict[str, str], Any]]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Stub.seen.append((self.path, dict(self.headers.items()), asked))
        mode = Stub.mode
        if mode == "refuses":
            return self._answer(401, b'{"error": "key"}')
        if mode == "elsewhere":
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/v1/chat/completions")
            self.end_headers()
            return None
        if mode == "drips":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                try:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                except OSError:
                    return None
                time.sleep(0.05)
            return None
        if mode == "stalls":
            time.sleep(2)
            return None
        if mode == "speaks no http":
            self.wfile.write(b"220 mail.example.org ESMTP\r\n")
            return None
        if mode == "breaks off":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [{"mess')
            return None
        if mode == "miscounts":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"zz\r\n{}\r\n")
            return None
        if mode == "huge":
            return self._answer(200, b" " * (LARGEST + 2))
        if mode == "rubbish":
            return self._answer(200, b"<html>It works!</html>")
        if mode == "deep":
            return self._answer(200, b"[" * 200_000)
        content: object = {"good": "Fine.", "no words": None}.get(mode)
        if mode in ("words", "lies"):
            content = clauses(asked, lie=mode == "lies")
        return self._answer(200, json.dumps({"choices": [{"message": {"content": content}}]}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def clauses(asked: Any, lie: bool) -> str:
    """Word every point by the first six words of its first sentence; a liar changes what it quotes."""
    sent = json.loads(asked["messages"][1]["content"])
    found = []
    for point in sent["points"]:
        sentence = point["sentences"][0]
        quote = "we prescribe 500 mg" if lie else sentence["text"]
        text = "Practices prescribe 500 mg of amoxicillin" if lie else sentence["text"].rstrip(".")
        found.append({"point": point["id"], "text": text, "cites": [{"id": sentence["id"], "quote": quote}]})
    return json.dumps({"clauses": found})


@contextmanager
def endpoint(mode: str) -> Iterator[Wording]:
    Stub.mode, Stub.seen = mode, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        port = server.server_address[1]
        yield Wording(address=f"http://127.0.0.1:{port}/v1?api-version=1", model="small", timeout=0.6)
    finally:
        server.shutdown()
        server.server_close()


def test_a_question_is_put_as_openai_compatible_endpoints_take_it() -> None:
    with endpoint("good") as settings:
        keyed = settings.model_copy(update={"api_key": SecretStr("s3cret"), "timeout": 5.0})
        assert complete(keyed, WORDS) == "Fine."
        assert complete(keyed.model_copy(update={"key_header": "api-key", "json_mode": False}), WORDS) == "Fine."
    (path, headers, body), (_, azure, plain) = Stub.seen
    assert path == "/v1/chat/completions?api-version=1"
    assert headers["Authorization"] == "Bearer s3cret"
    assert azure["Api-Key"] == "s3cret"
    assert body == {
        "model": "small",
        "messages": WORDS,
        "temperature": 0,
        "stream": False,
        "response_format": {"type": "json_object"},
    }
    assert "response_format" not in plain


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("refuses", "refused"),
        ("elsewhere", "refused"),
        ("drips", "did not answer within"),
        ("stalls", "did not answer within"),
        ("huge", "more than a million bytes"),
        ("rubbish", "no completion"),
        ("deep", "no completion"),
        ("no words", "without words"),
        ("speaks no http", "no completion|cannot be reached"),
        ("breaks off", "no completion|cannot be reached"),
        ("miscounts", "no completion|cannot be reached"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence_without_words_or_secrets(mode: str, sentence: str) -> None:
    with endpoint(mode) as settings:
        patient = settings.model_copy(update={"timeout": 20.0}) if mode in ("huge", "deep") else settings
        with pytest.raises(Unworded, match=sentence) as failed:
            complete(patient.model_copy(update={"api_key": SecretStr("s3cret")}), WORDS)
    assert "s3cret" not in str(failed.value)
    assert "Who?" not in str(failed.value)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),  # Ollama, vLLM
        ("https://api.example.org/v1/", "https://api.example.org/v1/chat/completions"),
        (  # Azure OpenAI by deployment, and its newer address
            "https://ours.openai.azure.example/openai/deployments/small?api-version=2024-10-21",
            "https://ours.openai.azure.example/openai/deployments/small/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://ours.openai.azure.example/openai/v1",
            "https://ours.openai.azure.example/openai/v1/chat/completions",
        ),
    ],
)
def test_the_address_may_be_that_of_any_openai_compatible_endpoint(address: str, asked: str) -> None:
    assert completions(Wording(address=address, model="small").address) == asked


def test_an_endpoint_that_is_not_there_is_said_so() -> None:
    with pytest.raises(Unworded, match="cannot be reached"):
        complete(Wording(address="http://127.0.0.1:9/v1", model="small", timeout=2), WORDS)


def wordings(world: World, settings: Wording) -> Wordings:
    patient = settings.model_copy(update={"timeout": 20.0})
    return Wordings(world.engine, Settings(community=(world.community,), wording=patient), [world.community_id])


def suggested(world: World) -> list[str]:
    with store.read(world.engine) as session:
        thread = world.messages(session)[0].thread_id or 0
        return [p.suggestion for p in collate.current(session, thread).content.points]  # type: ignore[union-attr]


def test_a_draft_gets_suggestions_that_are_no_headings_and_is_asked_about_once(world: World) -> None:
    world.receive(QUESTION, REPLY)
    with endpoint("words") as settings:
        service = wordings(world, settings)
        assert service.beat()
        assert not service.beat()
    assert all(suggested(world))
    with store.read(world.engine) as session:
        content = collate.current(session, world.messages(session)[0].thread_id or 0).content  # type: ignore[union-attr]
        assert not any(p.own for p in content.points)
        assert collate.check(session, world.messages(session)[0].thread_id or 0, content) == []
        for member in ("Tunde", "Gwen"):
            assert member not in json.dumps(Stub.seen[0][2]["messages"][1])
    with store.transaction(world.engine) as session:
        collate.redraft(session, world.messages(session)[0].thread_id or 0, NOON)
    assert all(suggested(world))


@pytest.mark.parametrize("mode", ["lies", "good"])
def test_the_extractive_draft_stands_when_the_model_lies_or_talks(world: World, mode: str) -> None:
    world.receive(QUESTION, REPLY)
    with endpoint(mode) as settings:
        wordings(world, settings).beat()
    assert suggested(world)
    assert not any(suggested(world))


def test_the_extractive_draft_stands_when_the_model_cannot_be_had(world: World) -> None:
    world.receive(QUESTION, REPLY)
    with endpoint("refuses") as settings:
        service = wordings(world, settings)
        with pytest.raises(Unworded):
            service.beat()
        assert not any(suggested(world))
        Stub.mode = "words"
        assert service.beat()
    assert all(suggested(world))


def test_what_is_held_redacted_or_discarded_does_not_leave(world: World) -> None:
    said = {
        "n@x": ("priya@example.org", "Our hub rings on day ten; 943 476 5919 waited until day forty."),
        "s@x": ("stranger@elsewhere.example", "Quokkas ring them on day two, every week of the year."),
        "z@x": ("tunde@example.org", "The zebulon clinic takes them within two weeks of a call."),
    }
    replies = [mail(who, "Re: Unreturned FIT kits", text, id, "q1@example.org") for id, (who, text) in said.items()]
    world.receive(QUESTION, *replies)
    with store.transaction(world.engine) as session:
        ruth = world.member(session, "ruth@charity.example.org")
        hidden = next(m for m in world.messages(session) if m.rfc_message_id == "z@x")
        review.hide(session, hidden.id, "zebulon", ruth, NOON)
    with endpoint("words") as settings:
        assert wordings(world, settings).beat()
    sent = json.dumps([asked for _, _, asked in Stub.seen])
    assert "rings on day ten" in sent
    assert "within two weeks" in sent
    for word in ("943", "5919", "Quokkas", "zebulon"):
        assert word not in sent


def test_what_a_person_has_edited_is_not_sent(world: World) -> None:
    world.receive(QUESTION, REPLY)
    with store.transaction(world.engine) as session:
        thread = world.messages(session)[0].thread_id or 0
        ruth = world.member(session, "ruth@charity.example.org")
        content = collate.current(session, thread).content  # type: ignore[union-attr]
        saved = collate.save(session, thread, 1, content, ruth, NOON)
        assert saved.status is CollationStatus.EDITED
    with endpoint("words") as settings:
        assert not wordings(world, settings).beat()
    assert Stub.seen == []
