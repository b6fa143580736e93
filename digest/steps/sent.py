"""Editions that went out, as they are kept: without what was redacted or erased since.

A mail cannot be called back. But what is shown of it, and sent once more to somebody who could not find it, comes from
`Edition.frozen` and `Variant.frozen`, and those lose the words. A mail's Message-ID stays the same.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape, unescape
from urllib.parse import quote, unquote

from sqlmodel import Session, col, select

from digest.edition import Frozen
from digest.edition.render import dumps, loads
from digest.message.privacy import everywhere
from digest.message.privacy.again import plain
from digest.models import Edition, Variant
from digest.nouns import mask

Wanted = Sequence[tuple[str, str]]  # (words, type)

_HREF = re.compile(r'(?<=\shref=")[^"]*')
_TOKEN = re.compile(r"<[^>]*>|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);|.", re.DOTALL)


def forget(session: Session, community_id: int, wanted: Callable[[Edition], Wanted]) -> None:
    """Take words out of everything a community has sent; `wanted` says which, for an edition and its variants."""
    for edition in session.exec(
        select(Edition).where(Edition.community_id == community_id, col(Edition.frozen).is_not(None))
    ).all():
        words = wanted(edition)
        if words:
            variants = session.exec(select(Variant).where(Variant.edition_id == edition.id)).all()
            everything: list[Edition | Variant] = [edition, *variants]
            for kept in everything:
                stored = loads(kept.frozen or b"")
                if (cleared := without(stored, words)) != stored:
                    kept.frozen = dumps(cleared)
                    session.add(kept)
    session.flush()


def without(frozen: Frozen, wanted: Wanted) -> Frozen:
    """A rendered edition with the words masked: in its text, its HTML, its links and its calendar."""
    everything = plain(f"{frozen.text}{unescape(frozen.html)}{unquote(frozen.html)}{frozen.calendar}")
    wanted = [(words, type) for words, type in wanted if plain(words) and plain(words) in everything]
    if not wanted:
        return frozen
    elsewhere = f"{frozen.sender.public_address}/editions"

    def href(found: re.Match[str]) -> str:
        return escape(_link(unescape(found[0]), wanted, elsewhere))

    return replace(
        frozen,
        text=mask(frozen.text, everywhere(frozen.text, wanted)),
        html=_visible(_HREF.sub(href, frozen.html), wanted),
        calendar=mask(frozen.calendar, everywhere(frozen.calendar, wanted)),
    )


def _link(url: str, wanted: Wanted, elsewhere: str) -> str:
    """A link that does not say the words. A mailto: link stays one; what has them in its address leads `elsewhere`."""
    if not url.startswith("mailto:"):
        return elsewhere if everywhere(url, wanted) else url
    address, _, said = url.partition("?")
    fields = []
    for name, _, value in (field.partition("=") for field in said.split("&")):
        words = unquote(value)
        hidden = everywhere(words, wanted)
        fields.append(f"{name}={quote(mask(words, hidden), safe='') if hidden else value}")
    return f"{address}?{'&'.join(fields)}" if said else url


def _visible(page: str, wanted: Wanted) -> str:
    """HTML with the words masked where a reader sees them, also where tags stand between them; every tag stays."""
    pieces = [token[0] for token in _TOKEN.finditer(page)]  # a tag, an entity, or a letter
    tag = [len(piece) > 1 and piece.startswith("<") for piece in pieces]
    # An entity that stands for two letters is none that anybody's name has.
    seen = "".join(" " if is_tag else unescape(piece)[:1] for piece, is_tag in zip(pieces, tag, strict=True))
    hidden: dict[int, str] = {}
    for (start, end), type in sorted(everywhere(seen, wanted).items()):
        for at in range(start, end):
            hidden.setdefault(at, escape(mask("?", {(0, 1): type})) if at == start else "")
    return "".join(piece if tag[at] else hidden.get(at, piece) for at, piece in enumerate(pieces))
