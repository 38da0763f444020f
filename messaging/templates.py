"""Every text the ministry sends, as data: its fields with their kinds, and its words in each language, Arabic first.

Nothing incomplete can be loaded: a text without a language, a field that is not declared, or a declared field that no
language uses is a `TemplateFault` at import. `samples` are realistic long values, for the parts shown before approval.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from core.language import DIRECTION, LANGUAGES
from messaging.rules import MOST_PARTS, Segments, segments

SERVICE, OTP, REMINDER = "service", "otp", "reminder"
REPLY = "reply"  # an answer to a text that the person sent: it is waited for, and STOP doesn't silence it
CAMPAIGN = "campaign"  # to many at once, and only to who wants such texts
CLASSES = (OTP, REPLY, SERVICE, REMINDER, CAMPAIGN)

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
    "status": {
        "ar": "ننتظر منكم معلومة، والسؤال في صفحة طلبكم",
        "en": "waiting for your answer to a question",
    },
    "places": {"ar": "الرياض، جدة، الدمام، أبها، تبوك، حائل", "en": "Riyadh, Jeddah, Dammam, Abha, Tabuk, Hail"},
    "words": {
        "ar": "يُغلق مركز الرياض يوم الخميس القادم للصيانة، ونستقبلكم في بقية المراكز كالمعتاد. نعتذر عن الإزعاج.",
        "en": "The Riyadh centre is closed for repairs next Thursday. All other centres are open as usual. We apologise.",
    },
}

LRM = "\u200e"
HARMFUL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and the marks that turn the order of what follows round (UAX #9): no text has a use for them."""
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
        empty = [name for name in self.fields if not HARMFUL.sub("", str(values.get(name, ""))).strip()]
        if empty or set(values) - set(self.fields):
            wrong = sorted({*empty, *(set(values) - set(self.fields))})
            raise TemplateFault(f"{self.name}: fields don't fit: {', '.join(wrong)}")
        language = language if language in LANGUAGES else LANGUAGES[0]
        values = {name: HARMFUL.sub("", str(value)) for name, value in values.items()}
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
    Template(
        "one_time_code",
        OTP,
        {"code": "digits"},
        {
            "ar": "رمزكم في مجلس: {code}. صالح عشر دقائق، ولا يطلبه منكم أحد.",
            "en": "Your Majlis code: {code}. It is valid for ten minutes. Nobody will ask you for it.",
        },
    ),
    Template(
        "reply_help",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "أرسلوا: «حالة» ورقم الطلب، أو «تأكيد» أو «نقل» أو «إلغاء» لموعدكم، أو «مركز» والمدينة، أو «إيقاف». "
            "ومجانًا: {phone}",
            "en": "Send STATUS and the case number; CONFIRM, MOVE or CANCEL for your appointment; CENTRE and a city; "
            "ARABIC; CALL; or STOP. Free of charge: {phone}",
        },
    ),
    Template(
        "reply_unknown",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "لم نفهم رسالتكم. نفهم: «حالة» ورقم الطلب، «تأكيد»، «نقل»، «إلغاء»، «مركز»، «اتصال»، «إيقاف». "
            "ومجانًا: {phone}",
            "en": "We did not understand. We know STATUS and a case number, CONFIRM, MOVE, CANCEL, CENTRE, CALL, STOP. "
            "Free of charge: {phone}",
        },
    ),
    Template(
        "reply_verify",
        REPLY,
        {"link": "link"},
        {
            "ar": "حفظًا لخصوصيتكم نجيب عن هذا من رقم موثّق فقط. وثّقوا رقمكم في أي مركز أو هنا: {link}",
            "en": "To protect you we answer this only to a verified number. Verify yours at any centre or here: {link}",
        },
    ),
    Template(
        "reply_status",
        REPLY,
        {"case": "case", "status": "status", "link": "link"},
        {
            "ar": "طلبكم {case}: {status}. التفاصيل: {link}",
            "en": "Your petition {case}: {status}. More: {link}",
        },
    ),
    Template(
        "reply_no_case",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "لم نجد لرقمكم طلبًا بهذا الرقم. تأكدوا منه، أو اتصلوا مجانًا على {phone}.",
            "en": "We found no such petition for your number. Please check it, or call free of charge: {phone}.",
        },
    ),
    Template(
        "reply_confirmed",
        REPLY,
        {"when": "moment"},
        {
            "ar": "شكرًا لكم. أكدتم حضوركم {when}.",
            "en": "Thank you. We expect you: {when}.",
        },
    ),
    Template(
        "reply_cancel_sure",
        REPLY,
        {"when": "moment"},
        {
            "ar": "هل نلغي موعدكم {when}؟ أرسلوا «نعم» للإلغاء أو «لا» لإبقائه.",
            "en": "Cancel your appointment on {when}? Send YES to cancel it or NO to keep it.",
        },
    ),
    Template(
        "reply_kept",
        REPLY,
        {"when": "moment"},
        {
            "ar": "موعدكم باقٍ كما هو: {when}.",
            "en": "Your appointment stays as it is: {when}.",
        },
    ),
    Template(
        "reply_no_appointment",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "ليس لرقمكم موعد قادم يمكن تغييره. للاستفسار اتصلوا مجانًا على {phone}.",
            "en": "There is no coming appointment for your number that can be changed. Call free of charge: {phone}.",
        },
    ),
    Template(
        "reply_no_offer",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "لا يوجد عرض بموعد ينتظر جوابكم، أو انتهت مدته. للاستفسار اتصلوا مجانًا على {phone}.",
            "en": "No offer waits for your answer, or its time is over. Call free of charge: {phone}.",
        },
    ),
    Template(
        "reply_declined",
        REPLY,
        {},
        {
            "ar": "شكرًا لجوابكم. بقيتم في قائمة الانتظار، ونعرض عليكم الموعد التالي المناسب.",
            "en": "Thank you for telling us. You stay on the waiting list, and we will offer you the next time that fits.",
        },
    ),
    Template(
        "reply_centre",
        REPLY,
        {"place": "place", "phone": "phone"},
        {
            "ar": "مركزكم: {place}. للاستفسار اتصلوا مجانًا على {phone}.",
            "en": "Your centre: {place}. For any question call free of charge: {phone}.",
        },
    ),
    Template(
        "reply_which_city",
        REPLY,
        {"places": "places"},
        {
            "ar": "في أي مدينة أنتم؟ أرسلوا اسمها وحده. مراكزنا: {places}",
            "en": "In which city are you? Send its name alone. Our centres: {places}",
        },
    ),
    Template(
        "reply_language",
        REPLY,
        {},
        {
            "ar": "نراسلكم بالعربية من الآن. To change: ENGLISH",
            "en": "From now on we write to you in English. To change, send: ARABIC",
        },
    ),
    Template(
        "reply_stopped",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "أوقفنا رسائلنا إلى رقمكم، وطلباتكم ومواعيدكم كما هي. للعودة أرسلوا «اشتراك»، وللاستفسار: {phone}",
            "en": "We write to you no more. Your petitions and appointments stand. To undo, send START. Questions: {phone}",
        },
    ),
    Template(
        "reply_started",
        REPLY,
        {},
        {
            "ar": "أهلًا بكم من جديد. عدنا إلى إبلاغكم بكل خطوة في طلباتكم ومواعيدكم.",
            "en": "Welcome back. We tell you again of every step of your petitions and appointments.",
        },
    ),
    Template(
        "reply_call",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "وصلتنا رسالتكم، ويتصل بكم أحد موظفينا. ورقمنا المجاني {phone}.",
            "en": "We have your message, and one of us will call you. Our free number: {phone}.",
        },
    ),
    Template(
        "reply_too_many",
        REPLY,
        {"phone": "phone"},
        {
            "ar": "وصلتنا منكم رسائل كثيرة. نجيبكم من جديد بعد ساعة، أو اتصلوا مجانًا على {phone}.",
            "en": "You have sent us many messages. We answer again in an hour, or call free of charge: {phone}.",
        },
    ),
    Template("campaign", CAMPAIGN, {"text": "words"}, {"ar": "{text}", "en": "{text}"}),
)

TEMPLATES: Mapping[str, Template] = {template.name: template for template in _ALL}
