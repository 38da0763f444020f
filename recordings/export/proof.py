"""What goes with a film: two lines that say which film was made of which recording, signed by the archive's key.

Line 1 is a JSON object in canonical form (RFC 8785), line 2 `ed25519 <fingerprint> <signature>` over line 1 with its
line feed. Whoever has the film, these lines and the public key can tell that this very file left the archive.
"""

import json
import re
from typing import Any

from recordings.proof.manifest import canonical
from recordings.signing import PublicKeys, Signer

FORMAT = "majlis film"
VERSION = 1
MOST_BYTES = 64_000
_LINE = re.compile(r"ed25519 ([0-9a-f]{64}) ([0-9a-f]{128})\n")


class NoProof(Exception):
    """Altered, none, or signed by a key that is not among the known ones."""


def sign(fields: dict[str, Any], signer: Signer) -> str:
    """`fields`: export, recording, manifest, media_type, size, sha256 (of the film in clear), made_at."""
    line = canonical({"format": FORMAT, "version": VERSION, "key": signer.fingerprint, **fields}) + b"\n"
    return line.decode() + f"ed25519 {signer.fingerprint} {signer.sign(line).hex()}\n"


def read(text: str, keys: PublicKeys) -> dict[str, Any]:
    """Its fields, if one of `keys` signed these very bytes. Raises NoProof."""
    line, feed, rest = text.partition("\n")
    found = _LINE.fullmatch(rest)
    if found is None or found[1] not in keys:
        raise NoProof("not two lines, or signed by an unknown key")
    if not keys.verifies(found[1], bytes.fromhex(found[2]), (line + feed).encode()):
        raise NoProof("the signature does not belong to this text")
    try:
        fields = json.loads(line)
        canon = canonical(fields).decode() == line
    except (ValueError, RecursionError):
        raise NoProof("not JSON in its canonical form") from None
    if not canon or not isinstance(fields, dict) or fields.get("key") != found[1]:
        raise NoProof("signed, but not in its canonical form")
    if (fields.get("format"), fields.get("version")) != (FORMAT, VERSION):
        raise NoProof("signed, but no proof of a film that this version knows")
    return fields


def signature(text: str) -> str:
    """The signature alone, as it stands in the audit trail."""
    return text.splitlines()[1].split(" ")[2]
