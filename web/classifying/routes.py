"""The suggestion that the intake page asks for while a clerk writes."""

from starlette.responses import JSONResponse, Response

from core.staff.rules import RECEPTIONIST, VERIFIER
from reception.classifier import agreement, rules
from reception.petitions import catalogue
from web.http import Context, Pages, staff

pages = Pages()
LEAST_LETTERS = 12


@pages.post("/intake/suggest", audience=staff(RECEPTIONIST, VERIFIER))
def suggest(ctx: Context) -> Response:
    """Types for a subject and text, likeliest first: {"types": [{"id", "code", "name", "group", "percent"}]}.

    Posted, so that nobody's words stand in an address. Empty without a model that is good enough, or with few words.
    """
    subject, body = (str(ctx.form.get(name) or "") for name in ("subject", "body"))
    model = agreement.load(ctx.settings.data_dir)
    if model is None or not model.about.on or len(subject) + len(body) < LEAST_LETTERS:
        return JSONResponse({"types": []})
    leaves = {leaf.code: (branch.type, leaf) for branch in catalogue.tree(ctx.session) for leaf in branch.leaves()}
    found = [(code, share) for code, share in rules.shown(model.suggest(subject, body)) if code in leaves]
    return JSONResponse(
        {
            "types": [
                {
                    "id": leaves[code][1].id,
                    "code": code,
                    "name": leaves[code][1].name(ctx.lang),
                    "group": leaves[code][0].name(ctx.lang),
                    "percent": round(share * 100),
                }
                for code, share in found
            ]
        }
    )
