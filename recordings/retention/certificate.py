"""The certificate of a destruction: two lines, as a manifest has them, signed by the same key.

Line 1 is a JSON object in canonical form (RFC 8785), line 2 `ed25519 <fingerprint> <signature>` over line 1 with its
line feed. It names what was destroyed by the hashes that a manifest has, with the key slot as zeros, so they are still
those of the files. Version 1 had `digest` in place of `sha256`, with the slot left out for files that lay here.
"""

import json
import re
from typing import Any

from recordings.proof.manifest import canonical
from recordings.signing import PublicKeys, Signer

FORMAT = "majlis destruction certificate"
VERSION = 2
KNOWN = (1, VERSION)
_SIGNATURE = re.compile(r"ed25519 ([0-9a-f]{64}) ([0-9a-f]{128})\n")


class NoCertificate(Exception):
    """It was altered, is none, or was signed by a key that is not ours."""


def sign(fields: dict[str, Any], signer: Signer) -> str:
    line = canonical({"format": FORMAT, "version": VERSION, "key": signer.fingerprint, **fields}) + b"\n"
    return line.decode() + f"ed25519 {signer.fingerprint} {signer.sign(line).hex()}\n"


def read(text: str, keys: PublicKeys) -> dict[str, Any]:
    """Its fields, if one of `keys` signed these very bytes. Raises NoCertificate."""
    line, feed, rest = text.partition("\n")
    found = _SIGNATURE.fullmatch(rest)
    if found is None or found[1] not in keys:
        raise NoCertificate("not a certificate of two lines, or signed by an unknown key")
    signed = (line + feed).encode()
    if not keys.verifies(found[1], bytes.fromhex(found[2]), signed):
        raise NoCertificate("the signature does not belong to this text")
    fields = glance(text)
    if (fields.get("format"), fields.get("key")) != (FORMAT, found[1]) or fields.get("version") not in KNOWN:
        raise NoCertificate("signed, but no certificate that this version knows")
    return fields


def glance(text: str) -> dict[str, Any]:
    """Believing everything: for showing, never for deciding. Raises NoCertificate."""
    line = text.partition("\n")[0]
    try:
        fields = json.loads(line)
        if isinstance(fields, dict) and canonical(fields).decode() == line:
            return fields
    except (ValueError, RecursionError):
        pass
    raise NoCertificate("not JSON in its canonical form")
