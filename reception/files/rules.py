"""What may be handed in, and what becomes of it: every paper is taken apart and written anew by us.

Pure, from bytes to bytes. Nothing of the original file survives but its picture, its pages or its sound: no EXIF with
the visitor's home in it, no script, no second file appended behind the first. It runs in a process of its own that may
do nothing else (reading.py): what is wrong with a file is that process's trouble.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import magic

from core.errors import Mistake
from core.text import clean

PDF, JPEG, PNG, WEBP, TIFF = "application/pdf", "image/jpeg", "image/png", "image/webp", "image/tiff"
SOUND = "audio/webm"
ALLOWED = (PDF, JPEG, PNG, WEBP, TIFF)
ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,.tif,.tiff"  # for the file field
SUFFIX = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png", WEBP: ".webp", SOUND: ".webm"}

MAX_PIXELS = 50_000_000  # an A4 page at 600 dpi has 35 million; more fills the memory for nothing
MAX_PAGES = 200
MAX_PAPERS = 50  # of one form: more is an archive, and nobody reads it
MAX_NOTE_S = 600  # of a dictated note

_PROGRAMS = (
    "application/x-dosexec", "application/vnd.microsoft.portable-executable", "application/x-executable",
    "application/x-pie-executable", "application/x-sharedlib", "application/x-mach-binary", "application/x-msdownload",
    "application/java-archive", "application/x-java-applet", "text/x-shellscript", "text/x-msdos-batch",
    "application/vnd.android.package-archive", "application/x-ms-shortcut",
)  # fmt: skip
_ARCHIVES = (
    "application/zip", "application/gzip", "application/x-gzip", "application/x-bzip2", "application/x-xz",
    "application/x-7z-compressed", "application/x-rar", "application/vnd.rar", "application/x-tar", "application/zstd",
    "application/x-lzma", "application/vnd.ms-cab-compressed", "application/x-iso9660-image",
)  # fmt: skip
_OFFICE = ("application/vnd.openxmlformats", "application/vnd.ms-", "application/vnd.oasis", "application/msword",
           "application/x-ole-storage", "application/CDFV2", "text/rtf", "application/rtf")  # fmt: skip
_OFFICE_INSIDE = (b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis")  # an office document is an archive, too
_PHONES = ("image/heic", "image/heif", "image/avif")


@dataclass(frozen=True, slots=True)
class Paper:
    """A harmless copy: its name with the right ending, its media type, its bytes, its pages (seconds of a note)."""

    name: str
    media_type: str
    data: bytes
    pages: int = 1


def inspect(name: str, data: bytes, *, limit: int) -> Paper:
    """The harmless copy of an upload. Raises Mistake (field `files`), naming the file and what is wrong with it."""
    from reception.files import documents, pictures

    shown = safe_name(name)
    found = kind(shown, data, limit=limit)
    if found not in ALLOWED:
        raise refusal(shown, found)
    made, copy, pages = documents.copy(shown, data) if found == PDF else pictures.copy(shown, data)
    return Paper(titled(shown, made), made, copy, pages)


def kind(shown: str, data: bytes, *, limit: int) -> str:
    """The media type that the bytes themselves tell. Raises Mistake for an empty or too large file."""
    if not data:
        raise Mistake("“{name}” is empty. Please scan or choose it again.", field="files", name=shown)
    if len(data) > limit:
        raise Mistake("“{name}” is too large: {max} MB at most.", field="files", name=shown, max=limit // (1024 * 1024))
    if data.startswith((b"MZ", b"\x7fELF")):  # also one too broken for libmagic to name
        return _PROGRAMS[0]
    found = magic.from_buffer(data[:8192], mime=True)
    inside = found == "application/zip" and any(sign in data[:8192] for sign in _OFFICE_INSIDE)
    return _OFFICE[0] if inside else found


def refusal(shown: str, found: str) -> Mistake:
    """Why a file of this media type is not taken, and what to bring instead."""
    if found in _PROGRAMS:
        return Mistake(
            "“{name}” is a program, whatever its name says. It was not opened, and not kept.", field="files", name=shown
        )
    if found.startswith(_OFFICE):
        return Mistake(
            "“{name}” is an office document, which can carry macros. Save it as PDF and add that.",
            field="files",
            name=shown,
        )
    if found in _ARCHIVES:
        return Mistake(
            "“{name}” is an archive and was not unpacked. Add the papers in it one by one.", field="files", name=shown
        )
    if found in _PHONES:
        return Mistake(
            "“{name}” is a picture in a phone's own format. Take it again as JPEG, or scan it here.",
            field="files",
            name=shown,
        )
    return Mistake(
        "“{name}” is not a paper or a picture, whatever its name says. PDF, JPEG, PNG, WebP and TIFF are taken.",
        field="files",
        name=shown,
    )


def damaged(shown: str) -> Mistake:
    return Mistake("“{name}” is damaged and can't be opened. Please scan it again.", field="files", name=shown)


def titled(shown: str, media_type: str) -> str:
    """The name with the ending of what it became."""
    return PurePosixPath(shown).stem[:100] + SUFFIX[media_type]


def safe_name(name: str) -> str:
    """The last part of a path from any system, without anything that a header or a folder would misread."""
    last = re.split(r"[\\/]", clean(name))[-1]
    kept = re.sub(r"[\x00-\x1f\"<>|:*?;%]", "", last).strip(". ")
    return kept[:120] or "paper"
