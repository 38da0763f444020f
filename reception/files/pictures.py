"""Pictures written anew: upright, without metadata; several scanned pages become one PDF. Pure, from bytes to bytes."""

import io
from collections.abc import Iterator

from PIL import Image, ImageFile, ImageOps, ImageSequence, UnidentifiedImageError

from core.errors import Mistake
from reception.files.rules import JPEG, MAX_PAGES, MAX_PIXELS, PDF, PNG, damaged

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
_DPI = 200


def copy(name: str, data: bytes) -> tuple[str, bytes, int]:
    """Media type, bytes, pages. A TIFF of several pages becomes a PDF. Sizes are checked unopened. Raises Mistake."""
    _strictly()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check(image)
            pages = min(getattr(image, "n_frames", 1), MAX_PAGES)
            if image.format == "TIFF" and pages > 1:
                return PDF, _bound(list(_frames(image, pages))), pages
            return *_encode(ImageOps.exif_transpose(image), image.format or "PNG"), 1
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(name) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise damaged(name) from error


def bind(name: str, scanned: list[bytes]) -> tuple[str, bytes, int]:
    """One PDF of pages taken one after the other by a camera. Raises Mistake."""
    _strictly()
    pages = []
    try:
        for data in scanned[:MAX_PAGES]:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                _check(image)
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.info.clear()
                pages.append(upright)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(name) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise damaged(name) from error
    if not pages:
        raise Mistake("“{name}” has no page yet. Take a picture of the first one.", field="files", name=name)
    return PDF, _bound(pages), len(pages)


def _strictly() -> None:
    """Half a picture is a damaged one: libraries that print change this for the whole process."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False


def _check(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError


def _too_many_pixels(name: str) -> Mistake:
    return Mistake("“{name}” has too many pixels. Scan it at 300 dpi.", field="files", name=name)


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


def _frames(image: Image.Image, count: int) -> Iterator[Image.Image]:
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if number >= count or frame.width * frame.height > MAX_PIXELS:
            return
        yield frame.convert("1" if frame.mode == "1" else "RGB")


def _bound(pages: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    more = {} if any(page.mode == "1" for page in pages) else {"quality": 85}
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=_DPI, **more)
    return out.getvalue()
