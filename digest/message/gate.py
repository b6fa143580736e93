"""The patient-identifier gate over a whole mail: subject, text, quotes, files’ names and what stands in them. Pure."""

from collections.abc import Iterator

from digest.message import body, privacy
from digest.message.documents import Document, Left, document
from digest.message.parse import MAX_MAIL_DEPTH, Parsed, content, is_mail, parse
from digest.message.privacy import Known
from digest.nouns import UNREAD_FILE, Hit, Place, Segment, SegmentRole

MAX_FILES = 30
MAX_BYTES = 40_000_000  # of all files that are opened
_AROUND = 60  # characters of a file's text kept on either side of a hit
#: What might well say something about a patient and hides it; a person looks before anybody has it.
_CLOSED = frozenset({Left.LOCKED, Left.DAMAGED})

_Source = tuple[str, Place, int, int]  # text, where it stands, the offset of its spans, the number of its file


def hits(parsed: Parsed, text: str, segments: tuple[Segment, ...], subject: str, known: Known) -> tuple[Hit, ...]:
    """Every hit of a mail, in reading order. What could not be searched is said in `parsed.problems`."""
    sources: list[_Source] = [(subject, Place.SUBJECT, 0, 0)]
    for segment in segments:
        if segment.role in {SegmentRole.NEW, SegmentRole.QUOTE}:
            place = Place.BODY if segment.role is SegmentRole.NEW else Place.QUOTED
            sources.append((text[segment.start : segment.end], place, segment.start, 0))
    sources += [(file.name, Place.ATTACHMENT_NAME, 0, number) for number, file in enumerate(parsed.files, start=1)]
    unread: list[Hit] = []
    for number, read in _documents(parsed):
        if read.text:
            sources.append((read.text, Place.ATTACHMENT, 0, number))
        if read.left is not Left.NOTHING:
            sentence = f"File {number} was not{' wholly' if read.text else ''} searched: {read.left.value}."
            parsed.say(sentence)
            if read.left in _CLOSED:
                unread.append(Hit(UNREAD_FILE, Place.ATTACHMENT, 0, 0, "", number, sentence))
    found = [privacy.identifiers(source, place, known, offset=offset) for source, place, offset, _ in sources]
    words = {(hit.text, hit.type) for some in found for hit in some}
    if words:
        for some, (source, place, offset, _) in zip(found, sources, strict=True):
            again = privacy.repeated(source, place, words, known, offset=offset)
            some += [one for one in again if not any(hit.start < one.end and one.start < hit.end for hit in some)]
            some.sort(key=lambda hit: hit.start)
    located = [_in_file(hit, source) for some, source in zip(found, sources, strict=True) for hit in some]
    return (*located, *unread)


def _in_file(hit: Hit, source: _Source) -> Hit:
    """A hit with its file's number, and for one in a file's text, with the words around it."""
    text, place, _, number = source
    if place is not Place.ATTACHMENT:
        return Hit(hit.type, place, hit.start, hit.end, hit.text, number)
    first = max(0, hit.start - _AROUND)
    passage = text[first : hit.end + _AROUND]
    return Hit(hit.type, place, hit.start - first, hit.end - first, hit.text, number, passage)


def _documents(parsed: Parsed) -> Iterator[tuple[int, Document]]:
    opened = 0
    for number, file in enumerate(parsed.files, start=1):
        opened += file.size
        if number > MAX_FILES or opened > MAX_BYTES:
            yield number, Document("", Left.LARGE)
            continue
        data = content(file)
        if data is None:
            yield number, Document("", Left.DAMAGED)
        elif is_mail(file):
            yield number, _mail(data)
        else:
            yield number, document(data, file.content_type, file.name)


def _mail(data: bytes, depth: int = 0) -> Document:
    """A mail inside the mail: its subject, its text, and what stands in its own files."""
    inner = parse(data, MAX_MAIL_DEPTH)  # what is attached to it is opened here
    lines, _ = body.lines(inner)
    pieces = [inner.get("subject"), "", *(line.text for line in lines), ""]
    left = Left.NOTHING
    for file in inner.files[:MAX_FILES]:
        found = content(file)
        if found is None:
            read = Document("", Left.DAMAGED)
        elif is_mail(file):
            read = _mail(found, depth + 1) if depth < MAX_MAIL_DEPTH else Document("", Left.LARGE)
        else:
            read = document(found, file.content_type, file.name)
        pieces += [file.name, read.text]
        if left not in _CLOSED:
            left = read.left if read.left is not Left.NOTHING else left
    return Document("\n".join(pieces), left if len(inner.files) <= MAX_FILES else Left.LARGE)
