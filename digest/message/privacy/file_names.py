"""A patient's name in the name of a file: "Clinic letter Jo Bloggs.pdf". Pure.

There are no sentences to go by: what counts is that the file is something written about one person, and that two words
or three with capitals are left when those are taken away that files are called by.
"""

import re
from collections.abc import Iterator

from digest.message.privacy.context import WORD, Span
from digest.message.privacy.names import People
from digest.message.privacy.no_names import ALSO_SURNAMES, NOT_NAMES
from digest.words import common

_TOKEN = re.compile(r"[^\W\d_][^\W\d_'’]*(?:['’-][^\W\d_]+)*")
_APART = re.compile(r"[ _.,+]{1,3}")
#: What is written about one person, in the singular.
_PAPERS = frozenset(
    WORD.findall(
        """
        letter referral report result results scan discharge summary clinic histology biopsy photo photograph notes
        complaint consent dictation xray ecg ct mri endoscopy colonoscopy record records
        """
    )
)
#: What else files are called by.
_WORDS = frozenset(
    WORD.findall(
        """
        access advice agenda anaemia annual anonymised audit bengali bladder blank bleeding board borough
        bowel brain breast business case cervical chest city colorectal community consultant copy cough county
        dashboard data dermatology diagnosis direct district draft dyspepsia easy education evaluation event
        example faster federation final foundation gastroscopy generic gujarati gynaecology haematology
        haematuria head imaging improvement infirmary invitation jaundice kidney large lead liver locality
        loss lump lung meeting minutes monthly neck net netting nurse oncology ovarian pain pancreatic pathway
        pilot place places polish poster print programme project proposal prostate protocol punjabi quality
        quarterly read recall redacted rejected rejection reminder request requests review revised safety
        sample scanned screening shire signed skin slides specialist specific standard straight surgery
        suspected symptoms system talk teaching team telephone template text thyroid training triage two
        ultrasound updated urdu urgent urology vague valley version wait webinar week weight welsh wording
        """
    )
)
_NONE = NOT_NAMES - ALSO_SURNAMES


def names(text: str, known: People) -> Iterator[Span]:
    """What may be a patient's name in the name of a file."""
    tokens = list(_TOKEN.finditer(text.rpartition(".")[0] or text))
    if _PAPERS.isdisjoint(token[0].lower() for token in tokens):
        return
    run: list[re.Match[str]] = []
    for token in [*tokens, None]:
        apart = token is None or not run or _APART.fullmatch(text, run[-1].end(), token.start())
        if token is not None and apart and _may_name(token[0]):
            run.append(token)
            continue
        words = WORD.findall(" ".join(one[0] for one in run).lower())
        if 2 <= len(run) <= 3 and len(run[-1][0]) > 2 and not known.named(words):
            yield "patient_name", run[0].start(), run[-1].end()
        run = [token] if token is not None and _may_name(token[0]) else []


def _may_name(token: str) -> bool:
    words = [word.lower() for word in re.split(r"['’-]", token)]
    if not token[0].isupper() or (token.isupper() and 1 < len(token) < 5):
        return False
    return not any(word in _PAPERS or word in _WORDS or common(word) or word in _NONE for word in words)
