"""espeak-ng, the default voice: a program of the system, asked for one clip at a time."""

import functools
import re
import shutil
import subprocess
import threading

VOICES = {"ar": ("ar", 132), "en": ("en-gb", 142)}  # voice, words a minute: a hall echoes, so slowly
PATIENCE_S = 5.0
_TURNS = threading.BoundedSemaphore(2)  # calls are few; a burst of them must not take every core

# Where the machine misreads what Arabic writes: a pause makes ـة an h; it swallows the double letter of six and of وَوَ.
_PAUSE = re.compile("ة(?![\u064b-\u0652])")
_SIX = re.compile("سِت([\u064b-\u0650])?ّ([\u064b-\u0650])?")


class NoVoice(Exception):
    """This machine can't speak: espeak-ng is missing or failed."""


@functools.cache
def version() -> str:
    """Empty where there is none. Asked once: who installs it starts Majlis again."""
    path = shutil.which("espeak-ng")
    if path is None:
        return ""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\d+\.\d+[\w.-]*", told.stdout)
    return f"espeak-ng {found[0] if found else '?'}"


def spoken(text: str) -> str:
    """The text spelled so that this voice says it right."""
    six = _SIX.sub(lambda m: f"سِتْت{m[1] or m[2] or ''}", text)
    return _PAUSE.sub("ه", six).replace("وَوَ", "وَ وَ")


def wave(lang: str, text: str) -> bytes:
    """A WAV file of the text. Raises NoVoice."""
    if not version():
        raise NoVoice("espeak-ng is not installed")
    voice, speed = VOICES[lang]
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", "42", "-g", "1", "-b", "1", "--stdin", "--stdout"]
    said = spoken(text) if lang == "ar" else text
    with _TURNS:
        try:
            made = subprocess.run(command, input=said.encode(), capture_output=True, timeout=PATIENCE_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoVoice(f"espeak-ng: {error}") from error
    if len(made.stdout) < 2000:  # a header and nothing said
        raise NoVoice(f"espeak-ng said nothing for {lang}: {made.stderr[:200]!r}")
    return made.stdout
