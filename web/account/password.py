"""One's own password: chosen after a sign-in with a first one, and changed with the old one at any time."""

from starlette.responses import Response

from core.staff import accounts, service
from core.staff.models import Staff
from web.account.opening import device_of, open_session
from web.forms import Form
from web.http import SESSION_COOKIE, Context, Pages, everyone, signed_in
from web.nav import home_of

pages = Pages()


@pages.get("/account/password", audience=signed_in)
def page(ctx: Context) -> Response:
    return ctx.render("account/password.html", form=Form(ctx))


@pages.post("/account/password", audience=signed_in)
def change(ctx: Context) -> Response:
    form = Form(ctx)
    old = _secret(ctx, form, "old_password")
    new = _chosen(ctx, form)
    if not form.errors:
        with form.catch():
            accounts.set_password(
                ctx.session,
                ctx.staff.id,
                old=old,
                new=new,
                keep_token=ctx.request.cookies.get(SESSION_COOKIE),
                address=ctx.session.info.get("address") or "",
                device=device_of(ctx),
                now=ctx.now,
            )
    if paused := form.errors.pop("password", None):  # too many attempts
        form.add("old_password", paused)
    if form.errors:
        ctx.session.commit()  # a wrong old password counts although the page answers with an error
        return ctx.render("account/password.html", status=422, form=_without_secrets(form))
    ctx.flash(ctx._("Your password is changed. Other devices have been signed out."))
    return ctx.redirect(home_of(ctx.staff.roles))


@pages.get("/sign-in/password", audience=everyone)
def first_page(ctx: Context) -> Response:
    staff = _newcomer(ctx)
    if staff is None:
        return ctx.redirect("/sign-in")
    return ctx.render("account/first_password.html", form=Form(ctx), person=staff.name(ctx.lang))


@pages.post("/sign-in/password", audience=everyone)
def choose(ctx: Context) -> Response:
    """The first password was proved a moment ago; its session opens this page and nothing else."""
    staff = _newcomer(ctx)
    if staff is None:
        return ctx.redirect("/sign-in")
    form = Form(ctx)
    new = _chosen(ctx, form)
    if not form.errors:
        ctx.session.info.update(actor_id=staff.id, actor_name=staff.username)
        with form.catch():
            accounts.choose_password(ctx.session, staff, new=new, now=ctx.now)
    if form.errors:
        form = _without_secrets(form)
        return ctx.render("account/first_password.html", status=422, form=form, person=staff.name(ctx.lang))
    open_session(ctx, staff)
    ctx.flash(ctx._("Your password is set. Welcome."))
    return ctx.redirect(home_of(staff.roles))


def _newcomer(ctx: Context) -> Staff | None:
    token = ctx.request.cookies.get(SESSION_COOKIE)
    return service.first_sign_in(ctx.session, token, now=ctx.now) if token else None


def _secret(ctx: Context, form: Form, field: str) -> str:
    """As typed: a password may begin with a space."""
    value = ctx.form.get(field)
    if not isinstance(value, str) or not value:
        form.add(field, ctx._("Please fill this in."))
        return ""
    return value


def _chosen(ctx: Context, form: Form) -> str:
    new, again = _secret(ctx, form, "new_password"), _secret(ctx, form, "again")
    if new and again and new != again:
        form.add("again", ctx._("The two passwords differ."))
    return new


def _without_secrets(form: Form) -> Form:
    """What was typed into a password field is never sent back."""
    form.values = {}
    return form
