import pytest

from core.language import LANGUAGES
from messaging.rules import GSM7
from messaging.templates import LRM, SERVICE, TEMPLATES, Template, TemplateFault

LONG = ("waitlist_offer", "waitlist_earlier", "appointment_moved_holiday")  # two times each, or a name and a time


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_what_it_has_to_in_two_parts(template: Template, language: str) -> None:
    """Three parts cost half as much again and often arrive torn; a long place name may still take one more.

    An offer must say when, where and until when: in Arabic that is three.
    """
    assert template.sample(language).count <= (3 if template.name in LONG else 2)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=str)
def test_english_texts_stay_in_the_cheap_alphabet(template: Template) -> None:
    assert template.sample("en").encoding == GSM7


def words(**more: str) -> dict[str, str]:
    return {"ar": "طلبكم {case}", "en": "Your petition {case}", **more}


def test_a_template_without_a_language_is_not_loaded() -> None:
    with pytest.raises(TemplateFault, match="no text in “en”"):
        Template("x", SERVICE, {"case": "case"}, {"ar": "طلبكم {case}"})


def test_a_template_whose_languages_say_different_things_is_not_loaded() -> None:
    with pytest.raises(TemplateFault, match="fields of “en”"):
        Template("x", SERVICE, {"case": "case"}, words(en="Your petition"))


def test_a_template_with_a_field_of_no_kind_is_not_loaded() -> None:
    with pytest.raises(TemplateFault, match="kind of field"):
        Template("x", SERVICE, {"case": "number plate"}, words())


def test_a_template_as_long_as_a_letter_is_not_loaded() -> None:
    with pytest.raises(TemplateFault, match="parts"):
        Template("x", SERVICE, {"case": "case"}, words(ar="طلبكم {case} " + "كلمة " * 100))


@pytest.mark.parametrize("values", [{}, {"case": " "}, {"case": "1", "more": "2"}])
def test_half_a_text_is_not_written(values: dict[str, str]) -> None:
    with pytest.raises(TemplateFault, match="fields don't fit"):
        Template("x", SERVICE, {"case": "case"}, words()).render("ar", values)


def test_what_a_value_contains_is_not_read_as_a_field() -> None:
    assert Template("x", SERVICE, {"case": "case"}, words()).render("en", {"case": "{0}{x}"}) == "Your petition {0}{x}"


def test_an_unknown_language_is_answered_in_arabic() -> None:
    assert Template("x", SERVICE, {"case": "case"}, words()).render("fr", {"case": "7"}) == f"طلبكم {LRM}7"


def test_a_case_number_keeps_its_order_among_arabic_words() -> None:
    """Without the mark a phone shows 48-000123 as 000123-48: digits after Arabic letters are laid right to left."""
    template = Template("x", SERVICE, {"case": "case"}, words())
    assert template.render("ar", {"case": "48-000123"}) == "طلبكم \u200e48-000123"
    assert template.render("en", {"case": "48-000123"}) == "Your petition 48-000123"


@pytest.mark.parametrize("harm", ["\u202e", "\u2066", "\x07", "\x1b", "\u2028", "\ud83d"])
def test_a_value_turns_no_text_round_and_rings_no_bell(harm: str) -> None:
    template = Template("x", SERVICE, {"case": "case"}, words())
    assert template.render("en", {"case": f"48{harm}-7"}) == "Your petition 48-7"
    with pytest.raises(TemplateFault, match="fields don't fit"):
        template.render("en", {"case": harm})


def test_every_text_has_a_name_for_those_who_look_after_it() -> None:
    from messaging.templates import CLASSES
    from web.messages.titles import CLASS_TITLES, TITLES

    assert set(TITLES) == set(TEMPLATES) and set(CLASS_TITLES) == set(CLASSES)
    assert {template.message_class for template in TEMPLATES.values()} == set(CLASSES)
