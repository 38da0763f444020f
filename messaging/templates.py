"""Every text the ministry sends, as data: the built-in words, which stand until others are approved (`wording/`)."""

from collections.abc import Mapping

from messaging.wording.form import (
    CAMPAIGN,
    CLASSES,
    HARMFUL,
    LRM,
    NUMBERED,
    OTP,
    REMINDER,
    REPLY,
    SAMPLES,
    SERVICE,
    Template,
    TemplateFault,
)
from messaging.wording.replies import REPLIES
from messaging.wording.waiting import WAITING

__all__ = [
    "CAMPAIGN",
    "CLASSES",
    "HARMFUL",
    "LRM",
    "NUMBERED",
    "OTP",
    "REMINDER",
    "REPLY",
    "SAMPLES",
    "SERVICE",
    "TEMPLATES",
    "Template",
    "TemplateFault",
]

_CASE = {"case": "case"}
_CASE_LINK = {"case": "case", "link": "link"}
_APPOINTMENT = {"when": "moment", "place": "place", "code": "code"}

_ALL = (
    Template(
        "petition_received",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "وصلنا طلبكم ورقمه {case}. تابعوه في أي وقت دون حضور: {link}",
            "en": "We have received your petition. Its number is {case}. Follow it at any time: {link}",
        },
    ),
    Template(
        "petition_routed",
        SERVICE,
        {"case": "case", "department": "department"},
        {
            "ar": "أُحيل طلبكم {case} إلى {department}. نخبركم بكل خطوة.",
            "en": "Your petition {case} has gone to: {department}. We will tell you of every step.",
        },
    ),
    Template(
        "petition_to_office",
        SERVICE,
        _CASE,
        {
            "ar": "رُفع طلبكم {case} إلى مكتب معالي الوزير. نخبركم بكل خطوة.",
            "en": "Your petition {case} has gone to the Minister's office. We will tell you of every step.",
        },
    ),
    Template(
        "petition_acknowledged",
        SERVICE,
        {"case": "case", "department": "department"},
        {
            "ar": "طلبكم {case} الآن لدى {department}، وقد بدأت دراسته.",
            "en": "Your petition {case} is now being studied by: {department}.",
        },
    ),
    Template(
        "visitor_asked",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "نحتاج منكم إلى معلومة لإكمال طلبكم {case}. اقرؤوا السؤال وأجيبوا هنا: {link}",
            "en": "We need something from you to go on with petition {case}. Read the question and answer here: {link}",
        },
    ),
    Template(
        "visitor_asked_at_centre",
        SERVICE,
        _CASE,
        {
            "ar": "نحتاج منكم إلى معلومة لإكمال طلبكم {case}. راجعوا مركزكم ومعكم الهوية، ففيه يُقرأ لكم السؤال.",
            "en": "We need something from you to go on with petition {case}. What it is, your centre tells you. "
            "Bring your identity card.",
        },
    ),
    Template(
        "petition_answered",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "صدر الرد على طلبكم {case}. اقرؤوه هنا: {link}",
            "en": "Your petition {case} has been answered. Read the answer here: {link}",
        },
    ),
    Template(
        "petition_answered_at_centre",
        SERVICE,
        _CASE,
        {
            "ar": "صدر الرد على طلبكم {case}. تستلمونه في مركزكم، فأحضروا الهوية.",
            "en": "Your petition {case} has been answered. The answer is given to you at your centre. "
            "Bring your identity card.",
        },
    ),
    Template(
        "petition_begun",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "بدأ موظف العمل على طلبكم {case}. تابعوه هنا: {link}",
            "en": "An officer has begun to work on your petition {case}. Follow it here: {link}",
        },
    ),
    Template(
        "petition_decided",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "اكتملت دراسة طلبكم {case}، ويُكتب الرد الآن. نخبركم فور صدوره: {link}",
            "en": "Your petition {case} has been studied, and the answer is being written. We tell you at once: {link}",
        },
    ),
    Template(
        "petition_returned",
        SERVICE,
        {"case": "case", "centre": "place", "phone": "phone"},
        {
            "ar": "ينقص طلبكم {case} شيء. راجعوا {centre} أو اتصلوا مجانًا على {phone} لتعرفوا ما هو.",
            "en": "Something is missing in your petition {case}. Ask at {centre}, or call free of charge: {phone}.",
        },
    ),
    Template(
        "petition_reply_received",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "وصلنا ردكم في الطلب {case}، والعمل عليه مستمر: {link}",
            "en": "We have your reply in petition {case}; the work goes on: {link}",
        },
    ),
    Template(
        "petition_reopened",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "أُعيد فتح طلبكم {case} للنظر فيه من جديد: {link}",
            "en": "Your petition {case} has been taken up again: {link}",
        },
    ),
    Template(
        "petition_urgent",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "طلبكم {case} يُعامل الآن معاملة عاجلة: {link}",
            "en": "Your petition {case} is now treated as urgent: {link}",
        },
    ),
    Template(
        "petition_closed",
        SERVICE,
        {"case": "case", "phone": "phone"},
        {
            "ar": "اكتمل طلبكم {case} وأُغلق. إن بقي لكم سؤال فاتصلوا مجانًا على {phone}.",
            "en": "Your petition {case} is complete and closed. For any question call free of charge: {phone}.",
        },
    ),
    Template(
        "petition_joined",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "ضُمّ طلبكم {case} إلى طلب آخر لكم، ويستمر النظر فيهما معًا: {link}",
            "en": "Your petition {case} has been joined to another one of yours, and both go on together: {link}",
        },
    ),
    Template(
        "appointment_video",
        SERVICE,
        _APPOINTMENT,
        {
            "ar": "لقاؤكم المرئي {when}، في {place}. رمز الموعد {code}",
            "en": "Your video meeting: {when}. Place: {place}. Code {code}",
        },
    ),
    Template(
        "appointment_audience",
        SERVICE,
        _APPOINTMENT,
        {
            "ar": "موعدكم مع الوزير {when}، في {place}. رمز الموعد {code}",
            "en": "Your audience with the Minister: {when}. Place: {place}. Code {code}",
        },
    ),
    Template(
        "appointment_moved",
        SERVICE,
        _APPOINTMENT,
        {
            "ar": "تغيّر موعدكم إلى {when}، في {place}. الرمز كما هو {code}",
            "en": "Your appointment has moved to {when}. Place: {place}. Same code {code}",
        },
    ),
    Template(
        "appointment_moved_holiday",
        SERVICE,
        _APPOINTMENT | {"holiday": "holiday"},
        {
            "ar": "بسبب {holiday} تغيّر موعدكم إلى {when}، في {place}. الرمز {code}",
            "en": "Because of {holiday} your appointment has moved to {when}. Place: {place}. Same code {code}",
        },
    ),
    Template(
        "appointment_clock",
        SERVICE,
        _APPOINTMENT,
        {
            "ar": "تتغيّر الساعة ويبقى موعدكم {when}، {place}. الرمز {code}",
            "en": "The clocks change; your appointment stays at {when}. Place: {place}. Code {code}",
        },
    ),
    Template(
        "appointment_cancelled",
        SERVICE,
        {"when": "moment", "phone": "phone"},
        {
            "ar": "أُلغي موعدكم الذي كان {when}. لموعد جديد اتصلوا مجانًا على {phone}.",
            "en": "Your appointment on {when} is cancelled. For a new one call free of charge: {phone}.",
        },
    ),
    Template(
        "appointment_link",
        SERVICE,
        {"link": "door"},
        {
            "ar": "لتأكيد موعدكم أو نقله: {link}",
            "en": "To confirm, move or cancel your appointment: {link}",
        },
    ),
    Template(
        "reminder_day",
        REMINDER,
        _APPOINTMENT,
        {
            "ar": "تذكير بموعدكم غدًا {when}، في {place}. رمز الموعد {code}",
            "en": "Your appointment is tomorrow, {when}. Place: {place}. Code {code}",
        },
    ),
    Template(
        "reminder_hours",
        REMINDER,
        _APPOINTMENT,
        {
            "ar": "اقترب موعدكم {when}، في {place}. رمز الموعد {code}",
            "en": "Your appointment is near: {when}. Place: {place}. Code {code}",
        },
    ),
    Template(
        "ticket_near",
        SERVICE,
        {"label": "label", "ahead": "count", "link": "link"},
        {
            "ar": "اقترب دوركم. رقمكم {label}، وعدد من قبلكم: {ahead}. تابعوا دوركم: {link}",
            "en": "Your turn is near. Your number: {label}. People before you: {ahead}. Follow it: {link}",
        },
    ),
    Template(
        "meeting_ended",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "شكرًا لحضوركم. حُفظ لقاؤكم بشأن الطلب {case}، وتتابعون ما يتم هنا: {link}",
            "en": "Thank you for coming. Your meeting about petition {case} is on record. Follow what is done: {link}",
        },
    ),
    Template(
        "directive_assigned",
        SERVICE,
        {"case": "case", "department": "department"},
        {
            "ar": "وجّه معالي الوزير بشأن طلبكم {case}، والتنفيذ لدى {department}.",
            "en": "The Minister has given an order about your petition {case}. To carry it out: {department}.",
        },
    ),
    Template(
        "directive_fulfilled",
        SERVICE,
        _CASE_LINK,
        {
            "ar": "نُفّذ توجيه معالي الوزير بشأن طلبكم {case}. خطوات طلبكم هنا: {link}",
            "en": "The Minister's order about your petition {case} has been carried out. Its steps: {link}",
        },
    ),
    *WAITING,
    *REPLIES,
    Template("campaign", CAMPAIGN, {"text": "words"}, {"ar": "{text}", "en": "{text}"}),
)

TEMPLATES: Mapping[str, Template] = {template.name: template for template in _ALL}
