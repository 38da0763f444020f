"""Our own browser files and those that npm brought, all from our own origin."""

from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).parent
NPM = HERE.parent / "node_modules"
VENDOR = {
    "ibm-plex-sans-arabic": NPM / "@fontsource/ibm-plex-sans-arabic/files",
    "socket.io": NPM / "socket.io-client/dist",
    "uplot": NPM / "uplot/dist",
}


class Cached(StaticFiles):
    """Fonts and libraries change only with a release; our own files are revalidated by ETag."""

    def __init__(self, directory: Path, cache: str) -> None:
        super().__init__(directory=directory, check_dir=False)
        self.cache = cache

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = self.cache
        return response


def static_routes() -> list[BaseRoute]:
    vendor: list[BaseRoute] = [
        Mount(f"/static/vendor/{name}", Cached(folder, "public, max-age=604800")) for name, folder in VENDOR.items()
    ]
    return [*vendor, Mount("/static", Cached(HERE / "static", "no-cache"))]
