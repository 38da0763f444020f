"""The built-in words for who waits for an appointment."""

from messaging.wording.form import SERVICE, Template

WAITING = (
    Template(
        "waitlist_joined",
        SERVICE,
        {"case": "case", "phone": "phone"},
        {
            "ar": "سجّلناكم في قائمة انتظار موعد لطلبكم {case}. حين يتيسّر وقت يناسبكم نراسلكم. ومجانًا: {phone}",
            "en": "You are on the waitlist for an appointment about petition {case}. When a time that suits you "
            "becomes free, we text you. Free of charge: {phone}",
        },
    ),
    Template(
        "waitlist_offer",
        SERVICE,
        {"when": "moment", "place": "place", "until": "deadline"},
        {
            "ar": "تيسّر لكم موعد {when}، في {place}. نحفظه لكم حتى {until}. للقبول أرسلوا «نعم»، وللاعتذار «لا».",
            "en": "A time for you: {when}. Place: {place}. Kept for you until {until}. Reply YES to take it, or NO.",
        },
    ),
    Template(
        "waitlist_earlier_joined",
        SERVICE,
        {"phone": "phone"},
        {
            "ar": "موعدكم باقٍ كما هو، وإن تيسّر يوم أقرب راسلناكم لتختاروا. ومجانًا: {phone}",
            "en": "Your appointment stays as it is. If an earlier day becomes free, we text you and you choose. "
            "Free of charge: {phone}",
        },
    ),
    Template(
        "waitlist_earlier",
        SERVICE,
        {"when": "moment", "place": "place", "until": "deadline"},
        {
            "ar": "تيسّر موعد أقرب {when}، في {place}. نحفظه حتى {until}. للقبول أرسلوا «نعم»، وإلا بقي موعدكم كما هو.",
            "en": "An earlier time: {when}. Place: {place}. Kept for you until {until}. "
            "Reply YES to take it; else your appointment stays.",
        },
    ),
    Template(
        "waitlist_earlier_passed",
        SERVICE,
        {"phone": "phone"},
        {
            "ar": "لم يصلنا جوابكم، فموعدكم باقٍ كما هو، والوقت الأقرب لمن بعدكم. ومجانًا: {phone}",
            "en": "We had no answer, so your appointment stays as it is and the earlier time went to the next in line. "
            "Free of charge: {phone}",
        },
    ),
    Template(
        "waitlist_link",
        SERVICE,
        {"link": "door"},
        {
            "ar": "أو أجيبوا هنا: {link}",
            "en": "Or answer here: {link}",
        },
    ),
    Template(
        "waitlist_passed",
        SERVICE,
        {"phone": "phone"},
        {
            "ar": "لم يصلنا جوابكم فانتقل الوقت إلى من بعدكم. دوركم في قائمة الانتظار باقٍ كما هو. ومجانًا: {phone}",
            "en": "We had no answer, so the time went to the next in line. You keep your place on the waitlist. "
            "Free of charge: {phone}",
        },
    ),
    Template(
        "waitlist_paused",
        SERVICE,
        {"phone": "phone"},
        {
            "ar": "عرضنا عليكم أوقاتًا ولم يصلنا جواب. دوركم محفوظ، ولنعرض عليكم من جديد اتصلوا مجانًا على {phone}.",
            "en": "We offered you times and had no answer. Your place is kept. To be offered times again call free of "
            "charge: {phone}",
        },
    ),
    Template(
        "waitlist_withdrawn",
        SERVICE,
        {"phone": "phone"},
        {
            "ar": "نعتذر: الوقت الذي عرضناه عليكم لم يعد متاحًا. دوركم في قائمة الانتظار باقٍ كما هو. ومجانًا: {phone}",
            "en": "We are sorry: the time we offered you is not free any more. You keep your place on the waitlist. "
            "Free of charge: {phone}",
        },
    ),
    Template(
        "waitlist_over",
        SERVICE,
        {"case": "case", "phone": "phone"},
        {
            "ar": "نأسف، لم يتيسّر موعد لطلبكم {case} في الأيام التي تناسبكم. "
            "لنبحث معكم عن غيرها اتصلوا مجانًا على {phone}.",
            "en": "We are sorry: no time became free for petition {case} on the days that suit you. To look for others "
            "call free of charge: {phone}",
        },
    ),
)
