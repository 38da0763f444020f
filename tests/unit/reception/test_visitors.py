import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.audit import AuditEntry
from core.errors import Mistake
from core.text import arabic_digits
from reception.visitors import names, rules, service
from reception.visitors.models import Visitor
from tests.unit.reception.conftest import Ministry, identity


@given(st.integers(0, 99_999_999), st.sampled_from([1, 2]))
def test_a_number_with_a_right_check_digit_is_taken_in_either_script(serial: int, first: int) -> None:
    number = identity(serial, first)
    assert rules.identity_number(number) == number
    assert rules.identity_number(arabic_digits(number)) == number


@given(st.integers(0, 99_999_999), st.integers(1, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(serial: int, place: int, by: int) -> None:
    number = identity(serial)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    with pytest.raises(Mistake):
        rules.identity_number(wrong)


@pytest.mark.parametrize(
    "number", ["", "123", "12345678901", "0123456789", "3" + "0" * 9, "10000000AB", "１００００００００８"]
)
def test_other_things_are_no_identity_number(number: str) -> None:
    with pytest.raises(Mistake) as mistake:
        rules.identity_number(number)
    assert mistake.value.field == "identity_number"


@pytest.mark.parametrize(
    "typed",
    ["0501234567", "501234567", "050 123 4567", "966501234567", "+966501234567", "00966501234567",
     "+9660501234567", "٠٥٠١٢٣٤٥٦٧", "(050) 123-4567", "\u202a+966 50 123 4567\u202c"],
)  # fmt: skip
def test_a_mobile_number_at_home_is_understood_however_it_is_written(typed: str) -> None:
    assert rules.phone(typed) == "+966501234567"


def test_fixed_lines_and_numbers_abroad_are_understood() -> None:
    assert rules.phone("0112345678") == "+966112345678"
    assert rules.phone("+20 10 1234 5678") == "+201012345678"


@pytest.mark.parametrize("typed", ["", "123", "05012345", "050123456789", "call me", "+0123456789", "0701234567"])
def test_what_cannot_be_called_is_refused(typed: str) -> None:
    with pytest.raises(Mistake):
        rules.phone(typed)


def test_the_same_identity_number_is_the_same_person(ministry: Ministry) -> None:
    number = identity(77)
    first = service.register(
        ministry.session, identity_number=number, name="نورة عبد الله", phone="0501111111", now=ministry.now
    )
    again = service.register(
        ministry.session,
        identity_number=arabic_digits(number),
        name="نورة عبدالله القحطاني",
        phone="0502222222",
        language="en",
        now=ministry.now,
    )
    assert again.id == first.id
    assert (again.phone, again.language) == ("+966502222222", "en")
    assert ministry.session.query(Visitor).filter_by(identity_number=number).count() == 1


def test_a_change_keeps_in_the_trail_what_it_was_and_shows_nobodys_number_there(ministry: Ministry) -> None:
    known = ministry.visitor("نورة بنت عبدالله القحطاني", "0501111134")
    service.register(
        ministry.session,
        identity_number=known.identity_number,
        name=known.name,
        phone="0502222299",
        now=ministry.now,
    )
    rows = ministry.session.query(AuditEntry).filter_by(subject_id=known.id, action="change").all()
    assert [row.detail for row in rows] == [
        {"fields": ["phone"], "phone": {"old": "+966•••••••34", "new": "+966•••••••99"}}
    ]
    assert rules.covered("name", "نورة القحطاني") == "ن••• ا•••"


def test_who_is_named_in_somebody_elses_form_stays_as_they_are(ministry: Ministry) -> None:
    known = ministry.visitor("هند بنت سعد العتيبي", "0555555555")
    details = {"name": "رجل آخر تماما", "phone": "0599999999", "language": "en", "now": ministry.now}
    found = service.known_or_new(ministry.session, identity_number=known.identity_number, **details)
    assert (found.id, found.name, found.phone, found.language) == (
        known.id,
        "هند بنت سعد العتيبي",
        "+966555555555",
        "ar",
    )
    new = service.known_or_new(ministry.session, identity_number=identity(8_001), **details)
    assert (new.name, new.phone) == ("رجل آخر تماما", "+966599999999")
    assert service.search(ministry.session, "رجل تماما") == [new]


@pytest.mark.parametrize(
    ("typed", "same"),
    [("هند العتيبي", True), ("Hind Saad Alotaibi", True), ("سعد العتيبي", True), ("هند القحطاني", False)],
)
def test_two_names_may_be_one_persons(typed: str, same: bool) -> None:
    assert rules.akin("هند بنت سعد العتيبي", typed) is same


@pytest.mark.parametrize(
    "typed", ["نورة", "نوره عبدالله", "عبد الله القحطاني", "قحطاني نورة", "نُورَة", "نورة بنت عبدالله"]
)
def test_a_name_is_found_however_it_is_spelled(ministry: Ministry, typed: str) -> None:
    wanted = ministry.visitor("نورة بنت عبدالله القحطاني", "0503333333")
    ministry.visitor("نوف بنت سعد الشمري", "0504444444")
    assert [found.id for found in service.search(ministry.session, typed)] == [wanted.id]


NAMES = ("محمد خالد الحربي", "محمد بن محمد القحطاني", "خالد المحمدي", "نورة محمد الحرب", "خالد سعود القحطاني")


@pytest.mark.parametrize("rare", [0, 2_000], ids=["read through", "looked up"])
def test_who_has_all_the_words_is_found_whichever_way_they_are_sought(
    ministry: Ministry, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    """Held against the plain meaning: each typed word begins one of the name; whole words first, then the newest."""
    monkeypatch.setattr(names, "RARE", rare)
    people = [
        service.register(ministry.session, identity_number=identity(n), name=name, phone="0501111111", now=ministry.now)
        for n, name in enumerate(NAMES)
    ]
    written = {person.id: rules.name_words(person.name) for person in people}
    typed = ("محمد", "خالد", "حرب", "محمد خالد", "خالد قحط", "محم", "حرب محمد", "قحطاني سعود خالد", "سعود حرب", "م ق")
    for text in typed:
        words = rules.name_words(text)
        begun = {one for one, own in written.items() if all(any(w.startswith(word) for w in own) for word in words)}
        whole = {one for one in begun if set(words) <= set(written[one])}
        wanted = sorted(whole, reverse=True) + sorted(begun - whole, reverse=True)
        assert names.having(ministry.session, words, 20) == wanted, text
        assert names.having(ministry.session, words, 1) == wanted[:1], text
    assert names.having(ministry.session, [], 20) == []


@pytest.mark.parametrize("typed", ["سالم الق", "سالم القح", "القحط"])
def test_a_word_just_begun_with_its_article_is_found(ministry: Ministry, typed: str) -> None:
    service.register(
        ministry.session, identity_number=identity(8), name="سالم القحطاني", phone="0501111111", now=ministry.now
    )
    assert [person.name for person in service.search(ministry.session, typed)] == ["سالم القحطاني"]


def test_a_changed_name_is_found_under_the_new_one_only(ministry: Ministry) -> None:
    visitor = ministry.visitor("خالد سعيد", "0505555555")
    service.register(
        ministry.session,
        identity_number=visitor.identity_number,
        name="خالد الغامدي",
        phone=visitor.phone,
        now=ministry.now,
    )
    assert service.search(ministry.session, "سعيد") == []
    assert service.search(ministry.session, "غامدي") == [visitor]


def test_a_phone_shared_by_a_family_finds_them_all_and_names_no_single_one(ministry: Ministry) -> None:
    ministry.visitor("سالم الحربي", "0506666666")
    ministry.visitor("فاطمة الحربي", "0506666666")
    assert len(service.search(ministry.session, "٠٥٠٦٦٦٦٦٦٦")) == 2
    assert service.find(ministry.session, "0506666666") is None


def test_nothing_typed_finds_nobody(ministry: Ministry) -> None:
    ministry.visitor()
    for typed in ("", "   ", "%", "_", "'", "123"):
        assert service.search(ministry.session, typed) == []
