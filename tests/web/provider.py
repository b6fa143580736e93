"""An OpenID provider on loopback for the tests: honest unless it is told what to lie about."""

import hashlib
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT, SECRET = "digest", "not a real secret"


@dataclass
class Provider:
    """What it vouches for, and how it lies."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)  # in place of the honest ones
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    key: RSAKey | OctKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: RSAKey | None = None  # the key it says is its own, where that is another
    declines: bool = False
    silent: bool = False  # gives no ID token
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # code → what was asked for
    user_info: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            # All of them, "none" too: what we take must not be for the provider to say.
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def keys(self) -> dict[str, Any]:
        key = self.published or self.key
        return {"keys": [key.as_dict(private=False)] if isinstance(key, RSAKey) else []}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes back to, with a code or a refusal."""
        back = {"state": query["state"]}
        if self.declines:
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(8)
            self.asked[back["code"]] = query
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The answer to a code, which is good once and for whoever began with it (RFC 7636, 4.6)."""
        query = self.asked.pop(form.get("code", ""), None)
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if query is None or urlsafe_b64encode(hashed).rstrip(b"=").decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        answer: dict[str, Any] = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300}
        if not self.silent:
            now = int(time.time())
            honest = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300}
            claims = {**honest, "nonce": query["nonce"], **self.person, **self.claims}
            claims = {name: value for name, value in claims.items() if value is not None}
            if self.header["alg"] == "none":  # RFC 7519, 6.1
                parts = (json.dumps(part).encode() for part in (self.header, claims))
                answer["id_token"] = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
            else:
                registry = JWSRegistry(algorithms=[self.header["alg"]])
                answer["id_token"] = jwt.encode(self.header, claims, self.key, registry=registry)
        return 200, answer


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that listens, until the block ends."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Tests are silent."""

        def answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/authorize":
                self.send_response(302)
                query = {name: values[0] for name, values in parse_qs(place.query).items()}
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif place.path == "/keys":
                self.answer(200, provider.keys())
            else:
                self.answer(200, provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(*provider.token({name: values[0] for name, values in parse_qs(body).items()}))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
