"""The queue's codes in words. The kiosk, the hall and the phone say them the same way as the counter."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.calendar import digits
from core.language import N_
from queueing.tickets import places, queries, rules, service, states
from queueing.tickets.places import Place
from queueing.tickets.rules import Because

if TYPE_CHECKING:
    from web.http import Context

SECTIONS = {rules.MEN: N_("Men"), rules.WOMEN: N_("Women"), rules.FAMILY: N_("Families")}
SECTION_ICONS = {rules.MEN: "man", rules.WOMEN: "woman", rules.FAMILY: "family"}
CLASSES = {
    rules.REGULAR: N_("No special need"),
    rules.RETURNING: N_("Here again for the same matter"),
    rules.ELDERLY: N_("Elderly"),
    rules.DISABLED: N_("With a disability"),
    rules.DEAF: N_("Deaf or hard of hearing"),
    rules.PREGNANT: N_("Pregnant"),
    rules.INFANT: N_("With an infant"),
    rules.APPOINTMENT: N_("By appointment"),
}
CLASS_ICONS = {
    rules.ELDERLY: "elderly",
    rules.DISABLED: "wheelchair",
    rules.PREGNANT: "pregnant",
    rules.INFANT: "child",
    rules.DEAF: "ear",
    rules.RETURNING: "refresh",
    rules.APPOINTMENT: "calendar",
}
STATES = {
    states.WAITING: N_("Waiting"),
    states.CALLED: N_("Called"),
    states.SERVING: N_("Being served"),
    states.PARKED: N_("Set aside"),
    states.NO_SHOW: N_("Did not come"),
    states.FINISHED: N_("Finished"),
    states.CANCELLED: N_("Cancelled"),
}
PARKED = {
    "papers": N_("Fetches a paper"),
    "interpreter": N_("Waits for an interpreter"),
    "colleague": N_("Waits for a colleague"),
    "rest": N_("Rests or prays"),
    "other": N_("Another reason"),
}
WHY_NOT = {
    rules.NOT_YET: N_("The appointment's time has not come"),
    rules.OTHER_SECTION: N_("For another section"),
    rules.OTHER_SERVICE: N_("For another service"),
    rules.OTHER_LANGUAGE: N_("A colleague speaks this language"),
    rules.NEEDS_SIGN: N_("A colleague signs"),
}
# Spoken languages by their own names: nobody looks for their language in another.
LANGUAGES = {
    "ar": "العربية",
    "en": "English",
    "ur": "اردو",
    "id": "Bahasa Indonesia",
    "fil": "Filipino",
    "fr": "Français",
    "tr": "Türkçe",
}


def minutes(ctx: "Context", count: float) -> str:
    """`٧ دقائق` or `7 minutes`."""
    whole = round(count)
    return ctx.ngettext("{n} minute", "{n} minutes", whole).format(n=digits(whole, ctx.lang))


def wait_range(ctx: "Context", low: int, high: int) -> str:
    """The promised wait as one phrase."""
    if low <= 0:
        return ctx._("Less than {minutes}").format(minutes=minutes(ctx, high))
    text = ctx.ngettext("{low} to {high} minute", "{low} to {high} minutes", high)
    return text.format(low=digits(low, ctx.lang), high=digits(high, ctx.lang))


def ahead(ctx: "Context", place: int) -> str:
    """How many stand before whoever has this place (counted from 1), in the same words on every screen."""
    if place <= 1:
        return ctx._("Nobody is before you")
    return ctx.ngettext("{n} visitor before you", "{n} visitors before you", place - 1).format(
        n=digits(place - 1, ctx.lang)
    )


def told(ctx: "Context", ticket: Any) -> tuple[Place, bool]:
    """The ticket's place and wait as this page tells them, and whether an open counter takes it (else none is told).

    The range that is told first is kept, to see whether it holds. It is written once the page is made: nobody who wants
    to change something waits for a look into the future.
    """
    place = service.place_in_line(ctx.session, ticket, now=ctx.now)
    served = queries.is_served(ctx.session, ticket.centre_id, ticket.candidate(), now=ctx.now)
    if served and ctx.request.method == "GET" and service.untold(ticket):
        ctx.afterwards(lambda session: service.note_told(session, ticket.id, place, now=ctx.now))
    return place, served


def back_at(ctx: "Context", ticket: Any) -> datetime | None:
    """When the counter for this ticket is back, where every one that takes it is on a break."""
    return places.back_at(ctx.session, ticket.centre_id, ticket.service_point, section=ticket.section)


def because(ctx: "Context", why: Because) -> str:
    """One sentence that a visitor would accept."""
    said: dict[str, Any] = {
        "first": why.label,
        "other": why.than,
        "waited": minutes(ctx, why.waited),
        "other_waited": minutes(ctx, why.than_waited),
        "rate": digits(f"{why.rate:g}", ctx.lang),
        "other_rate": digits(f"{why.than_rate:g}", ctx.lang),
    }
    if said["waited"] == said["other_waited"]:  # "3 minutes against 3 minutes" would explain nothing
        alike = {
            rules.LONGEST: N_("{first} before {other}: waited a little longer."),
            rules.FASTER_RATE: N_(
                "{first} before {other}: with the same wait, each minute counts {rate} times, not {other_rate}."
            ),
        }
        if why.code in alike:
            return ctx._(alike[why.code]).format(**said)
    sentences = {
        rules.ONLY: N_("{first} is the only one waiting for this counter."),
        rules.URGENT: N_("{first} before {other}: an urgent case comes first."),
        rules.LONGEST: N_("{first} before {other}: waited longer ({waited} against {other_waited})."),
        rules.APPOINTED: N_(
            "{first} before {other}: in time for an appointment, which counts as {waited} × {rate},"
            " more than {other_waited} × {other_rate}."
        ),
        rules.FASTER_RATE: N_(
            "{first} before {other}: {waited} count {rate} times, more than {other_waited} × {other_rate}."
        ),
    }
    return ctx._(sentences[why.code]).format(**said)


def needs(ctx: "Context", ticket: Any) -> list[dict[str, str]]:
    """What the clerk should see at once, as badges: urgency, sign language, class, foreign language."""
    found = []
    if ticket.urgent:
        found.append({"label": ctx._("Urgent"), "tone": "urgent", "icon": "bolt"})
    if ticket.appointment_id:
        found.append({"label": ctx._("By appointment"), "tone": "good", "icon": "calendar"})
    if ticket.sign_language:
        found.append({"label": ctx._("Sign language"), "tone": "info", "icon": "sign-language"})
    if ticket.visitor_class != rules.REGULAR:
        icon = CLASS_ICONS.get(ticket.visitor_class, "heart")
        found.append({"label": ctx._(CLASSES[ticket.visitor_class]), "tone": "wait", "icon": icon})
    if ticket.language != "ar":
        name = LANGUAGES.get(ticket.language, ticket.language)
        found.append({"label": name, "tone": "info", "icon": "language"})
    return found
