"""Clips: made once, kept on disk under a hash of what they were made from, fetched by addresses that only we give out.

A ministry's own recordings come first, where they are complete for a phrase; else espeak-ng speaks; else nobody does
and the hall rings alone. An address carries the hash (so a browser may keep the clip for ever) and a proof that it is
ours (so a stranger can't have the machine speak all day).
"""

import hashlib
import hmac
import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.settings import Settings
from web.voice import engine, sound
from web.voice.phrases import Phrase, parse

log = structlog.get_logger()
RECIPE = "1"  # raise it when clips are made differently
MEDIA_TYPE = "audio/mpeg"
KINDS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a")
GAP_MS = 90  # between recorded pieces
_CHIME = "chime"


@dataclass
class Voice:
    """`recordings` holds ar/ and en/ with the ministry's own pieces, and chime.*; `cache` what was made."""

    recordings: Path
    cache: Path
    key: bytes
    _making: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _digests: dict[Path, tuple[int, int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Voice":
        return cls(settings.data_dir / "voice", settings.data_dir / "voice-cache", settings.key("voice"))

    def speaks(self, lang: str) -> bool:
        """Whether anything at all can be said in this language here."""
        return bool(engine.version()) or (self.recordings / lang).is_dir()

    def address(self, phrase: Phrase | None) -> str | None:
        """Where a screen fetches the clip; None where nobody here can say it. Makes nothing."""
        if phrase is None:
            return None
        content = self._content(phrase)
        return self._address(phrase.name, content) if content else None

    def chime_address(self) -> str | None:
        """The ministry's own chime, if there is one; the screen has its own otherwise."""
        path = self._recorded("", _CHIME)
        return self._address(_CHIME, self._hash(_CHIME, self._digest(path))) if path else None

    def file(self, name: str) -> Path | None:
        """The clip of an address that we gave out, made now if it isn't there; None for any other name."""
        stem, _, proof = name.removesuffix(".mp3").rpartition(".")
        what, _, _content = stem.rpartition(".")
        if not name.endswith(".mp3") or not hmac.compare_digest(proof.encode(), self._proof(stem).encode()):
            return None
        if what == _CHIME:
            return self._chime()
        phrase = parse(what)
        return self.clip(phrase) if phrase else None

    def clip(self, phrase: Phrase) -> Path | None:
        """The file, made if it isn't there. None where nobody can say it."""
        content = self._content(phrase)
        if not content:
            return None
        path = self.cache / f"{content}.mp3"
        if path.exists():
            return path
        with self._making[content]:
            if not path.exists():
                try:
                    self._keep(path, self._made(phrase))
                except (engine.NoVoice, sound.BadSound) as error:
                    log.warning("voice: cannot be said", phrase=phrase.name, error=str(error))
                    return None
        self._making.pop(content, None)
        return path

    def has(self, phrase: Phrase) -> bool:
        content = self._content(phrase)
        return content is not None and (self.cache / f"{content}.mp3").exists()

    def problems(self) -> list[str]:
        """Recordings that can't be read, for the doctor."""
        found = []
        for path in sorted(self.recordings.rglob("*")):
            if path.is_file() and path.suffix.lower() in KINDS:
                try:
                    sound.read(path)
                except sound.BadSound as error:
                    found.append(f"{path.relative_to(self.recordings)}: {error}")
        return found

    def _made(self, phrase: Phrase) -> bytes:
        recorded = self._pieces(phrase)
        if recorded:
            parts = [sound.levelled(sound.trimmed(sound.read(path))) for path in recorded]
            return sound.mp3(sound.joined(parts, gap_ms=GAP_MS))
        spoken = sound.read(engine.wave(phrase.lang, phrase.text))
        return sound.mp3(sound.levelled(sound.trimmed(spoken)))

    def _chime(self) -> Path | None:
        source = self._recorded("", _CHIME)
        if source is None:
            return None
        path = self.cache / f"{self._hash(_CHIME, self._digest(source))}.mp3"
        if not path.exists():
            try:
                self._keep(path, sound.mp3(sound.levelled(sound.trimmed(sound.read(source)))))
            except sound.BadSound as error:
                log.warning("voice: the chime can't be read", error=str(error))
                return None
        return path

    def _keep(self, path: Path, octets: bytes) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.write_bytes(octets)
        fresh.replace(path)  # never half a clip under its name

    def _content(self, phrase: Phrase) -> str | None:
        """A hash of all that the clip is made from."""
        recorded = self._pieces(phrase)
        if recorded:
            return self._hash(phrase.name, *(self._digest(path) for path in recorded))
        if not engine.version():
            return None
        return self._hash(phrase.lang, engine.version(), str(engine.VOICES[phrase.lang]), phrase.text)

    def _pieces(self, phrase: Phrase) -> list[Path]:
        """The recordings of all its pieces, or none: two voices in one sentence would confuse."""
        found = [self._recorded(phrase.lang, piece) for piece in phrase.pieces]
        return [path for path in found if path] if all(found) else []

    def _recorded(self, lang: str, piece: str) -> Path | None:
        folder = self.recordings / lang
        return next((path for kind in KINDS if (path := folder / f"{piece}{kind}").is_file()), None)

    def _digest(self, path: Path) -> str:
        """Of a recording's content, so that two machines with the same recordings give the same address."""
        stat = path.stat()
        known = self._digests.get(path)
        if known is None or known[:2] != (stat.st_mtime_ns, stat.st_size):
            known = (stat.st_mtime_ns, stat.st_size, hashlib.sha256(path.read_bytes()).hexdigest())
            self._digests[path] = known
        return known[2]

    def _hash(self, *parts: str) -> str:
        return hashlib.sha256("\n".join((RECIPE, *parts)).encode()).hexdigest()[:32]

    def _proof(self, stem: str) -> str:
        return hmac.digest(self.key, stem.encode(), "sha256").hex()[:24]

    def _address(self, name: str, content: str) -> str:
        stem = f"{name}.{content[:12]}"
        return f"/hall/voice/{stem}.{self._proof(stem)}.mp3"


_VOICES: dict[Path, Voice] = {}


def voice_of(settings: Settings) -> Voice:
    """One for each data folder in a process: it knows what is being made."""
    return _VOICES.setdefault(settings.data_dir, Voice.of(settings))
