"""What is installed is settled by the locks: exact versions, hashes, and no address to fetch them from."""

import json
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("build", "run", "demo", "meaning", "test")
#: What has no wheel: it is built with what locks/build.txt pins.
BUILT = "--no-binary dkimpy\n"
REGISTRY_HOST = re.compile(r"\b(pypi|pythonhosted|npmjs|yarnpkg)\.(org|com)\b")


def pins(lock: str) -> dict[str, list[Requirement]]:
    """The requirements of a lock by name; a name stands twice where Pythons differ."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / f"locks/{lock}.txt").read_text().splitlines():
        if line and not line.startswith((" ", "--")):
            pin = Requirement(line.removesuffix(" \\"))
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_exact_versions_with_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / f"locks/{lock}.txt").read_text()
    assert "://" not in text
    entries = re.split(r"\n(?! )", text.removeprefix(BUILT).strip())
    assert all(re.fullmatch(r"[^\n]+==[^\n]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+", e) for e in entries)


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("build", PROJECT["build-system"]["requires"]),
        ("build", PROJECT["dependency-groups"]["build"]),
        ("run", PROJECT["project"]["dependencies"]),
        ("demo", PROJECT["project"]["optional-dependencies"]["demo"]),
        ("meaning", PROJECT["project"]["optional-dependencies"]["meaning"]),
        ("test", PROJECT["project"]["optional-dependencies"]["meaning"]),
        ("test", PROJECT["dependency-groups"]["test"]),
    ],
)
def test_a_lock_has_what_pyproject_asks_for_in_a_version_it_allows(lock: str, asked: list[str]) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, asked):
        for pin in locked[canonicalize_name(requirement.name)]:
            (exact,) = pin.specifier
            assert requirement.specifier.contains(exact.version), f"{requirement} is locked as {pin}; run scripts/lock"


@pytest.mark.parametrize("command", ["scripts/setup", "Dockerfile"])
def test_what_is_built_from_source_is_built_with_pinned_tools_alone(command: str) -> None:
    assert pins("build")["setuptools"]
    text = (ROOT / command).read_text().replace("\\\n", "")
    installs = [line for line in text.splitlines() if "--require-hashes" in line]
    assert "locks/build.txt" in installs[0]
    assert all("--only-binary :all:" in line for line in installs)
    building = [line for line in installs if re.search(r"\$(lock|LOCK)\.txt", line)]
    assert building
    assert all("--no-build-isolation" in line for line in building)


def test_the_locks_agree_with_each_other() -> None:
    everything = pins("test")
    for lock in LOCKS:
        for name, found in pins(lock).items():
            assert [p.specifier for p in found] == [p.specifier for p in everything[name]]


def test_npm_packages_are_pinned_with_hashes_and_no_address() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert locked[f"node_modules/{name}"]["version"] == version
    packages = [entry for path, entry in locked.items() if path]
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages)


def test_the_style_sheet_is_the_one_the_page_macros_were_made_for() -> None:
    style = json.loads((ROOT / "package.json").read_text())["dependencies"]["nhsuk-frontend"]
    macros = metadata.distribution("nhsuk-frontend-jinja")
    fits = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \|$", macros.read_text("METADATA") or "", re.MULTILINE)
    assert (style, macros.version) in fits


def test_no_file_names_a_package_registry() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("this is not a git checkout")
    files = [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert files
    assert [str(f) for f in files if REGISTRY_HOST.search(f.read_text(encoding="utf-8", errors="replace"))] == []
