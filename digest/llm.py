"""The edge to a language model: one question to an OpenAI-compatible endpoint (Ollama, vLLM, Azure OpenAI). Off unless
configured. What is sent and whether the answer stands is decided by `collation.wording`.
"""

import json
import time
from collections.abc import Sequence
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from digest.config import Wording

#: An answer larger than this is no answer.
LARGEST = 1_000_000  # bytes


class Unworded(Exception):
    """No answer was had; the text is one sentence for the person who runs the service, without words of any mail."""


class _NoRedirect(HTTPRedirectHandler):
    """Members' words go where the settings say and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def complete(settings: Wording, messages: Sequence[dict[str, str]]) -> str:
    """The model's answer to `messages`. Blocks up to `settings.timeout` seconds in all, however slowly bytes drip in.

    Raises Unworded for whatever goes wrong.
    """
    deadline = time.monotonic() + settings.timeout
    host = urlsplit(settings.address).hostname
    body = {"model": settings.model, "messages": list(messages), "temperature": 0, "stream": False}
    if settings.json_mode:
        body["response_format"] = {"type": "json_object"}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key := settings.secret():
        headers |= {"api-key": key} if settings.key_header == "api-key" else {"Authorization": f"Bearer {key}"}
    request = Request(completions(settings.address), json.dumps(body).encode(), headers)  # noqa: S310 (config: http, https)
    try:
        with build_opener(_NoRedirect).open(request, timeout=settings.timeout) as answer:
            said = b""
            while piece := answer.read1(65536):
                said += piece
                if len(said) > LARGEST:
                    raise Unworded(f"{host} answered with more than a million bytes; its wording was left out.")
                if time.monotonic() > deadline:
                    raise TimeoutError
        content = json.loads(said)["choices"][0]["message"]["content"]
    except HTTPError as error:
        with error:
            raise Unworded(
                f"{host} refused (HTTP {error.code}); check wording.address, wording.model and the key."
            ) from None
    except TimeoutError:
        raise Unworded(f"{host} did not answer within {settings.timeout:g} seconds; raise wording.timeout.") from None
    except (OSError, HTTPException, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        if isinstance(error, URLError) and isinstance(error.reason, TimeoutError):
            raise Unworded(
                f"{host} did not answer within {settings.timeout:g} seconds; raise wording.timeout."
            ) from None
        what = "cannot be reached" if isinstance(error, OSError) else "answered with something that is no completion"
        raise Unworded(f"{host} {what}; check wording.address.") from None
    if not isinstance(content, str):
        raise Unworded(f"{host} answered without words; check wording.model.")
    return content


def completions(address: str) -> str:
    """The address of chat completions; a query such as Azure's api-version stays at the end."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/chat/completions"))
