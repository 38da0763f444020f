"""What a text is made of: its fields with their kinds, and its words in each language, Arabic first.

Nothing incomplete can be loaded: a text without a language, a field that is not declared, or a declared field that no
language uses is a `TemplateFault` at import. `SAMPLES` are realistic long values, for the parts shown before approval.
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
    "deadline": {"ar": "الأربعاء ٢٨ أكتوبر، ١٠:٣٠ صباحًا", "en": "Wednesday 28 October, 10:30 am"},
    "holiday": {"ar": "إجازة عيد الفطر", "en": "Eid al-Fitr"},
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
        "en": "The Riyadh centre is closed next Thursday for repairs. All other centres are open as usual.",
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
