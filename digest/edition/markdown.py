"""The coordinator's introduction, written in Markdown: as HTML that is safe to mail, and as plain text. Pure."""

from collections.abc import Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_SCHEMES = {"http", "https", "mailto"}
# Headings would break the order of the mail's own, and pictures are not shown in it: both stay as they were typed.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["heading", "lheading", "hr", "image", "code", "fence"])
# A link that leads nowhere once it is in a mail, such as one to a path, stays as it was typed too.
_MARKDOWN.validateLink = lambda url: url.lower().startswith(tuple(f"{scheme}:" for scheme in _SCHEMES))  # type: ignore[method-assign]
_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "code"}


def to_html(source: str) -> Markup:
    """Markdown as HTML. HTML in it is shown as typed; links lead to the web or to a mail address, or nowhere."""
    return Markup(  # noqa: S704 - nh3 has cleaned it
        nh3.clean(
            _MARKDOWN.render(source),
            tags=_TAGS,
            attributes={"a": {"href"}, "ol": {"start"}},
            url_schemes=_SCHEMES,
            link_rel=None,
        )
    )


def to_text(source: str) -> str:
    """Markdown as plain text: paragraphs apart by a blank line, list items with "- " or "1. ", links written out."""
    said = ""
    marker = ""
    for token in _MARKDOWN.parse(source):
        if token.type == "list_item_open":
            marker = f"{token.info}. " if token.info else "- "
        elif token.type == "inline":
            said += marker + "".join(_words(token.children or [])) + ("\n" if marker else "\n\n")
            marker = ""
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            said += "\n"
    return said.strip()


def _words(tokens: list[Token]) -> Iterator[str]:
    address, said = "", ""
    for token in tokens:
        if token.type == "link_open":
            address, said = str(token.attrs["href"]), ""
        elif token.type == "link_close":
            if address.removeprefix("mailto:") != said:
                yield f" ({address})"
            address = ""
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        else:
            said += token.content
            yield token.content
