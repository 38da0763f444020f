"""The built-in words of one-time codes, and of the answers to texts that people send."""

from messaging.wording.form import OTP, REPLY, Template

REPLIES = (
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
            "en": "Thank you for telling us. You stay on the waiting list; we will offer you the next time that fits.",
        },
    ),
    Template(
        "reply_offer_sure",
        REPLY,
        {"case": "case", "when": "moment"},
        {
            "ar": "نحفظ للطلب {case} موعد {when}. للقبول أرسلوا «نعم»، وللاعتذار «لا».",
            "en": "Kept for petition {case}: {when}. Send YES to take it or NO to leave it.",
        },
    ),
    Template(
        "reply_which_offer",
        REPLY,
        {"case": "case", "when": "deadline", "link": "door"},
        {
            "ar": "لديكم أكثر من عرض. للطلب {case}، {when}: {link}",
            "en": "More than one time waits for your answer. For petition {case}, {when}: {link}",
        },
    ),
    Template(
        "reply_which_appointment",
        REPLY,
        {"case": "case", "when": "deadline", "link": "door"},
        {
            "ar": "لديكم أكثر من موعد. للطلب {case}، {when}: {link}",
            "en": "You have more than one appointment. For petition {case}, {when}: {link}",
        },
    ),
    Template(
        "reply_offer_or_cancel",
        REPLY,
        {"offer": "deadline", "when": "deadline"},
        {
            "ar": "لأخذ الموعد المعروض {offer} أرسلوا «قبول»، ولإلغاء موعدكم {when} أرسلوا «إلغاء».",
            "en": "To take the time offered, {offer}, send ACCEPT. To cancel your appointment, {when}, send CANCEL.",
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
            "en": "We write to you no more. Petitions and appointments stand. To undo, send START. Questions: {phone}",
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
)
