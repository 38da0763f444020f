"""Whether a request comes from a page of ours: asked for every form that is posted and every socket that is opened."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def is_ours(headers: Mapping[str, str], public_url: str) -> bool:
    """The browser's own word (Sec-Fetch-Site) where it gives one; else the origin must be our address.

    `null` is no origin of ours: another site sends it from a page without referrer. A client that names neither is no
    browser, and has no cookies of anybody's. Our address is the Host, or `public_url` where a proxy puts another Host.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    return bool(_place(origin)) and _place(origin) in (headers.get("host", "").lower(), _place(public_url))


def _place(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
