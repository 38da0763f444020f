"""What may be handed in, and what becomes of it: every paper is taken apart and written anew by us.

Pure, from bytes to bytes. Nothing of the original file survives but its picture or its pages: no EXIF with the
visitor's home in it, no script, no second file appended behind the first.
"""

import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import magic
import pikepdf
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from core.errors import Mistake
from core.text import clean

PDF, JPEG, PNG, WEBP, TIFF = "application/pdf", "image/jpeg", "image/png", "image/webp", "image/tiff"
ALLOWED = (PDF, JPEG, PNG, WEBP, TIFF)
ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,.tif,.tiff"  # for the file field
SUFFIX = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png", WEBP: ".webp"}

MAX_PIXELS = 50_000_000  # an A4 page at 600 dpi has 35 million; more fills the memory for nothing
MAX_PAGES = 200
_BAD_NAMES = ("/OpenAction", "/AA", "/AcroForm", "/Collection")
_BAD_ACTIONS = {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/RichMedia"}
_BAD_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


@dataclass(frozen=True, slots=True)
class Paper:
    """A harmless copy: its name with the right ending, its media type, its bytes."""

    name: str
    media_type: str
    data: bytes


def inspect(name: str, data: bytes, *, limit: int) -> Paper:
    """The harmless copy of an upload. Raises Mistake (field `files`), naming the file and what is wrong with it."""
    shown = safe_name(name)
    if not data:
        raise Mistake("“{name}” is empty. Please scan or choose it again.", field="files", name=shown)
    if len(data) > limit:
        raise Mistake("“{name}” is too large: {max} MB at most.", field="files", name=shown, max=limit // (1024 * 1024))
    found = magic.from_buffer(data[:8192], mime=True)
    if found not in ALLOWED:
        raise Mistake(
            "“{name}” is not a paper or a picture, whatever its name says. PDF, JPEG, PNG, WebP and TIFF are taken.",
            field="files",
            name=shown,
        )
    kind, copy = (PDF, _pdf(shown, data)) if found == PDF else _image(shown, data)
    return Paper(PurePosixPath(shown).stem[:100] + SUFFIX[kind], kind, copy)


def safe_name(name: str) -> str:
    """The last part of a path from any system, without anything that a header or a folder would misread."""
    last = re.split(r"[\\/]", clean(name))[-1]
    kept = re.sub(r"[\x00-\x1f\"<>|:*?;%]", "", last).strip(". ")
    return kept[:120] or "paper"


def _image(name: str, data: bytes) -> tuple[str, bytes]:
    """Re-encoded upright and without metadata; a TIFF of several pages becomes a PDF. Sizes are checked unopened."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "TIFF")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            pages = getattr(image, "n_frames", 1)
            if image.format == "TIFF" and pages > 1:
                return PDF, _pages(image, min(pages, MAX_PAGES))
            return _encode(ImageOps.exif_transpose(image), image.format or "PNG")
    except Image.DecompressionBombError as error:
        raise Mistake("“{name}” has too many pixels. Scan it at 300 dpi.", field="files", name=name) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Mistake(
            "“{name}” is damaged and can't be opened. Please scan it again.", field="files", name=name
        ) from error


def _encode(image: Image.Image, source: str) -> tuple[str, bytes]:
    out = io.BytesIO()
    photo = source in ("JPEG", "WEBP") and image.mode not in ("RGBA", "LA", "P", "1")
    mode = ("L" if image.mode == "L" else "RGB") if photo else image.mode
    plain = image.convert(mode if mode in ("1", "L", "RGB", "RGBA") else "RGBA")
    plain.info.clear()  # comments, profiles and EXIF would be written along
    if photo:
        plain.save(out, "JPEG", quality=88, optimize=True)
        return JPEG, out.getvalue()
    plain.save(out, "PNG")
    return PNG, out.getvalue()


def _pages(image: Image.Image, count: int) -> bytes:
    out = io.BytesIO()
    frames = []
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if number >= count or frame.width * frame.height > MAX_PIXELS:
            break
        frames.append(frame.convert("1" if frame.mode == "1" else "RGB"))
    frames[0].save(out, "PDF", save_all=True, append_images=frames[1:], resolution=200)
    return out.getvalue()


def _pdf(name: str, data: bytes) -> bytes:
    """Saved anew without scripts, forms that act, attachments and metadata. Encrypted ones are refused."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if pdf.is_encrypted:
                raise Mistake(
                    "“{name}” is protected by a password. Print it to a new PDF and hand that in.",
                    field="files",
                    name=name,
                )
            if not len(pdf.pages) or len(pdf.pages) > MAX_PAGES:
                raise Mistake("“{name}” must have from 1 to {max} pages.", field="files", name=name, max=MAX_PAGES)
            _disarm(pdf)
            out = io.BytesIO()
            pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
            return out.getvalue()
    except pikepdf.PasswordError as error:
        raise Mistake(
            "“{name}” is protected by a password. Print it to a new PDF and hand that in.", field="files", name=name
        ) from error
    except (pikepdf.PdfError, ValueError, RuntimeError) as error:
        raise Mistake(
            "“{name}” is damaged and can't be opened. Please scan it again.", field="files", name=name
        ) from error


def _disarm(pdf: pikepdf.Pdf) -> None:
    root: Any = pdf.Root
    for key in _BAD_NAMES:
        if key in root:
            del root[key]
    if "/Names" in root:
        for key in ("/JavaScript", "/EmbeddedFiles", "/AlternatePresentations"):
            if key in root.Names:
                del root.Names[key]
    for key in ("/Metadata", "/PieceInfo"):
        if key in root:
            del root[key]
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    for page in pdf.pages:
        leaf: Any = page.obj
        for key in ("/AA", "/Metadata", "/PieceInfo"):
            if key in leaf:
                del leaf[key]
        if "/Annots" in leaf:
            leaf.Annots = pikepdf.Array([note for note in leaf.Annots if _harmless(note)])
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary):
            for key in ("/A", "/AA"):
                if key in thing and (key == "/AA" or not _calm(thing[key])):
                    del thing[key]
            if "/EF" in thing:
                del thing["/EF"]


def _harmless(note: Any) -> bool:
    if not isinstance(note, pikepdf.Dictionary):
        return False
    return str(note.get("/Subtype", "")) not in _BAD_ANNOTATIONS and ("/A" not in note or _calm(note["/A"]))


def _calm(action: Any) -> bool:
    """An action (or something else under the same key) that starts nothing."""
    if not isinstance(action, pikepdf.Dictionary):
        return True
    return str(action.get("/S", "")) not in _BAD_ACTIONS and "/JS" not in action and "/Next" not in action
