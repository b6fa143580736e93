"""Where the templates and the sample are: inside the package once installed from a wheel, beside it in a checkout."""

from pathlib import Path


def _folder(name: str) -> Path:
    packaged = Path(__file__).parent / name
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / name


#: The folder with `email/` and `web/`.
TEMPLATES = _folder("templates")

#: The sample community of `digest demo`: `members.csv` and `mail/`.
SAMPLE = _folder("sample")
