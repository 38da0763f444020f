"""Commands as people spell them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.inbound import rules, words
from messaging.inbound.rules import Command, parse

SPELT = {
    words.STATUS: ("حالة", "حاله", "حالة الطلب", "الحالة", "لو سمحت ابي حالة طلبي", "وين طلبي؟", "Status", "STATUS!",
                   "case", "please track", "statsu", "استعلم", "استـعـلام", "حَالَة"),
    words.CONFIRM: ("تأكيد", "تاكيد", "تآكيد", "أؤكد", "اؤكد", "تأكيد الحضور", "سأحضر", "confirm", "CONFIRM", "confrim",
                    "confirmm", "I will come", "التأكيد"),
    words.CANCEL: ("إلغاء", "الغاء", "الإلغاء", "ألغي", "إلغاء الموعد", "الغاء موعدي", "لن أحضر", "cancel", "Cancel.",
                   "cancle", "I want to cancel my appointment", "can't come"),
    words.MOVE: ("تغيير", "تأجيل", "نقل الموعد", "موعد آخر", "أجّل", "move", "reschedule", "reshedule", "postpone"),
    words.ACCEPT: ("قبول", "أقبل", "موافق", "يناسبني", "accept", "acept", "I accept"),
    words.DECLINE: ("رفض", "أعتذر", "لا يناسبني", "decline", "declne", "no thanks"),
    words.YES: ("نعم", "نعم.", "أيوه", "تمام", "yes", "YES", "ok", "نعم شكرا"),
    words.NO: ("لا", "لا شكرا", "no", "No."),
    words.ARABIC: ("عربي", "العربية", "بالعربي", "Arabic", "language arabic", "لغة العربية"),
    words.ENGLISH: ("English", "إنجليزي", "انجليزي", "الإنجليزية", "انقليزي", "لغة انجليزية", "language: english"),
    words.CENTRE: ("مركز", "أقرب مركز", "اقرب مركز الرياض", "وين المركز", "centre", "nearest center", "CENTER Jeddah"),
    words.HELP: ("مساعدة", "مساعده", "؟", "?", "help", "HELP ME", "السلام عليكم", "مرحبا", "Hello"),
    words.STOP: ("إيقاف", "ايقاف", "أوقف", "قف", "توقف", "STOP", "stop", "Stop please", "إلغاء الاشتراك",
                 "unsubscribe"),
    words.START: ("اشتراك", "ابدأ", "إبدأ", "start", "START"),
    words.CALL: ("اتصال", "اتصلوا بي", "كلموني", "call me", "CALL"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in SPELT.items() for text in texts])
def test_a_command_is_understood_however_it_is_spelt(name: str, text: str) -> None:
    assert parse(text).name == name


@pytest.mark.parametrize(
    "text",
    ["48-000123", "٤٨-٠٠٠١٢٣", "48000123", "٤٨٠٠٠١٢٣", "status 48-000123", "حالة الطلب ٤٨-٠٠٠١٢٣", "48–000123 وين وصل؟",
     "۴۸-۰۰۰۱۲۳", "طلبي رقم 48 000123"],
)  # fmt: skip
def test_a_case_number_is_found_in_either_script(text: str) -> None:
    assert (parse(text).name, parse(text).case) == (words.STATUS, "48-000123")


@pytest.mark.parametrize("text", ["0501234567", "1234567890", "رقم هويتي ١٠٠٠٠٠٠٠٠٨"])
def test_another_number_is_no_case(text: str) -> None:
    assert parse(text).case == ""


@pytest.mark.parametrize("text", ["أرسلت الورقة أمس", "what is this", "stpo", "yess ma'am", "👍", "ستوووب"])
def test_what_is_no_command_is_not_taken_for_one(text: str) -> None:
    assert parse(text).name in (words.UNKNOWN, words.EMPTY)


def test_a_slip_never_stops_or_answers_for_somebody() -> None:
    """What can't be undone by sending another word is done only for the word itself."""
    for word in ("stopp", "strat", "ايقف", "englsh", "arabc"):
        assert parse(word).name == words.UNKNOWN, word


def test_the_city_behind_a_centre_is_kept() -> None:
    assert parse("أقرب مركز جدة لو سمحت") == Command(words.CENTRE, "", "جده")


@pytest.mark.parametrize("text", ["", "   ", "\u200f", "!!!", "..."])
def test_nothing_is_nothing(text: str) -> None:
    assert parse(text).name == words.EMPTY


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    command = parse(text)
    assert command.name in {*words.WORDS, words.UNKNOWN, words.EMPTY}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("cancel", "cancle", True), ("cancel", "cancl", True), ("cancel", "canncel", True), ("cancel", "cancer", True),
     ("cancel", "cancel", True), ("cancel", "cnacle", False), ("cancel", "can", False), ("confirm", "conform", True)],
)  # fmt: skip
def test_one_slip(one: str, other: str, near: bool) -> None:
    assert rules.one_slip(one, other) is near and rules.one_slip(other, one) is near


def test_the_hour_of_a_number_begins_with_its_first_text(now: datetime) -> None:
    started, count = None, 0
    for minute in range(rules.MOST):
        started, count = rules.window(started, count, now=now + timedelta(minutes=minute))
    assert not rules.too_many(count)
    started, count = rules.window(started, count, now=now + timedelta(minutes=59))
    assert rules.too_many(count) and started == now
    assert rules.window(started, count, now=now + rules.WITHIN) == (now + rules.WITHIN, 1)


def test_a_question_waits_for_half_an_hour(now: datetime) -> None:
    until = now + rules.DIALOGUE
    assert rules.still_asked(rules.ASK_CANCEL, until, now=until - timedelta(seconds=1)) == rules.ASK_CANCEL
    assert rules.still_asked(rules.ASK_CANCEL, until, now=until) == ""
    assert rules.still_asked("something of a newer version", until, now=now) == ""
