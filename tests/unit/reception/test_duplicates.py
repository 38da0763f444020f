"""Whether the matter at the counter is an open petition already, and why one may think so."""

from datetime import UTC, datetime, timedelta

import pytest

from reception.duplicates import rules, service
from reception.duplicates.rules import Matter
from reception.parties import service as parties
from reception.parties.rules import PETITIONER
from reception.parties.service import Person
from reception.petitions import service as petitions
from reception.petitions import verification
from reception.petitions.rules import SECRET
from tests.unit.reception.conftest import Ministry

NOW = datetime(2026, 10, 27, 9, tzinfo=UTC)
WORDS = "ألتمس نقل كفالتي من الشركة بعد أن تأخرت الرواتب ستة أشهر"


def matter(**more: object) -> Matter:
    values = {"people": frozenset({"a"}), "type_id": "t", "group_id": "g", "words": WORDS, "at": NOW}
    return Matter(**(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "reasons"),
    [
        ({}, ("same_person", "same_type", "very_alike", "recent")),
        ({"words": "x"}, ("same_person", "same_type", "recent")),
        ({"type_id": "u", "words": "أطلب نقل الكفالة لأن الشركة لم تدفع الرواتب منذ أشهر"},
         ("same_person", "same_group", "alike", "recent")),
        ({"type_id": "u", "group_id": "h", "at": NOW - timedelta(days=8)}, ("same_person", "very_alike")),
        ({"people": frozenset({"b"})}, ()),
    ],
)  # fmt: skip
def test_every_reason_is_named(old: dict, reasons: tuple[str, ...]) -> None:
    points, found = rules.likeness(
        matter(), matter(at=NOW - timedelta(days=1), **old) if "at" not in old else matter(**old)
    )
    assert found == reasons
    assert points == sum(rules.WEIGHTS[reason] for reason in reasons)


def test_spelling_makes_no_other_matter_and_a_few_words_make_none() -> None:
    assert rules.overlap("اعتراض على المخالفة المرورية", "إعتراضٌ علي المخالفه المروريه") == 1.0
    assert rules.overlap(WORDS, "أطلب زيارة أخي في السجن قبل العيد") < 0.2
    assert rules.overlap("نعم", "نعم") == 0.0


def test_the_same_matter_is_found_while_it_is_open_and_no_strangers_ever(ministry: Ministry) -> None:
    clerk = ministry.staff["receptionist"]
    visitor = ministry.visitor()
    first = ministry.petition(visitor=visitor)
    stranger = ministry.petition(visitor=ministry.visitor(phone="0551111111"))
    ask = {
        "people": {visitor.id},
        "type_id": first.type_id,
        "subject": first.subject,
        "body": "تكررت المخالفة نفسها",
        "now": ministry.now + timedelta(hours=1),
    }
    found = service.likely(ministry.session, clerk, **ask)
    assert [one.petition.id for one in found] == [first.id] and stranger.id != first.id
    other_type = ministry.type("release").id
    unlike = ask | {"type_id": other_type, "subject": "زيارة", "body": "أطلب زيارة أخي في السجن قبل العيد"}
    assert service.likely(ministry.session, clerk, **unlike) == []
    verification.verify(ministry.session, first.id, staff_id=ministry.id("verifier"), now=ministry.now)
    officer = {"staff_id": ministry.id("officer"), "now": ministry.now}
    petitions.acknowledge(ministry.session, first.id, **officer)
    petitions.answer(ministry.session, first.id, text="Done", **officer)
    assert service.likely(ministry.session, clerk, **ask) == [], (
        "a settled one is no duplicate: it may be taken up again"
    )


def test_who_stands_beside_in_one_finds_it_too(ministry: Ministry) -> None:
    clerk = ministry.staff["receptionist"]
    first = ministry.petition()
    wife = ministry.visitor("هند السالم", "0550000001")
    parties.add(ministry.session, first, [Person(wife, PETITIONER)], now=ministry.now)
    ask = {"type_id": first.type_id, "subject": "", "body": "", "now": ministry.now}
    found = service.likely(ministry.session, clerk, people={wife.id}, **ask)
    assert [one.petition.id for one in found] == [first.id]
    assert service.likely(ministry.session, clerk, people=set(), **ask) == []


def asked(ministry: Ministry, who: str, person: str, code: str) -> tuple[list[str], list[str]]:
    """What this member of staff is shown whole, and what they are only told to be there."""
    ask = {"type_id": ministry.type(code).id, "subject": "", "body": "", "now": ministry.now}
    staff = ministry.staff[who]
    shown = service.likely(ministry.session, staff, people={person}, **ask)
    told = service.elsewhere(ministry.session, staff, people={person})
    return [one.petition.id for one in shown], [one.petition_id for one in told]


def test_a_colleagues_secret_case_is_not_even_hinted_at(ministry: Ministry) -> None:
    visitor = ministry.visitor()
    secret = ministry.petition("threat", visitor=visitor)
    far = ministry.petition("threat", visitor=visitor, centre_id=ministry.jeddah.id)
    assert secret.confidentiality == far.confidentiality == SECRET
    assert asked(ministry, "receptionist", visitor.id, "threat") == ([secret.id], []), "taken in by herself"
    secret.received_by = far.received_by = ministry.id("verifier")
    for who in ("receptionist", "far-receptionist"):
        assert asked(ministry, who, visitor.id, "threat") == ([], [])
    assert asked(ministry, "manager", visitor.id, "threat") == ([secret.id], [])


def test_of_another_centres_case_it_is_told_that_there_is_one_whatever_is_asked_for(ministry: Ministry) -> None:
    first = ministry.petition("violation")
    wife = ministry.visitor("هند السالم", "0550000001")
    parties.add(ministry.session, first, [Person(wife, PETITIONER)], now=ministry.now)
    stranger = ministry.visitor(phone="0551111111")
    for code in ("violation", "threat", "retribution"):
        for person in (first.visitor_id, wife.id):
            assert asked(ministry, "far-receptionist", person, code) == ([], [first.id]), "its type can't be tried out"
        assert asked(ministry, "far-receptionist", stranger.id, code) == ([], [])
    assert asked(ministry, "receptionist", wife.id, "violation") == ([first.id], [])
    assert service.elsewhere(ministry.session, ministry.staff["far-receptionist"], people=set()) == []
