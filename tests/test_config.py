"""Settings: a working default, the environment above it, and one sentence for whatever is wrong."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import BaseModel

from digest.config import CommunitySettings, ConfigError, Dkim, Imap, Oidc, Settings, Smtp, Web, Wording, load

ROOT = Path(__file__).parent.parent
COMMUNITY = """
[[community]]
slug = "leads"
name = "Leads"
stream_address = "leads@example.org"
digest_sender = "digest@example.org"
"""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("DIGEST_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text + COMMUNITY)
    return path


def test_the_config_file_of_the_repository_is_a_working_default() -> None:
    settings = load(ROOT / "config.toml")
    assert settings.community[0].day == "mon"
    assert settings.data == ROOT / "var"
    assert settings.database == f"sqlite:///{ROOT / 'var' / 'digest.db'}"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, '[imap]\nhost = "file.example.org"\nport = 143\n')
    monkeypatch.setenv("DIGEST_IMAP__HOST", "environment.example.org")
    settings = load(path)
    assert (settings.imap.host, settings.imap.port) == ("environment.example.org", 143)


def test_a_community_names_only_what_differs_from_the_shared_mailbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, '[imap]\nhost = "mail.example.org"\n')
    path.write_text(path.read_text() + '[community.imap]\nfolder = "Leads"\n')
    monkeypatch.setenv("DIGEST_IMAP__PASSWORD", "s3cret")
    imap = load(path).community[0].imap
    assert (imap.host, imap.folder, imap.secret("password")) == ("mail.example.org", "Leads", "s3cret")


def test_a_secret_is_read_from_the_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("s3cret\n")
    assert load(written(tmp_path, '[smtp]\npassword_file = "pass"\n')).smtp.secret("password") == "s3cret"


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = load(written(tmp_path, '[smtp]\npassword_file = "nowhere"\n'))
    with pytest.raises(ConfigError, match=r"password_file: .*nowhere cannot be read"):
        settings.smtp.secret("password")


def test_the_databases_password_is_put_into_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, 'database_url = "postgresql://digest@db.example.org/digest"\n')
    monkeypatch.setenv("DIGEST_DATABASE_PASSWORD", "a/b@c")
    assert load(path).database == "postgresql://digest:a%2Fb%40c@db.example.org/digest"


def test_no_secret_is_shown_when_settings_are_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "s3cret")
    assert "s3cret" not in repr(load(written(tmp_path, "")))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('colour = "red"\n', "colour"),
        ('[imap]\nhots = "mail.example.org"\n', "imap.hots"),
        ("[imap]\nport = 0\n", "imap.port"),
        ('[smtp]\nsecurity = "ssl"\n', "smtp.security"),
        ('[smtp]\npassword = "s3cret"\n', "smtp.password"),
        ('secret_key = "s3cret"\n', "secret_key"),
        ('public_address = "digest.example.org"\n', "public_address"),
        ('[oidc]\nissuer = "http://id.example.org"\nclient_id = "x"\n', "oidc.issuer"),
        ('[oidc]\nissuer = "https://id.example.org/common/v2.0"\nclient_id = "x"\n', "oidc.issuer"),
        ('[oidc]\nissuer = "https://id.example.org"\n', "oidc.client_id"),
        ('database_url = "mysql://db.example.org/digest"\n', "database_url"),
        ('database_url = "postgresql://digest:s3cret@db.example.org/digest"\n', "database_url"),
    ],
)
def test_a_setting_that_is_unknown_or_impossible_is_refused_in_one_sentence_that_names_it(
    tmp_path: Path, text: str, key: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    said = str(refused.value)
    assert key in said
    assert said.endswith(".")
    assert "\n" not in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("day = 1", "day"),
        ('day = "1"', "day"),
        ('day = "monday"', "day"),
        ('time = "25:00"', "time"),
        ('time = "7:00"', "time"),
        ("time = 7", "time"),
        ('time_zone = "Europe/Camelot"', "time_zone"),
        ('when_not_reviewed = "send"', "when_not_reviewed"),
        ("review_lead_hours = -1", "review_lead_hours"),
        ('slogan = "Hello"', "slogan"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(tmp_path: Path, line: str, key: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMUNITY + line + "\n")
    with pytest.raises(ConfigError, match=rf"community\.0\.{key}"):
        load(path)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMUNITY.replace("leads@example.org", "leads"))
    with pytest.raises(ConfigError, match="stream_address"):
        load(path)


def test_two_communities_of_the_same_slug_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMUNITY * 2)
    with pytest.raises(ConfigError, match="same slug"):
        load(path)


@pytest.mark.parametrize("text", ["not toml at all", ""])
def test_a_file_without_a_community_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"community|TOML"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", ["DIGEST_IMAP__HOTS", "DIGEST_COLOUR"])
def test_a_misspelt_environment_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError, match=name):
        load(written(tmp_path, ""))


def test_the_key_that_signs_links_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    key = settings.key()
    assert settings.key() == key
    assert stat.S_IMODE((settings.data / "secret_key").stat().st_mode) == 0o600


def names(model: type[BaseModel], prefix: str) -> set[str]:
    secrets = {"password", "client_secret", "token_key", "secret_key", "database_password", "api_key", "imap", "dkim"}
    return {f"{prefix}{name}" for name in model.model_fields if name not in secrets}


def test_every_setting_is_documented_in_the_file_and_in_the_operating_guide() -> None:
    tables: list[tuple[str, type[BaseModel]]] = [
        ("imap", Imap),
        ("smtp", Smtp),
        ("web", Web),
        ("oidc", Oidc),
        ("wording", Wording),
        ("[community", CommunitySettings),
    ]
    file = (ROOT / "config.toml").read_text()
    guide = (ROOT / "docs" / "operating.md").read_text()
    top, *blocks = file.split("\n[")
    said = {block.split("]")[0]: block for block in blocks}
    undocumented = [
        f"{table}.{name}"
        for table, model in tables
        for name in names(model, "")
        if f"\n{name} =" not in said[table] and f"\n# {name} =" not in said[table]
    ]
    undocumented += [
        n
        for n in names(Settings, "") - {"smtp", "web", "oidc", "wording", "community"}
        if f"{n} =" not in top and f"{n}_file =" not in top
    ]
    undocumented += [n for n in Dkim.model_fields if f"\n# {n} =" not in said["[community"]]
    tables.append(("dkim", Dkim))
    undocumented += [name for _, model in tables for name in names(model, "") if f"`{name}`" not in guide]
    assert undocumented == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("", True),
        ("https://model.example.org/v1", True),
        ("http://localhost:11434/v1", True),
        ("http://ollama:11434/v1", True),
        ("http://model.example.org/v1", False),
        ("ftp://model.example.org/v1", False),
        ("model.example.org", False),
    ],
)
def test_words_go_to_a_language_model_encrypted_or_not_far(address: str, allowed: bool, tmp_path: Path) -> None:
    path = written(tmp_path, f'[wording]\naddress = "{address}"\nmodel = "small"\n')
    if allowed:
        assert load(path).wording.address == address
    else:
        with pytest.raises(ConfigError, match=r"wording\.address: must be empty, or start with https"):
            load(path)


def test_a_language_model_without_its_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"wording\.model is missing"):
        load(written(tmp_path, '[wording]\naddress = "https://model.example.org/v1"\n'))
