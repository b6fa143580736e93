"""Where the templates are: inside the package once installed from a wheel, beside it in a checkout."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "templates"

#: The folder with `email/` and `web/`.
TEMPLATES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "templates"
