"""The commands, as a person runs them: what they say, and how they end."""

import json
import mailbox
from pathlib import Path

import pytest

from digest import cli
from tests.steps.world import QUESTION, REPLY

CONFIG = """
data = "data"
[imap]
host = "127.0.0.1"
port = 1
security = "none"
[[community]]
slug = "leads"
name = "GP leads"
stream_address = "leads@lists.example.org"
digest_sender = "digest@example.org"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "members.csv").write_text(
        "email,name,alliance,role,aliases\n"
        "gwen@example.org,Dr Gwen Pryce,Northern,gp,\n"
        "tunde@example.org,Dr Tunde Ade,,,\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str | int | None:
    """What the process ends with: 0 or None when all is well, else the sentence it says."""
    monkeypatch.setattr("sys.argv", ["digest", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_members_mail_and_export_by_commands_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "one.eml").write_bytes(QUESTION)
    box = mailbox.mbox(here / "archive.mbox")
    box.add(QUESTION)
    box.add(REPLY)
    box.close()
    assert not run(monkeypatch, "members", "members.csv")
    assert "2 members added" in capsys.readouterr().out
    assert not run(monkeypatch, "import", "one.eml")
    assert "1 new messages stored, 1 filed." in capsys.readouterr().out
    assert not run(monkeypatch, "import", "archive.mbox")
    assert "1 new messages stored, 1 filed." in capsys.readouterr().out
    assert not run(monkeypatch, "export", "--out", "export.jsonl")
    rows = [json.loads(line) for line in (here / "export.jsonl").read_text().splitlines()]
    assert [r["type"] for r in rows] == ["message", "message", "message", "thread"]
    assert [r["source"] for r in rows[:3]] == ["one.eml", "archive.mbox#1", "archive.mbox#2"]
    assert [r["kind"] for r in rows[:3]] == ["question", "duplicate", "reply"]
    assert rows[3]["asker"] == "gwen@example.org"
    assert rows[3]["answered"] is True


def test_a_member_leaves_and_comes_back(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "members", "members.csv")
    assert not run(monkeypatch, "member", "gwen@example.org", "--inactive")
    assert "Dr Gwen Pryce takes part no longer." in capsys.readouterr().out
    assert not run(monkeypatch, "member", "gwen@example.org", "--active")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["poll"], "imap.username"),
        (["import", "nowhere.mbox"], "nowhere.mbox"),
        (["members", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["sign-in", "nobody@example.org"], "is not a member"),
        (["export", "--out", "x", "--format", "xml"], "jsonl"),
        (["poll", "--config", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["import", "--community", "others", "members.csv"], "no community"),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    said = run(monkeypatch, *arguments)
    assert isinstance(said, str)
    assert sentence in said
    assert said.endswith(".")
    assert "\n" not in said
    assert "Traceback" not in said


def test_health_tells_whether_the_database_answers(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(monkeypatch, "health")
    assert isinstance(said, str)
    assert "The database did not answer" in said
    run(monkeypatch, "members", "members.csv")
    assert not run(monkeypatch, "health")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "--out", "missing/export.jsonl"], "missing/export.jsonl.part cannot be used (No such file"),
        (["export", "--out", "."], ". is a folder; name the file to write."),
        (["members", "missing.csv"], "missing.csv cannot be read (No such file"),
        (["members", "nameless.csv"], "nameless.csv: the first line must name the columns email, name, "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    (here / "nameless.csv").write_text("zoe@example.org,Zoe\n")
    assert str(run(monkeypatch, *arguments)).startswith(said)


def test_a_data_folder_that_cannot_be_made_is_one_sentence(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "data").write_text("in the way")
    assert str(run(monkeypatch, "poll")).startswith(f"{here / 'data'} cannot be used (File exists)")
