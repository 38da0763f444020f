"""The words of commands as people write them, in the form of `core.text.search_form` (ا for أ إ آ, ه for ة)."""

STATUS, CONFIRM, CANCEL, MOVE = "status", "confirm", "cancel", "move"
ACCEPT, DECLINE, YES, NO = "accept", "decline", "yes", "no"
ARABIC, ENGLISH, LANGUAGE = "arabic", "english", "language"
CENTRE, HELP, STOP, START, CALL = "centre", "help", "stop", "start", "call"
UNKNOWN, EMPTY = "unknown", "empty"

WORDS: dict[str, tuple[str, ...]] = {
    STOP: (
        "ايقاف", "اوقف", "اوقفوا", "وقف", "توقف", "قف", "ايقاف الرسائل", "الغاء الاشتراك", "الغي الاشتراك", "لا ترسلوا",
        "لا ترسل", "stop", "stopall", "unsubscribe", "stop all", "quit", "opt out", "optout", "cancel subscription",
    ),
    START: ("اشتراك", "اشترك", "ابدا", "تفعيل", "استئناف", "start", "unstop", "subscribe", "resume"),
    STATUS: (
        "حاله", "حاله الطلب", "حاله طلبي", "حاله المعامله", "استعلام", "استفسار", "طلبي", "معاملتي", "وين طلبي",
        "اين طلبي", "وش صار على طلبي", "متابعه", "status", "case", "track", "follow", "inquiry", "enquiry", "my case",
        "my petition",
    ),
    CONFIRM: (
        "تاكيد", "اكد", "اؤكد", "ااكد", "موكد", "ساحضر", "سوف احضر", "بحضر", "احضر", "حاضر", "تاكيد الحضور",
        "تاكيد الموعد", "confirm", "confirmed", "coming", "will come", "i will come", "attend",
    ),
    CANCEL: (
        "الغاء", "الغ", "الغي", "الغوا", "الغاء الموعد", "الغاء موعدي", "لن احضر", "ما اقدر احضر", "cancel",
        "cancelled", "cancel appointment", "not coming", "cant come", "can t come",
    ),
    MOVE: (
        "نقل", "تغيير", "تعديل", "تاجيل", "اجل", "غير", "موعد اخر", "تغيير الموعد", "نقل الموعد", "تاجيل الموعد",
        "move", "change", "reschedule", "postpone", "another time", "later",
    ),
    ACCEPT: ("قبول", "اقبل", "موافق", "موافقه", "قبلت", "يناسبني", "accept", "agree", "take it", "i accept"),
    DECLINE: ("رفض", "ارفض", "اعتذر", "اعتذار", "لا يناسبني", "ما يناسبني", "decline", "reject", "refuse", "no thanks"),
    YES: ("نعم", "اي", "ايوه", "ايه", "اجل نعم", "تمام", "طيب", "ok", "okay", "yes", "y", "yeah", "sure"),
    NO: ("لا", "لأ", "كلا", "no", "n", "nope"),
    ARABIC: ("عربي", "عربيه", "العربيه", "لغه عربيه", "arabic", "بالعربي", "language arabic", "لغه العربيه", "ar"),
    ENGLISH: (
        "انجليزي", "انجليزيه", "الانجليزيه", "انكليزي", "انقليزي", "english", "لغه انجليزيه", "بالانجليزي",
        "language english", "en", "لغه الانجليزيه",
    ),
    LANGUAGE: ("لغه", "اللغه", "غير اللغه", "language", "lang"),
    CENTRE: (
        "مركز", "المركز", "اقرب مركز", "مراكز", "فرع", "اقرب فرع", "الفرع", "العنوان", "عنوان", "وين المركز",
        "اين المركز", "وين اقرب مركز", "اين اقرب مركز", "centre", "center", "nearest centre", "nearest center",
        "where is the nearest centre", "where is the nearest center", "where is the centre", "where is the center",
        "branch", "office", "address", "location",
    ),
    CALL: ("اتصال", "اتصلوا", "اتصل", "كلموني", "اتصلوا بي", "ابي احد يكلمني", "call", "call me", "phone me", "agent"),
    HELP: (
        "مساعده", "ساعدوني", "المساعده", "الاوامر", "تعليمات", "help", "info", "menu", "commands",
        "السلام عليكم", "سلام", "مرحبا", "hello", "hi", "salam",
    ),
}  # fmt: skip

_COURTESIES = """
من فضلك فضلكم لو سمحت سمحتم ابي ابغي ابغى اريد اود ارجو ارغب رجاء الرجاء شكرا هل ممكن السلام عليكم ورحمه الله وبركاته
please pls plz kindly i want to would like the my a thanks thank you
"""
FILLERS = frozenset(_COURTESIES.split())
