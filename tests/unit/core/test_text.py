from hypothesis import given
from hypothesis import strategies as st

from core.text import arabic_digits, clean, latin_digits, search_form


def test_spellings_of_one_name_meet_in_one_form() -> None:
    forms = {search_form(name) for name in ("أَحْمَد", "احمد", "أحمـــد", "إحمد")}
    assert forms == {"احمد"}
    assert search_form("فاطمة الهُدى") == search_form("فاطمه الهدي")


def test_digits_of_both_scripts_are_understood() -> None:
    assert latin_digits("٠٥٠۱۲٣") == "050123"
    assert arabic_digits("2026") == "٢٠٢٦"


@given(st.text())
def test_the_search_form_is_stable(text: str) -> None:
    once = search_form(text)
    assert search_form(once) == once


@given(st.text())
def test_cleaned_text_holds_no_control_characters_or_overrides(text: str) -> None:
    assert not set(clean(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\x00\n\t\x1b")


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert clean(" a\r\nb\u202e ", lines=True) == "a\nb"
