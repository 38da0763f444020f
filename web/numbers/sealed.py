"""A short word that a browser keeps for us and can't read: AES-256-GCM, each time another, as long as the word is."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12  # bytes


def seal(word: str, key: bytes) -> str:
    nonce = secrets.token_bytes(NONCE)
    return urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, word.encode(), None)).decode().rstrip("=")


def opened(kept: str, key: bytes) -> str | None:
    """The word; None for whatever we didn't seal."""
    try:
        raw = urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], None).decode()
    except (ValueError, InvalidTag):  # not ASCII, no base64, too short, or not ours
        return None
