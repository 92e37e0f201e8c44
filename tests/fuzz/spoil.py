"""Ways to spoil a real reply: by its bytes, and by what it says."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(),
    TEXT,
    st.sampled_from(
        ["", ".", "BU05991081", "BU0363AC01", "GM0599", "NaN", "1e400", "\x00", "</script>", "../.."]
    ),
    st.lists(st.integers(0, 9), max_size=3),
    st.dictionaries(TEXT, st.integers(), max_size=3),
    st.recursive(st.just(0), lambda inner: st.lists(inner, min_size=1, max_size=2), max_leaves=50),
)


@st.composite
def spoiled(draw: Callable[..., Any], real: bytes) -> bytes:
    """Return a real piece of bytes with some of it cut, changed, repeated, or saying something else."""
    try:
        document = json.loads(real)
    except ValueError:
        return bytes(draw(changed_bytes(real)))
    if draw(st.booleans()):
        return bytes(draw(changed_bytes(real)))
    for _ in range(draw(st.integers(1, 3))):
        document = draw(changed_value(document))
    return json.dumps(document).encode()


@st.composite
def changed_bytes(draw: Callable[..., Any], real: bytes) -> bytes:
    """Cut out, overwrite or repeat a stretch."""
    start = draw(st.integers(0, len(real)))
    end = draw(st.integers(start, min(len(real), start + 64)))
    match draw(st.sampled_from(["cut", "end", "overwrite", "repeat"])):
        case "cut":
            return real[:start] + real[end:]
        case "end":
            return real[:start]
        case "overwrite":
            return real[:start] + bytes(draw(st.binary(min_size=1, max_size=16))) + real[end:]
        case _:
            return real[:end] + real[start:]


@st.composite
def changed_value(draw: Callable[..., Any], document: Any) -> Any:
    """Walk down a document some way, and drop, replace or repeat what is there."""
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 5)) == 0:
        return draw(JUNK)
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = draw(st.sampled_from(keys))
    copy = document.copy()
    match draw(st.integers(0, 7)):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, list):
            copy.append(copy[key])
        case _:
            copy[key] = draw(changed_value(document[key]))
    return copy
