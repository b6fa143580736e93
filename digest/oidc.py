"""Signing in with an account of the organisation (OpenID Connect Core 1.0, 3.1: authorization code, with PKCE).

Authlib makes the addresses, trades the code and checks the ID token; what is kept between the two pages is an `Errand`.
"""

import hmac
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.sync_app import OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError
from requests import RequestException

from digest.config import Oidc

#: Asymmetric alone: neither an unsigned token nor one signed with a secret (Core 1.0, 15.1 asks providers for RS256).
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


class OidcError(Exception):
    """Nobody was signed in; the text is one sentence for the person at the browser, without secrets."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What the browser keeps while its person is with the provider. Each part is URL-safe text without dots."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, text: str) -> Self | None:
        """The errand that `str` wrote down; None for anything else."""
        parts = text.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None

    def __str__(self) -> str:
        return ".".join(astuple(self))


class _Provider(OpenIDMixin, OAuth2Mixin):
    client_cls = OAuth2Session


def _provider(settings: Oidc) -> Any:
    return _Provider(
        None,
        client_id=settings.client_id,
        client_secret=settings.secret(),
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",  # Discovery 1.0, 4
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": settings.timeout,
        },
    )


def start(settings: Oidc, back: str) -> tuple[str, Errand]:
    """Where to send the browser, and the errand it keeps until it comes to `back`. Raises OidcError."""
    try:
        made = _provider(settings).create_authorization_url(back)
    except (RequestException, AuthlibBaseError, ValueError, RuntimeError, KeyError) as error:
        raise OidcError(_unreachable(settings)) from error
    return made["url"], Errand(made["state"], made["nonce"], made["code_verifier"])


def finish(settings: Oidc, back: str, errand: Errand | None, answer: Mapping[str, str]) -> str:
    """The e-mail address of whoever the provider's `answer` (the query of `back`) vouches for. Raises OidcError."""
    if errand is None or not hmac.compare_digest(errand.state.encode(), answer.get("state", "").encode()):
        raise OidcError("This sign-in was begun in another browser or is too old; begin again here.")
    if "code" not in answer:
        raise OidcError(f"{settings.name} did not sign you in; try again, or ask for a link by email.")
    provider = _provider(settings)
    try:
        provider.load_server_metadata()["id_token_signing_alg_values_supported"] = ALGORITHMS
        token = provider.fetch_access_token(back, code=answer["code"], code_verifier=errand.verifier)
        if "id_token" not in token:
            raise OidcError(f"{settings.name} said nothing about who you are; tell whoever runs this service.")
        claims = provider.parse_id_token(
            token,
            errand.nonce,
            # Not what the provider says its name is, but whom the settings trust (Core 1.0, 3.1.3.7).
            {
                "iss": {"essential": True, "values": [settings.issuer, f"{settings.issuer}/"]},
                "aud": {"essential": True, "value": settings.client_id},
            },
        )
    except JoseError as error:
        raise OidcError(f"{settings.name} gave a proof that does not hold; nobody was signed in.") from error
    except (RequestException, AuthlibBaseError, ValueError, RuntimeError, KeyError) as error:
        raise OidcError(_unreachable(settings)) from error
    address = claims.get(settings.claim)
    # A provider that does not say whether it checked the address (Entra ID does not) is taken at its word: its issuer
    # is one organisation's own, which config.toml names.
    if not isinstance(address, str) or "@" not in address or claims.get("email_verified") is False:
        raise OidcError(f"{settings.name} vouches for no email address of yours; ask for a link by email instead.")
    return address


def _unreachable(settings: Oidc) -> str:
    host = urlsplit(settings.issuer).hostname
    return f"Signing in with {settings.name} does not work at the moment ({host}); ask for a link by email instead."
