"""Front door, sign-in, language, style guide; passwords are in password.py."""

from starlette.responses import Response

from core.language import LANGUAGES
from core.staff import service
from core.staff.models import Staff
from reception.centres import service as centres_service
from web.account import password
from web.account.opening import device_of, open_session
from web.forms import Form
from web.http import LANGUAGE_COOKIE, SESSION_COOKIE, Context, Pages, everyone, signed_in
from web.nav import home_of

pages = Pages(password.pages)


@pages.get("/", audience=everyone)
def front_door(ctx: Context) -> Response:
    if ctx.me:
        return ctx.redirect(home_of(ctx.me.roles))
    return ctx.render("account/front.html", centres=centres_service.centres(ctx.session))


@pages.get("/sign-in", audience=everyone)
def sign_in_page(ctx: Context) -> Response:
    if ctx.me:
        return ctx.redirect(_local(ctx.query.get("next", "")) or home_of(ctx.me.roles))
    return ctx.render("account/sign_in.html", form=Form(ctx), next=_local(ctx.query.get("next", "")))


@pages.post("/sign-in", audience=everyone)
def sign_in(ctx: Context) -> Response:
    form = Form(ctx)
    username = form.text("username", max=80)
    secret = str(ctx.form.get("password") or "")
    if not secret:
        form.add("password", ctx._("Please fill this in."))
    staff: Staff | None = None
    if not form.errors:
        with form.catch("password"):
            staff = service.check_password(
                ctx.session,
                username,
                secret,
                address=ctx.session.info.get("address") or "",
                device=device_of(ctx),
                now=ctx.now,
            )
            if staff is None:
                form.add("password", ctx._("The sign-in name or the password is wrong."))
    next_url = _local(str(ctx.form.get("next") or ""))
    if staff is None:
        ctx.session.commit()  # failed attempts count although the page answers with an error
        return ctx.render("account/sign_in.html", status=422, form=form, next=next_url)
    open_session(ctx, staff)
    if staff.must_change_password:
        return ctx.redirect("/sign-in/password")
    return ctx.redirect(next_url or home_of(staff.roles))


@pages.post("/sign-out", audience=everyone)
def sign_out(ctx: Context) -> Response:
    if token := ctx.request.cookies.get(SESSION_COOKIE):
        service.sign_out(ctx.session, token, now=ctx.now)
    response = ctx.redirect("/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@pages.get("/language/{lang}", audience=everyone)
def language(ctx: Context) -> Response:
    lang = ctx.path("lang")
    if lang in LANGUAGES:
        ctx.cookies.append(
            {
                "key": LANGUAGE_COOKIE,
                "value": lang,
                "max_age": 365 * 86400,
                "samesite": "lax",
                "secure": ctx.settings.secure_cookies,
            }
        )
    return ctx.redirect(_local(ctx.query.get("back", "")) or "/")


@pages.get("/welcome", audience=signed_in)
def welcome(ctx: Context) -> Response:
    return ctx.render("account/welcome.html")


@pages.get("/styleguide", audience=everyone)
def styleguide(ctx: Context) -> Response:
    return ctx.render("styleguide.html")


def _local(url: str) -> str:
    """Only an address of our own; anything else is dropped (no open redirects)."""
    return url if url.startswith("/") and not url.startswith(("//", "/\\")) else ""
