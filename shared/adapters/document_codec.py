"""Encodes documents as text and decodes them, within what every store can hold.

The text is the same in every store, so that nothing depends on what one of them can express: Firestore knows no list
in a list, no empty field name and no half of a surrogate pair, and all of these are JSON.
"""

import json
from collections.abc import Mapping
from typing import cast

MAX_BYTES = 1_000_000
"""Firestore takes 1,048,576 bytes a document, its name and field names included."""
MAX_NAME_LENGTH = 1_500
"""Bytes of a key in Firestore, and of a value that its indexes hold without cutting it."""


def encode_document(kind: str, key: str, value: Mapping[str, object]) -> str:
    """The document as ASCII text. Raises ValueError where it is not JSON, or too large for one of the stores."""
    for name in (kind, key):
        if not 0 < len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_LENGTH:
            raise ValueError(f"{kind}/{name[:80]}: a kind and a key have 1 to {MAX_NAME_LENGTH} bytes")
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_BYTES:
        raise ValueError(f"{kind}/{key}: {len(text)} bytes; a document has at most {MAX_BYTES}")
    return text


def decode_document(text: str) -> Mapping[str, object]:
    """What `encode_document` was given."""
    return cast("Mapping[str, object]", json.loads(text))
