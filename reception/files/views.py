"""A page of a paper as a picture, so that a PDF is read beside the form without being run by anybody's browser."""

import io

from PIL import Image, ImageOps

from core.errors import NotFound
from reception.files.pictures import FORMATS
from reception.files.rules import PDF

WIDEST = 1800  # points of the picture's longer side: fine print is read by looking closer, not by a larger file


def page(data: bytes, media_type: str, number: int) -> bytes:
    """Page `number` (from 1) as JPEG. Raises NotFound where there is none."""
    image = _drawn(data, number) if media_type == PDF else _opened(data, number)
    image.thumbnail((WIDEST, WIDEST))
    out = io.BytesIO()
    image.convert("L" if image.mode in ("1", "L") else "RGB").save(out, "JPEG", quality=82)
    return out.getvalue()


def _opened(data: bytes, number: int) -> Image.Image:
    if number != 1:
        raise NotFound
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        flat = ImageOps.exif_transpose(image)
        if flat.mode in ("RGBA", "LA", "P"):  # what is see-through is white, as on paper
            over = Image.new("RGB", flat.size, "white")
            over.paste(flat, mask=flat.convert("RGBA").getchannel("A"))
            return over
        return flat.copy()


def _drawn(data: bytes, number: int) -> Image.Image:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    if not 1 <= number <= len(document):
        raise NotFound
    sheet = document[number - 1]
    scale = min(2.2, WIDEST / max(1.0, *sheet.get_size()))
    drawn: Image.Image = sheet.render(scale=scale).to_pil()
    return drawn
