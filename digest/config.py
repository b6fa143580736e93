"""config.toml + environment → frozen, typed settings; refuses what it does not know.

Order of precedence: environment (`DIGEST_IMAP__HOST`), then config.toml, then the defaults below. Secrets are read from
the environment or from the file a `*_file` setting names, and are refused in config.toml. `load` raises `ConfigError`,
whose text is one sentence that names the key and says what to do.
"""

import os
import secrets
import tomllib
from datetime import time as Time
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from digest.nouns import WEEKDAYS

#: Where plain http is as safe as https.
LOOPBACK = ("localhost", "127.0.0.1", "::1")

SECRETS = ("password", "client_secret", "secret_key", "database_password", "token_key", "api_key")


class ConfigError(Exception):
    """A setting is wrong; the text is one sentence for the person who runs the service."""


def _weekday(value: object) -> object:
    # Cron dialects disagree on whether 0 or 1 is Monday, so only names are taken (DESIGN.md, rules learnt).
    if not isinstance(value, str) or value.lower() not in WEEKDAYS:
        raise ValueError(f"must be a weekday's name, one of {', '.join(WEEKDAYS)}")
    return value.lower()


def _clock(value: object) -> object:
    if isinstance(value, Time):
        return value
    try:
        if not isinstance(value, str) or len(value) != 5:
            raise ValueError
        return Time.fromisoformat(value)
    except ValueError:
        raise ValueError('must be a time of day such as "07:00"') from None


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Europe/London"') from None
    return value


def _address(value: str) -> str:
    address = parseaddr(value)[1]
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        raise ValueError('must be an e-mail address such as "digest@example.org"')
    if not address.isascii():  # every member's server must take mail from it
        raise ValueError("must be an e-mail address in ASCII; write its domain as the DNS has it (xn--…)")
    return value


def _database(value: str) -> str:
    if not value:
        return value
    try:
        url = make_url(value)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ValueError('must be empty, or an address such as "postgresql://digest@localhost/digest"')
    if url.password:
        raise ValueError("holds a password; give it in database_password_file or the environment instead")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must start with https:// (or http:// on your own machine)")
    return value.rstrip("/")


def _issuer(value: str) -> str:
    """An OpenID Connect issuer (Discovery 1.0, 2): https, but for a provider on this machine."""
    place = urlsplit(value)
    if value and not (place.scheme == "https" and place.hostname) and place.hostname not in LOOPBACK:
        raise ValueError("must be empty, or start with https://")
    if value and {"common", "organizations", "consumers"} & set(place.path.split("/")):
        raise ValueError("must name one organisation, because anybody can have an account at this one")
    return value.rstrip("/")


def _model_address(value: str) -> str:
    """Members' words go there: encrypted, unless it is this machine or a neighbour without a domain (a container)."""
    place = urlsplit(value)
    near = place.hostname in LOOPBACK or (place.hostname and "." not in place.hostname)
    if value and not (place.hostname and (place.scheme == "https" or (place.scheme == "http" and near))):
        raise ValueError(
            'must be empty, or start with https:// (or be on your own machine: "http://localhost:11434/v1")'
        )
    return value.rstrip("/")


Port = Annotated[int, Field(ge=1, le=65535)]
Mail = Annotated[str, AfterValidator(_address)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Login(_Frozen):
    """What the mailbox and the mail server have in common: where it is and how we sign in."""

    host: str = "localhost"
    security: Literal["tls", "starttls", "none"] = "tls"
    ca_file: Path | None = Field(None, description="certificates to trust besides the system's, for a private server")
    auth: Literal["password", "xoauth2"] = "password"
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    grant: Literal["client_credentials", "device_code", "service_account", "authorization_code"] = "client_credentials"
    authority: str = Field("", description="xoauth2 at Microsoft: https://login.microsoftonline.com/ and the tenant")
    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    scope: str = Field("", description="what access is asked for; empty: mail")
    token_file: Path | None = Field(None, description="where digest connect keeps what it was given")
    token_key: SecretStr | None = None
    token_key_file: Path | None = None
    service_account_file: Path | None = Field(None, description="service_account: the key that Google gave out")
    timeout: Annotated[float, Field(gt=0)] = Field(60.0, description="seconds to wait for an answer")

    def secret(self, name: Literal["password", "client_secret", "token_key"]) -> str:
        """The secret called `name`, from the environment or its file; "" when there is none."""
        return _secret(getattr(self, name), getattr(self, f"{name}_file"), name)


class Imap(_Login):
    """Where the stream's mail is read. Nothing in the mailbox is changed unless `mark_seen` is true."""

    port: Port = 993
    folder: str = "INBOX"
    idle: bool = Field(True, description="wait for new mail with IDLE (RFC 2177) where the server has it")
    poll_seconds: Annotated[float, Field(gt=0)] = 60.0
    batch: Annotated[int, Field(ge=1, le=1000)] = Field(50, description="messages fetched and stored at a time")
    mark_seen: bool = False


class Smtp(_Login):
    """Where mail goes out, and how fast the provider lets it."""

    port: Port = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    connections: Annotated[int, Field(ge=1, le=50)] = 3
    messages_per_minute: Annotated[int, Field(ge=1)] = Field(30, description="Microsoft 365 takes 30 a minute")
    recipients_per_day: Annotated[int, Field(ge=1)] = Field(10_000, description="Microsoft 365 takes 10,000 a day")
    mails_per_member_a_day: Annotated[int, Field(ge=1)] = Field(
        10, description="whatever goes wrong, no more than that"
    )


class Web(_Frozen):
    """Where the desk listens."""

    host: str = "127.0.0.1"
    port: Port = 8000
    session_hours: Annotated[int, Field(ge=1)] = 12
    sign_in_minutes: Annotated[int, Field(ge=1)] = Field(20, description="how long a mailed sign-in link works")
    undo_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        60, description="how long an edition that is sent at once can still be stopped"
    )


class Oidc(_Frozen):
    """Signing in with an account of the organisation, besides the mailed link; off while `issuer` is empty."""

    issuer: Annotated[str, AfterValidator(_issuer)] = ""
    name: Annotated[str, Field(min_length=1)] = "your work account"
    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    claim: Annotated[str, Field(min_length=1)] = Field("email", description="what names the address in the ID token")
    timeout: Annotated[float, Field(gt=0)] = Field(10.0, description="seconds to wait for an answer")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer and not self.client_id:
            raise ValueError("oidc.client_id is missing; the provider gave it when the service was registered")
        return self

    def secret(self) -> str:
        """The client secret, from the environment or its file."""
        return _secret(self.client_secret, self.client_secret_file, "client_secret")


class Wording(_Frozen):
    """A language model that suggests wordings to the coordinator; off while `address` is empty."""

    address: Annotated[str, AfterValidator(_model_address)] = ""
    model: str = ""
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    key_header: Literal["authorization", "api-key"] = Field("authorization", description="Azure OpenAI wants api-key")
    json_mode: bool = Field(True, description="ask for JSON by response_format, where the endpoint has it")
    timeout: Annotated[float, Field(gt=0)] = Field(60.0, description="seconds a whole answer may take")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.address and not self.model:
            raise ValueError("wording.model is missing; name the model to ask")
        return self

    def secret(self) -> str:
        """The key, from the environment or its file; "" when there is none, as with Ollama."""
        return _secret(self.api_key, self.api_key_file, "api_key")


class Dkim(_Frozen):
    """How a community's mail is signed (RFC 6376), where the mail server does not do it itself."""

    selector: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
    private_key_file: Path

    def pem(self) -> str:
        """The private key's file. Raises ConfigError when it cannot be read."""
        return _secret(None, self.private_key_file, "private_key")


class CommunitySettings(_Frozen):
    """One community: its stream, its digest and its schedule."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(min_length=1)]
    stream_address: Mail
    digest_sender: Mail
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    day: Annotated[str, BeforeValidator(_weekday)] = "mon"
    time: Annotated[Time, BeforeValidator(_clock)] = Time(7, 0)
    review_lead_hours: Annotated[int, Field(ge=0, le=120)] = 24
    when_not_reviewed: Literal["wait", "skip"] = "wait"
    overdue_hours: Annotated[int, Field(ge=1)] = 24
    topics: tuple[str, ...] = ()
    imap: Imap = Imap()
    dkim: Dkim | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Settings(BaseSettings):
    """Every setting of the service. Get one from `load`."""

    model_config = SettingsConfigDict(
        env_prefix="DIGEST_", env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    public_address: Annotated[str, AfterValidator(_web_address)] = "http://127.0.0.1:8000"
    data: Path = Path("var")
    database_url: Annotated[str, AfterValidator(_database)] = ""
    database_password: SecretStr | None = None
    database_password_file: Path | None = None
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    imap: Imap = Imap()
    smtp: Smtp = Smtp()
    web: Web = Web()
    oidc: Oidc = Oidc()
    wording: Wording = Wording()
    community: Annotated[tuple[CommunitySettings, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _communities_inherit_imap(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`[community.imap]` names only what differs from `[imap]`."""
        shared, communities = values.get("imap", {}), values.get("community")
        if isinstance(shared, dict) and isinstance(communities, list | tuple):
            values["community"] = [
                {**c, "imap": {**shared, **c.get("imap", {})}} if isinstance(c, dict) else c for c in communities
            ]
        return values

    @model_validator(mode="after")
    def _slugs_differ(self) -> Self:
        slugs = [c.slug for c in self.community]
        if len(set(slugs)) != len(slugs):
            raise ValueError("two communities have the same slug; give each its own")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # what config.toml says arrives as init_settings

    def of(self, slug: str) -> CommunitySettings:
        """The community called `slug`; raises ConfigError when config.toml has none of that name."""
        for community in self.community:
            if community.slug == slug:
                return community
        raise ConfigError(f"config.toml has no community with the slug {slug!r}; add a [[community]] for it.")

    @property
    def database(self) -> str:
        """The database's SQLAlchemy address: `database_url` with its password, or SQLite in the data folder."""
        if not self.database_url:
            return f"sqlite:///{self.data / 'digest.db'}"
        password = _secret(self.database_password, self.database_password_file, "database_password")
        url = make_url(self.database_url)
        return (url.set(password=password) if password else url).render_as_string(hide_password=False)

    def key(self) -> bytes:
        """The key that signs links. Made once, readable by this user alone, when none is configured."""
        configured = _secret(self.secret_key, self.secret_key_file, "secret_key")
        if configured:
            return configured.encode()
        path = self.data / "secret_key"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            try:
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                    out.write(secrets.token_urlsafe(32))
            except FileExistsError:
                pass  # another process was quicker; its key is the key
        return path.read_bytes()


def _secret(value: SecretStr | None, path: Path | None, name: str) -> str:
    if value is not None:
        return value.get_secret_value()
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{name}_file: {path} cannot be read ({reason}); check the path and its rights.") from None


def _refuse_secrets(values: dict[str, Any], path: str = "") -> None:
    for key, value in values.items():
        where = f"{path}{key}"
        if key in SECRETS:
            raise ConfigError(
                f"{where} is a secret and may not stand in config.toml; use {where}_file or the environment."
            )
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _refuse_secrets(part, f"{where}.")


def _sentence(error: ValidationError, path: Path) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or path.name
    if first["type"] == "extra_forbidden":
        return f"{path.name}: {where} is not a setting of this service; check its spelling or take it out."
    if first["type"] == "missing":
        return f"{path.name}: {where} is missing; add it."
    said = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{path.name}: {where}: {said[:1].lower()}{said[1:]}."


def _anchor(values: dict[str, Any], home: Path) -> None:
    """Files named in config.toml are looked for beside it, wherever the command is run."""
    for key, value in values.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _anchor(part, home)
        if key.endswith("_file") and isinstance(value, str):
            values[key] = str(home / value)


def _refuse_unknown_environment() -> None:
    for name in sorted(os.environ):
        key, _, rest = name.removeprefix("DIGEST_").lower().partition("__")
        if not name.startswith("DIGEST_") or name == "DIGEST_CONFIG":
            continue
        field = Settings.model_fields.get(key)
        inner = getattr(field.annotation, "model_fields", {}) if field is not None else {}
        if field is None or (rest and rest not in inner):
            raise ConfigError(f"The environment variable {name} is not a setting of this service; check its spelling.")


def load(path: Path | None = None) -> Settings:
    """Read `path` (else $DIGEST_CONFIG, else ./config.toml) and the environment; paths are relative to the file.

    Raises ConfigError, one sentence, for a file that cannot be read, a key it does not know or a value it cannot use.
    """
    path = path or Path(os.environ.get("DIGEST_CONFIG", "config.toml"))
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    _refuse_secrets(values)
    _refuse_unknown_environment()
    home = path.resolve().parent
    _anchor(values, home)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigError(_sentence(error, path)) from None
    return settings.model_copy(update={"data": home / settings.data})
