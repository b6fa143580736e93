"""An identity provider on loopback: Microsoft's endpoints (over TLS, as msal insists) and Google's, with real rules.

A device code is pending until somebody approves it; a refresh token works once and then its successor; what was not
given out is refused.
"""

import base64
import hashlib
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass
class Provider:
    """What it gives out, and what it was asked."""

    account: str = "digest@example.org"
    secret: str = "hush-hush"
    lasts: int = 3600
    pending: int = 1  # how often a device code is still pending
    error: tuple[str, str] | None = None  # (error, description) for every token from now on
    broken: bytes = b""  # answered instead of JSON
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    refresh: str = ""  # the one that works now
    rotates: bool = True  # whether it works once; Google's work until they are taken back
    consent: dict[str, str] = field(default_factory=dict)  # what somebody said yes to in a browser
    scope: str = ""  # what the device code is for
    port: int = 0
    certificate: Path = Path()

    @property
    def authority(self) -> str:
        return f"https://127.0.0.1:{self.port}/tenant"

    def metadata(self) -> dict[str, object]:
        at = f"{self.authority}/oauth2/v2.0"
        return {
            "issuer": f"{self.authority}/v2.0",
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "device_authorization_endpoint": f"{at}/devicecode",
            "userinfo_endpoint": f"{self.authority}/userinfo",
        }

    def say_yes(self, address: str) -> str:
        """What a person does in a browser: the address it ends at."""
        self.consent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return f"{self.consent['redirect_uri']}?state={self.consent['state']}&code=code-1&scope=email"

    def device(self) -> dict[str, object]:
        return {
            "device_code": "device-1",
            "user_code": "ABCD1234",
            "verification_uri": "https://microsoft.example/devicelogin",
            "message": "To sign in, open https://microsoft.example/devicelogin and enter the code ABCD1234.",
            "expires_in": 900,
            "interval": 0,
        }

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.asked.append(form)
        if self.error:
            return 400, {"error": self.error[0], "error_description": self.error[1]}
        match form["grant_type"]:
            case "client_credentials":
                if form.get("client_secret") != self.secret:
                    said = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"
                    return 401, {"error": "invalid_client", "error_description": said}
                return 200, self._given(form, refresh=False)
            case "urn:ietf:params:oauth:grant-type:device_code":
                if self.pending:
                    self.pending -= 1
                    return 400, {"error": "authorization_pending", "error_description": "AADSTS70016: Pending."}
                return 200, self._given(form, refresh=True)
            case "authorization_code":
                challenge = _digest(form["code_verifier"])
                mine = (self.secret, "code-1", challenge, "S256", self.consent["redirect_uri"])
                theirs = (form.get("client_secret"), form["code"], self.consent["code_challenge"])
                if mine != (*theirs, self.consent["code_challenge_method"], form["redirect_uri"]):
                    return 400, {"error": "invalid_grant", "error_description": "Malformed auth code."}
                return 200, self._given({"scope": self.scope or self.consent["scope"]}, refresh=True)
            case "refresh_token":
                if form["refresh_token"] != self.refresh:
                    return 400, {"error": "invalid_grant", "error_description": "AADSTS70000: The grant has expired."}
                return 200, self._given(form, refresh=self.rotates)
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                claims = json.loads(_unpadded(form["assertion"].split(".")[1]))
                self.asked[-1] |= {"sub": claims["sub"], "scope": claims["scope"]}
                return 200, self._given(form, refresh=False)
        return 400, {"error": "unsupported_grant_type"}

    def _given(self, form: dict[str, str], refresh: bool) -> dict[str, object]:
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        given: dict[str, object] = {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.lasts}
        if refresh:
            self.refresh = f"refresh-{len(self.tokens)}"
            claims: dict[str, object] = {
                "aud": "the-client",
                "iss": self.authority,
                "sub": "1",
                "tid": "tenant",
                "oid": "1",
            }
            claims |= {"preferred_username": self.account, "exp": int(time.time()) + 3600, "iat": int(time.time())}
            info = {"uid": "1", "utid": "tenant"}
            given |= {"refresh_token": self.refresh, "client_info": _packed(info)}
            given["scope"] = form.get("scope", self.scope)
            given["id_token"] = f"{_packed({'alg': 'none'})}.{_packed(claims)}."
        return given


def _packed(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _digest(verifier: str) -> str:
    """RFC 7636, 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for the loopback address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "identity.pem", folder / "identity.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(_private(key))
    return pem, secret


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def service_account(folder: Path, token_uri: str) -> Path:
    """A key file as Google gives one out for a service account."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    values = {"type": "service_account", "client_email": "digest@project.example", "token_uri": token_uri}
    path = folder / "service.json"
    path.write_text(json.dumps({**values, "private_key_id": "1", "private_key": _private(key).decode()}))
    return path


@contextmanager
def identity(folder: Path, *, tls: bool = True) -> Iterator[Provider]:
    """A running provider."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/introspect":  # RFC 7662, by GET as Dovecot asks
                active = parse_qs(place.query).get("token", [""])[0] in provider.tokens
                self._answer(200, {"active": active, "username": provider.account if active else ""})
            elif place.path.endswith("/userinfo"):
                known = self.headers["Authorization"] == f"Bearer {provider.tokens[-1]}"
                self._answer(200 if known else 401, {"email": provider.account} if known else {})
            else:
                self._answer(200, provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path.endswith("/devicecode"):
                provider.scope = form["scope"]
                self._answer(200, provider.device())
            else:
                self._answer(*provider.token(form))

        def _answer(self, status: int, value: dict[str, object]) -> None:
            body = provider.broken or json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_address[1]
        if tls:
            provider.certificate, key = certificate(folder)
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(provider.certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        serve: Callable[[], None] = lambda: server.serve_forever(poll_interval=0.02)  # noqa: E731
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
