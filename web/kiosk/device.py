"""The browser as a device of the centre, and what it needs while the server is away."""

from starlette.responses import PlainTextResponse, Response

from core.errors import NotFound
from core.language import DIRECTION, LANGUAGES, N_
from reception.centres.service import centre_by_code
from reception.kiosks import service as kiosks
from web.http import Context, Pages, everyone
from web.static_files import HERE

pages = Pages()
DEVICE_COOKIE = "majlis_kiosk"
WORKER = HERE / "static" / "js" / "kiosk-worker.js"
AWAY = (
    N_("This device can't reach the system just now"),
    N_("No number can be given at this moment. Please go to our staff at the reception desk: they give you a turn."),
    N_("Whoever has a number keeps it, and is called as before."),
    N_("The device goes on by itself as soon as it can."),
)
REMEMBERED = 400 * 24 * 3600  # seconds; browsers keep no cookie longer


def away_words(ctx: Context) -> list[dict[str, object]]:
    """In every language: nobody can change the language while nothing answers."""

    def texts(lang: str) -> list[str]:
        return [ctx.renderer.translations(lang).gettext(text) for text in AWAY]

    return [{"lang": lang, "dir": DIRECTION[lang], "texts": texts(lang)} for lang in LANGUAGES]


@pages.get("/kiosk/{centre}/device/{key}", audience=everyone)
def become_device(ctx: Context) -> Response:
    """Opened once on the device, from the administrator's page: from then on its printer is this one's."""
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    found = kiosks.by_key(ctx.session, ctx.path("key"))
    if found is None or found.centre_id != centre.id:
        raise NotFound("There is no such device.")
    ctx.cookies.append(
        {
            "key": DEVICE_COOKIE,
            "value": found.key,
            "max_age": REMEMBERED,
            "path": "/kiosk",
            "httponly": True,
            "samesite": "lax",
            "secure": ctx.settings.secure_cookies,
        }
    )
    return ctx.redirect(f"/kiosk/{centre.code}")


@pages.get("/kiosk/{centre}/alive", audience=everyone)
def alive(ctx: Context) -> Response:
    """Whether a ticket could be given now: the server answers, and its database too."""
    centre_by_code(ctx.session, ctx.path("centre"))
    return PlainTextResponse("alive", headers={"cache-control": "no-store"})


@pages.get("/kiosk/{centre}/away", audience=everyone)
def away(ctx: Context) -> Response:
    """What the device shows by itself while the server is away; the browser's worker keeps it for then."""
    centre = centre_by_code(ctx.session, ctx.path("centre"))
    return ctx.render("kiosk/away.html", centre=centre, away=away_words(ctx))


@pages.get("/kiosk/{centre}/worker.js", audience=everyone)
def worker(ctx: Context) -> Response:
    """From here, and not from /static: a service worker reaches no further than its own folder."""
    headers = {"cache-control": "no-cache", "service-worker-allowed": "/kiosk/"}
    return Response(WORKER.read_text(), media_type="text/javascript", headers=headers)
