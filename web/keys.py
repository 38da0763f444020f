"""The archive's two keys, where this installation keeps them: one seals, the other signs."""

from core.settings import Settings
from recordings.keys import FileKeyRing
from recordings.signing import FileSigner, PublicKeys, Signer


def key_ring(settings: Settings) -> FileKeyRing:
    """The key-encryption key, beside the data by default; made on first use. Raises UnsafeKeyFile."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return FileKeyRing(settings.data_dir / "archive.key")


def signer(settings: Settings) -> Signer:
    """The signing key; made where there never was one. Raises NoSigningKey, UnsafeKeyFile."""
    return FileSigner(settings.signing_key_file, settings.public_keys_dir)


def public_keys(settings: Settings) -> PublicKeys:
    """Of every key that ever signed here."""
    return PublicKeys.of_folder(settings.public_keys_dir)
