"""The archive's two keys, where this installation keeps them: one seals, the other signs."""

from pathlib import Path

from core.settings import Settings
from recordings.keys import FileKeyRing
from recordings.rotation import needed
from recordings.signing import FileSigner, PublicKeys, Signer


def key_ring(settings: Settings) -> FileKeyRing:
    """The key-encryption key, beside the data by default; made where nothing was sealed yet. Raises UnsafeKeyFile."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return FileKeyRing(archive_key(settings), may_make=lambda: not needed(settings.recordings_dir, settings.files_dir))


def archive_key(settings: Settings) -> Path:
    return settings.data_dir / "archive.key"


def key_lost(settings: Settings) -> bool:
    """There are recordings or papers, and not the key that they need: nothing can be recorded until it is back."""
    return not archive_key(settings).exists() and needed(settings.recordings_dir, settings.files_dir)


def signer(settings: Settings) -> Signer:
    """The signing key; made where there never was one. Raises NoSigningKey, UnsafeKeyFile."""
    return FileSigner(settings.signing_key_file, settings.public_keys_dir)


def public_keys(settings: Settings) -> PublicKeys:
    """Of every key that ever signed here."""
    return PublicKeys.of_folder(settings.public_keys_dir)
