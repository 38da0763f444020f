"""One frozen Settings, built once at the composition root and handed down; nothing else reads the environment."""

import hmac
import secrets
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between installations. Environment: MAJLIS_<NAME>; docs/operations.md explains each."""

    model_config = SettingsConfigDict(env_prefix="MAJLIS_", frozen=True, extra="ignore")

    data_dir: Path = Path("var/majlis")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    secure_cookies: bool = False
    timezone: str = "Asia/Riyadh"
    weekend: tuple[int, ...] = (4, 5)  # Monday is 0: Friday and Saturday
    hotline_number: str = "8004399999"
    voice_ahead: int = 12  # so many numbers of each letter can be said before they are called; 0: nothing is made ahead

    media_urls: tuple[str, ...] = ()  # internal base address of each media process; empty: one is started by `run`
    media_url: str = ""  # of this media process, as it stands in media_urls; empty where there is but one
    media_processes: int = 0  # started by `run`; 0: one for each core but one
    media_spare: bool = False  # a media process that waits until `run` tells it whose place to take
    media_meetings: int = 0  # a media process takes no new meeting beyond so many; 0: as many as it can carry
    media_addresses: tuple[str, ...] = ()  # host candidates; empty: every interface of the machine
    media_ports: tuple[int, int] | None = None  # UDP range to open; a media process takes one port
    ice_servers: tuple[dict[str, str], ...] = ()
    turn_urls: tuple[str, ...] = ()  # turn:host:port?transport=tcp, turns:host:port, …
    turn_secret: str = Field(default="", repr=False)  # coturn's static-auth-secret

    sms_provider: str = "console"  # of texts, where no gateways are given
    sms_providers: str = Field(default="", repr=False)  # JSON list of gateways; docs/operations.md, "Texts"
    sms_senders: str = ""  # JSON object: class of text → the name it goes out under; "*" for the others
    sms_quiet: str = '{"campaign": [21, 8], "reminder": [22, 7]}'  # local hours in which such texts wait
    sms_pilot: bool = False  # only listed numbers get real texts, the others' are held
    sms_part_price: Decimal = Decimal(0)  # of one part, for previews of what texts cost; 0: costs are not shown
    sms_currency: str = "SAR"
    sms_receipt_hours: float = 72.0  # without a receipt by then, nobody knows what became of a text
    sms_keep_days: int = 365  # texts of no case (codes, answers, tickets, campaigns) and texts to us; 0: for ever
    sms_keep_receipt_days: int = 90  # receipts; what they told stays with the text
    upload_limit: int = 15 * 1024 * 1024  # bytes for each attachment
    clamd: str = ""  # the virus scanner: unix:/run/clamav/clamd.ctl or host:port; empty: there is none
    session_hours: int = 12

    signing_key: Path | None = None  # private key that signs recordings; needed by the worker alone

    storage_bucket: str = ""  # recordings go into this bucket, too; empty: the local folder alone
    storage_endpoint: str = ""  # of a store that is not AWS
    storage_region: str = ""
    storage_prefix: str = ""  # of every object's key
    storage_lock_days: int = 0  # nobody can delete an object before; the bucket must offer object lock
    storage_keep_days: float = 30.0  # local copies of what is in the bucket
    storage_keep_free: int = 20 * 1024**3  # bytes; below, local copies go before their time

    secret_hex: str = Field(default="", repr=False)

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'majlis.sqlite3'}"

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def recordings_dir(self) -> Path:
        return self.data_dir / "recordings"

    @property
    def exports_dir(self) -> Path:
        """Films made for somebody, sealed, until their end date; no part of the archive."""
        return self.data_dir / "exports"

    @property
    def signing_key_file(self) -> Path:
        return self.signing_key or self.data_dir / "signing.key"

    @property
    def public_keys_dir(self) -> Path:
        """Public halves of every key that ever signed recordings here."""
        return self.data_dir / "public-keys"

    @cached_property
    def secret(self) -> bytes:
        """Signs join tokens and internal calls (32 bytes); made on first use and kept beside the data, mode 0600."""
        if self.secret_hex:
            return bytes.fromhex(self.secret_hex)
        path = self.data_dir / "secret"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_hex(32))
            try:
                path.hardlink_to(fresh)
            except FileExistsError:  # another process was first: its secret is ours
                pass
            finally:
                fresh.unlink()
        return bytes.fromhex(path.read_text())

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret, so that no two uses share a key."""
        return hmac.digest(self.secret, purpose.encode(), "sha256")
