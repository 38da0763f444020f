from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Mistake, Refused
from messaging.rules import GSM7, UCS2
from messaging.templates import TEMPLATES
from messaging.wording import rules, service
from messaging.wording.models import Wording
from messaging.wording.states import DRAFT, IN_FORCE, REPLACED

FIELDS = {"case": "case", "link": "link"}
GOOD = {"ar": "طلبكم {case} وصل: {link}", "en": "Petition {case} is here: {link}"}


def messages(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(lack.language, lack.message) for lack in rules.lacks(words, FIELDS)]


def test_good_words_lack_nothing() -> None:
    assert rules.lacks(GOOD, FIELDS) == []


@pytest.mark.parametrize(
    ("changes", "language", "said"),
    [
        ({"en": ""}, "en", "The text is missing."),
        ({"en": "   \n"}, "en", "The text is missing."),
        ({"ar": "طلبكم {case}"}, "ar", "The field {name} does not stand in the text."),
        ({"en": GOOD["en"] + " {phone}"}, "en", "{name} is no field of this text."),
        ({"en": GOOD["en"] + " {"}, "en", "A brace stands alone. Braces only ever hold a field."),
        ({"en": GOOD["en"] + " {case!r}"}, "en", "A brace stands alone. Braces only ever hold a field."),
        ({"en": GOOD["en"] + " {case:>900}"}, "en", "A brace stands alone. Braces only ever hold a field."),
        ({"en": GOOD["en"] + " {case.__class__}"}, "en", "A brace stands alone. Braces only ever hold a field."),
        ({"ar": GOOD["ar"] + " كلمة" * 90}, "ar", "At its longest this takes {n} parts; {most} are allowed."),
    ],
)
def test_what_is_wrong_is_said_at_its_language(changes: dict[str, str], language: str, said: str) -> None:
    assert messages(GOOD | changes) == [(language, said)]


@pytest.mark.parametrize("harm", ["\u202e", "\u202d", "\u2067", "\x00", "\x1b", "\x07", "\x85", "\u2029"])
def test_what_turns_a_text_round_is_refused_not_removed(harm: str) -> None:
    with pytest.raises(Mistake, match="invisible character"):
        rules.written(f"Call 800{harm}4399999", field="en")


def test_lines_and_the_mark_that_keeps_numbers_in_order_may_stay() -> None:
    assert rules.written(" one\r\ntwo \u200e7 ", field="en") == "one\ntwo \u200e7"


def test_the_longest_case_is_shown_and_counted() -> None:
    arabic = rules.preview("ar", GOOD["ar"], FIELDS)
    assert "\u200e48-000123" in arabic.text and arabic.segments.encoding == UCS2
    english = rules.preview("en", "Petition {case} {what}", FIELDS)
    assert english.text == "Petition 48-000123 {what}"
    assert (english.segments.encoding, english.segments.units) == (GSM7, len("Petition 48-000123 what") + 2 * 2)


def test_what_it_costs() -> None:
    assert rules.cost(2, Decimal("0.045"), texts=1000) == Decimal("90.000")


def put(session: Session, now: datetime, words: dict[str, str] = GOOD, by: str = "first") -> Wording:
    row = service.write(session, "petition_received", words, by=by, now=now)
    service.propose(session, row.id, now=now)
    return service.approve(session, row.id, by="second", now=now)


def test_built_in_words_stand_until_two_people_have_agreed_to_others(session: Session, now: datetime) -> None:
    built_in = TEMPLATES["petition_received"]
    assert service.in_force(session, "petition_received") is built_in
    row = service.write(session, "petition_received", GOOD, by="first", now=now)
    assert service.in_force(session, "petition_received") is built_in
    service.propose(session, row.id, now=now)
    with pytest.raises(Refused, match="colleague"):
        service.approve(session, row.id, by="first", now=now)
    assert service.in_force(session, "petition_received") is built_in
    service.approve(session, row.id, by="second", now=now)
    given = {"case": "48-000123", "link": "https://m.example/p/1"}
    assert service.in_force(session, "petition_received").render("en", given) == (
        "Petition 48-000123 is here: https://m.example/p/1"
    )


@pytest.mark.parametrize("lacking", [{"en": ""}, {"ar": "طلبكم {case}"}])
def test_words_that_lack_a_language_or_a_field_can_be_kept_but_never_put_in_force(
    session: Session, now: datetime, lacking: dict[str, str]
) -> None:
    row = service.write(session, "petition_received", GOOD | lacking, by="first", now=now)
    assert row.state == DRAFT
    with pytest.raises(Mistake):
        service.propose(session, row.id, now=now)
    row.state = "proposed"  # as if a rule had let it through
    with pytest.raises(Mistake):
        service.approve(session, row.id, by="second", now=now)


def test_the_next_version_replaces_the_one_before(session: Session, now: datetime) -> None:
    first = put(session, now)
    second = put(session, now, GOOD | {"en": "Your case {case}: {link}"})
    assert (first.state, second.state, second.version) == (REPLACED, IN_FORCE, 2)
    assert [row.version for row in service.versions(session, "petition_received")] == [2, 1]


def test_only_one_version_can_ever_be_in_force(session: Session, now: datetime) -> None:
    put(session, now)
    rival = service.write(session, "petition_received", GOOD, by="first", now=now)
    rival.state = IN_FORCE
    with pytest.raises(IntegrityError):
        session.flush()


def test_who_rewrites_what_was_proposed_takes_the_proposal_back(session: Session, now: datetime) -> None:
    row = service.write(session, "petition_received", GOOD, by="first", now=now)
    service.propose(session, row.id, now=now)
    again = service.write(session, "petition_received", GOOD, by="third", now=now)
    assert (again.id, again.state, again.version, again.written_by) == (row.id, DRAFT, 1, "third")
    with pytest.raises(Refused):
        service.approve(session, row.id, by="second", now=now)


def test_words_that_a_newer_program_no_longer_fits_are_left_aside(session: Session, now: datetime) -> None:
    row = put(session, now)
    row.words = {"ar": "طلبكم {number}", "en": "Petition {number}"}
    session.flush()
    assert service.in_force(session, "petition_received") is TEMPLATES["petition_received"]


def test_the_words_in_force_are_what_leaves(session: Session, now: datetime) -> None:
    from messaging import service as outbox

    put(session, now)
    message = outbox.queue(
        session,
        to="+966501234567",
        template="petition_received",
        fields={"case": "48-000123", "link": "{case}"},  # a value that looks like a field is plain text
        language="en",
        subject=("petition", "p"),
        key="k",
        now=now,
    )
    assert message.body == "Petition 48-000123 is here: {case}"
