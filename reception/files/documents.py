"""PDFs saved anew without what acts by itself; a page of one as a picture. Pure, from bytes to bytes."""

import io
from typing import Any

import pikepdf

from core.errors import Mistake
from reception.files.rules import MAX_PAGES, PDF, damaged

_BAD_NAMES = ("/OpenAction", "/AA", "/AcroForm", "/Collection")
_BAD_ACTIONS = {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/RichMedia"}
_BAD_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}


def copy(name: str, data: bytes) -> tuple[str, bytes, int]:
    """Media type, bytes, pages: without scripts, forms that act, attachments and metadata. Raises Mistake."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if pdf.is_encrypted:
                raise _protected(name)
            count = len(pdf.pages)
            if not 1 <= count <= MAX_PAGES:
                raise Mistake("“{name}” must have from 1 to {max} pages.", field="files", name=name, max=MAX_PAGES)
            _disarm(pdf)
            out = io.BytesIO()
            pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
            return PDF, out.getvalue(), count
    except pikepdf.PasswordError as error:
        raise _protected(name) from error
    except (pikepdf.PdfError, ValueError, RuntimeError) as error:
        raise damaged(name) from error


def _protected(name: str) -> Mistake:
    return Mistake(
        "“{name}” is protected by a password. Print it to a new PDF and hand that in.", field="files", name=name
    )


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
