from urllib.parse import urlencode

from starlette.responses import Response

from core import audit
from core.staff.rules import ADMIN, AIDE, MANAGER, OFFICIAL
from reception.numbers import rules
from web.http import Context, Pages, staff
from web.ministry import sheets, view

pages = Pages()
lookers = staff(OFFICIAL, AIDE, MANAGER, ADMIN)


def _address(choices: view.Choices, **other: str) -> str:
    return "/ministry?" + urlencode(choices.query(**other))


@pages.get("/ministry", audience=lookers)
def index(ctx: Context) -> Response:
    shown = view.show(ctx, _address)
    query = urlencode(shown.choices.query())
    return ctx.render("ministry/index.html", shown=shown, query=query, periods=rules.PERIODS, few=rules.FEW)


@pages.get("/ministry.csv", audience=lookers)
def as_csv(ctx: Context) -> Response:
    return _file(ctx, "csv", "text/csv; charset=utf-8")


@pages.get("/ministry.xlsx", audience=lookers)
def as_xlsx(ctx: Context) -> Response:
    return _file(ctx, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def _file(ctx: Context, kind: str, media_type: str) -> Response:
    shown = view.show(ctx, _address)
    content = sheets.csv_of(ctx, shown).encode() if kind == "csv" else sheets.xlsx_of(ctx, shown)
    audit.note(ctx.session, "read", "numbers", kind, now=ctx.now, detail=shown.choices.query())
    name = f"majlis-{shown.numbers.first:%Y-%m-%d}-{shown.numbers.last:%Y-%m-%d}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
