"""Petition types and the rules that send them somewhere, to read: changing them is not done on a screen yet."""

from sqlalchemy import select
from starlette.responses import Response

from reception.centres import setup
from reception.petitions.models import PetitionType, RoutingRule
from web.admin import words
from web.admin.common import admins, tabs
from web.http import Context, Pages

pages = Pages()


@pages.get("/admin/types", audience=admins)
def types(ctx: Context) -> Response:
    rows = list(ctx.session.scalars(select(PetitionType).order_by(PetitionType.place, PetitionType.code)))
    below: dict[str | None, list[PetitionType]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    in_order = [(one, depth) for root in below.get(None, []) for one, depth in [(root, 0), *_under(root, below, 1)]]
    return ctx.render(
        "admin/types.html",
        tab_items=tabs(ctx, "/admin/types"),
        types=in_order,
        type_names={row.code: row.name(ctx.lang) for row in rows},
        rules=list(ctx.session.scalars(select(RoutingRule).order_by(RoutingRule.active.desc(), RoutingRule.order))),
        departments={row.id: row.name(ctx.lang) for row in setup.every_department(ctx.session)},
        urgency=words.URGENCY,
        secrecy=words.SECRECY,
    )


def _under(
    parent: PetitionType, below: dict[str | None, list[PetitionType]], depth: int
) -> list[tuple[PetitionType, int]]:
    return [found for child in below.get(parent.id, []) for found in [(child, depth), *_under(child, below, depth + 1)]]
