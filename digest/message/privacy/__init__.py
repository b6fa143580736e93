"""Patient identifiers in text: numbers, dates of birth, names, addresses, phones, e-mails. Recall comes first.

Candidates are found by patterns that start with a digit, a capital or "@", and then judged by the words around them.
Every repetition is bounded and every window has a fixed size, so the time is linear in the text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from digest.message.privacy import contacts, dates, file_names, numbers
from digest.message.privacy.again import everywhere
from digest.message.privacy.context import Span, unwrapped
from digest.message.privacy.evidence import fictional, talk
from digest.message.privacy.names import People, again, names
from digest.message.privacy.numbers import hospital_numbers, nhs_beside, nhs_numbers, valid_nhs_number
from digest.nouns import Hit, Place

__all__ = ["NOBODY", "Known", "everywhere", "identifiers", "repeated", "valid_nhs_number"]


@dataclass(frozen=True, slots=True)
class Known:
    """Who is no patient: the names and the addresses (lower case) of members, the author and the lists."""

    people: People = field(default_factory=People)
    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()  # of organisations that they write from

    @classmethod
    def of(cls, names: Iterable[str], addresses: Iterable[str]) -> "Known":
        """From names as people write them."""
        own = frozenset(address.lower() for address in addresses)
        return cls(People.of(names), own, contacts.organisations(own))

    def also(self, names: Iterable[str], addresses: Iterable[str]) -> "Known":
        """With more people."""
        more = Known.of(names, addresses)
        return Known(self.people | more.people, self.addresses | more.addresses, self.domains | more.domains)


NOBODY = Known()


def identifiers(text: str, place: Place, known: Known = NOBODY, *, offset: int = 0) -> list[Hit]:
    """Every patient identifier in `text`, in order and without overlap. `offset` is added to the spans."""
    read, at = unwrapped(text) if place in {Place.QUOTED, Place.ATTACHMENT} else (text, None)
    marks: list[Span] = [*dates.births(read), *nhs_numbers(read), *hospital_numbers(read)]
    said = talk(read)
    patients, staff = names(read, known.people, tuple(marks), said, subject=place is Place.SUBJECT)
    marks += patients
    if place is Place.ATTACHMENT_NAME:
        marks += file_names.names(read, known.people)
    if marks or said >= _PATIENTS:
        marks += numbers.unlabelled(read, marks)
    marks += dates.beside(read, marks)
    marks += [*nhs_beside(read, marks), *dates.unlabelled(read, marks)]
    houses = list(contacts.addresses(read, marks, said >= _PATIENTS))
    codes = list(contacts.postcodes(read, houses, marks))
    found = [*marks, *houses, *codes, *contacts.phones(read, [*marks, *houses, *codes], staff)]
    found += contacts.emails(read, known.addresses, known.domains, marks, staff)
    found = [one for one in found if one[0] not in _NOT_MADE_UP or not fictional(read, *one[1:])]
    if at is not None:
        found = [(kind, at(start), at(end - 1) + 1) for kind, start, end in found]
    return _settled([Hit(kind, place, offset + s, offset + e, text[s:e]) for kind, s, e in found])


_PATIENTS = 0.3  # what a text that speaks of patients adds up to at least
#: What is looked for whatever is said of it may be somebody's all the same: an NHS number that passes the check.
_NOT_MADE_UP = frozenset({"dob", "address", "postcode"})


def repeated(
    text: str, place: Place, found: Iterable[tuple[str, str]], known: Known = NOBODY, *, offset: int = 0
) -> list[Hit]:
    """Where (words, type) that were `found` elsewhere stand in `text`, names also by their distinctive words alone."""
    wanted = list(found)
    spans = [(type, start, end) for (start, end), type in everywhere(text, wanted).items()]
    spans += again(text, (words for words, type in wanted if type == "patient_name"), known.people)
    return _settled([Hit(kind, place, offset + s, offset + e, text[s:e]) for kind, s, e in spans])


def _settled(hits: list[Hit]) -> list[Hit]:
    """In order and without overlap: of two that overlap, the later keeps what the earlier leaves of it."""
    out: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        over = out[-1].end - hit.start if out else 0
        if over <= 0:
            out.append(hit)
        elif out[-1].end < hit.end:
            rest = hit.text[over:]
            start = hit.end - len(rest.lstrip(" ,;"))
            out.append(replace(hit, start=start, text=rest.lstrip(" ,;")))
    return out
