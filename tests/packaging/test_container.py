"""What can be known of the container without an engine; hadolint and the compose schema are run by scripts/test."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from digest.cli import app
from digest.config import load

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))


def test_the_docker_build_sees_every_file_it_copies() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert source.split("/")[0] in let_in, f".dockerignore keeps {source} out"
            assert (ROOT / source).exists()


def test_a_container_is_not_root_and_cannot_write_but_to_its_volume() -> None:
    for name, stage in (("digest", "service"), ("demo", "demo")):
        assert COMPOSE["services"][name]["build"]["target"] == stage
        assert re.findall(r"^USER (\S+)$", STAGES[stage], re.MULTILINE)[-1] == "10001"
        assert COMPOSE["services"][name]["read_only"] is True
        assert COMPOSE["services"][name]["cap_drop"] == ["ALL"]
    writable = [v for v in COMPOSE["services"]["digest"]["volumes"] if not v.endswith(":ro")]
    assert writable == ["data:/var/lib/digest"]


def test_the_containers_settings_are_settings_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    given = dict(re.findall(r"\b(DIGEST_\w+)=(\S+)", STAGES["service"]))
    given |= {name: str(value) for name, value in COMPOSE["services"]["demo"]["environment"].items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DIGEST_CONFIG", str(ROOT / "config.toml"))
    settings = load()
    assert settings.data == Path("/var/lib/digest")
    assert settings.web.host == "0.0.0.0"


def test_a_container_runs_commands_that_exist() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r'CMD \["digest", "([\w-]+)"', DOCKERFILE)) == {"run", "health", "demo"}
    assert {"run", "health", "demo"} <= commands
