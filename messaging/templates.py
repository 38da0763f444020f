"""Every text the ministry sends, as data: its fields with their kinds, and its words in each language, Arabic first.

Nothing incomplete can be loaded: a text without a language, a field that is not declared, or a declared field that no
language uses is a `TemplateFault` at import. `samples` are realistic long values, for the parts shown before approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from core.language import DIRECTION, LANGUAGES
from messaging.rules import MOST_PARTS, Segments, segments

SERVICE, OTP, REMINDER = "service", "otp", "reminder"

# What a field of each kind may look like at its longest, by language; a link stands on its own in both directions.
SAMPLES: Mapping[str, Mapping[str, str]] = {
    "case": {"ar": "48-000123", "en": "48-000123"},
    "link": {"ar": "https://majlis.example/p/k7m2x9qd4w", "en": "https://majlis.example/p/k7m2x9qd4w"},
    "door": dict.fromkeys(("ar", "en"), "https://majlis.example/a/Kd93nVxRq7LmTz2WfYb8Hs"),
    "moment": {
        "ar": "الأربعاء ١٧ جمادى الأولى ١٤٤٨هـ (٢٨ أكتوبر ٢٠٢٦م) ١٠:٣٠ صباحًا",
        "en": "Wednesday 28 October 2026 (17 Jumada al-Ula 1448 AH), 10:30 am",
    },
    "place": {"ar": "مركز الرياض، طريق الملك فهد", "en": "Riyadh centre, King Fahd Road"},
    "code": {"ar": "k7m2x9qd", "en": "k7m2x9qd"},
    "department": {"ar": "الإدارة العامة لشؤون الوافدين", "en": "General Directorate for Residents"},
    "phone": {"ar": "8004399999", "en": "8004399999"},
    "label": {"ar": "A128", "en": "A128"},
    "count": {"ar": "٢", "en": "2"},
    "digits": {"ar": "482913", "en": "482913"},
}

LRM = "\u200e"
NUMBERED = ("case",)  # 48-000123 after an Arabic word shows as 000123-48 (UAX #9, rules W2 and W4) unless marked


class TemplateFault(Exception):
    """A template that must not reach anybody; raised while the program is loading."""


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    message_class: str
    fields: Mapping[str, str]  # name → kind, a key of SAMPLES
    words: Mapping[str, str]  # language → text with {fields}

    def __post_init__(self) -> None:
        if unknown := set(self.fields.values()) - set(SAMPLES):
            raise TemplateFault(f"{self.name}: no such kind of field: {', '.join(sorted(unknown))}")
        for language in LANGUAGES:
            if not self.words.get(language, "").strip():
                raise TemplateFault(f"{self.name}: has no text in “{language}”")
            used = {name for _, name, _, _ in Formatter().parse(self.words[language]) if name is not None}
            if used != set(self.fields):
                raise TemplateFault(f"{self.name}: fields of “{language}” differ: {sorted(used ^ set(self.fields))}")
            if (longest := self.sample(language)).count > MOST_PARTS:
                raise TemplateFault(f"{self.name}: takes {longest.count} parts in “{language}”")

    def render(self, language: str, values: Mapping[str, str]) -> str:
        """The text. Raises TemplateFault for a value missing, empty or too many: better no text than half of one."""
        empty = [name for name in self.fields if not str(values.get(name, "")).strip()]
        if empty or set(values) - set(self.fields):
            wrong = sorted({*empty, *(set(values) - set(self.fields))})
            raise TemplateFault(f"{self.name}: fields don't fit: {', '.join(wrong)}")
        language = language if language in LANGUAGES else LANGUAGES[0]
        if DIRECTION[language] == "rtl":
            values = {name: LRM + value if self.fields[name] in NUMBERED else value for name, value in values.items()}
        return self.words[language].format_map(values)

    def sample(self, language: str) -> Segments:
        """The text with long values, as it would travel."""
        return segments(self.render(language, {name: SAMPLES[kind][language] for name, kind in self.fields.items()}))


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
        "petition_closed",
        SERVICE,
        {"case": "case", "phone": "phone"},
        {
            "ar": "اكتمل طلبكم {case} وأُغلق. إن بقي لكم سؤال فاتصلوا مجانًا على {phone}.",
            "en": "Your petition {case} is complete and closed. For any question call free of charge: {phone}.",
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
)

TEMPLATES: Mapping[str, Template] = {template.name: template for template in _ALL}
