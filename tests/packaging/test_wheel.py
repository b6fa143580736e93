"""A wheel built from the sdist has everything the service needs, and finds it where it was installed."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Run by the installed package: what its sign-in page asks for, and what each address answers.
LOOK = """
import json, re, sys
from pathlib import Path
import digest
from digest import assets, store
from digest.config import load
from digest.web.app import create_app
from starlette.testclient import TestClient

settings = load(Path(sys.argv[1]))
engine = store.connect(settings.database)
store.migrate(engine)
desk = TestClient(create_app(settings, engine), base_url=settings.public_address)
page = desk.get("/sign-in")
asked = re.findall(r'(?:href|src)="([^"]+[.](?:css|js|svg))"', page.text)
seen = {address: desk.get(address).status_code for address in asked}
print(json.dumps({"home": digest.__file__, "sample": str(assets.SAMPLE), "page": page.status_code, "seen": seen}))
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    result = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder a wheel was installed into: sdist from the checkout, wheel from the sdist."""
    scratch = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", scratch, ROOT, cwd=scratch)
    (wheel,) = scratch.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(scratch / "site")  # what an installer does with a pure wheel
    return scratch / "site"


@pytest.mark.parametrize("folder", ["templates", "sample", "digest/web/static", "digest/migrations", "digest/vendor"])
def test_a_wheel_carries_every_file_of(folder: str, installed: Path) -> None:
    def files(home: Path) -> set[str]:
        return {str(p.relative_to(home)) for p in home.rglob("*") if p.is_file() and p.suffix != ".pyc"}

    expected = files(ROOT / folder)
    assert expected
    assert files(installed / (folder if folder.startswith("digest/") else f"digest/{folder}")) == expected


def test_an_installed_wheel_finds_its_templates_styles_and_sample(installed: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text((ROOT / "config.toml").read_text())
    said = run(sys.executable, "-c", LOOK, config, cwd=tmp_path, PYTHONPATH=str(installed))
    found = json.loads(said.splitlines()[-1])
    assert Path(found["home"]).is_relative_to(installed)
    assert Path(found["sample"]).is_relative_to(installed)
    assert found["page"] == 200
    assert any(address.endswith("nhsuk-frontend.min.css") for address in found["seen"])
    assert set(found["seen"].values()) == {200}


def test_nothing_a_page_is_styled_with_leads_to_another_host() -> None:
    styles = list((ROOT / "digest/web/static").rglob("*.css"))
    assert styles
    for sheet in styles:
        for address in re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", sheet.read_text()):
            target = "".join(address).strip("'\"")
            assert target.startswith("data:") or (sheet.parent / target).is_file(), f"{sheet.name}: {target}"
