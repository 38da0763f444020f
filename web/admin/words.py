"""The trail's codes and the roles in words."""

from core.language import N_
from core.staff import rules as roles

# role: name, what it is for
ROLES = {
    roles.RECEPTIONIST: (N_("Receptionist"), N_("Calls visitors to a counter and takes petitions in.")),
    roles.VERIFIER: (N_("Verifier"), N_("Checks identity, papers and type of what was taken in.")),
    roles.ATTENDANT: (N_("Video hall attendant"), N_("Seats the visitor before the big screen.")),
    roles.MANAGER: (N_("Centre manager"), N_("Sees the centre's day: waiting, counters, loads.")),
    roles.OFFICER: (N_("Department officer"), N_("Decides the petitions sent to the department.")),
    roles.OFFICIAL: (N_("Official"), N_("Receives visitors: the minister, or who does so in the minister's place.")),
    roles.AIDE: (N_("Office aide"), N_("Keeps the calendar, prepares files, follows directives.")),
    roles.INTERPRETER: (N_("Sign-language interpreter"), N_("Joins the meetings to which the office calls.")),
    roles.HOTLINE: (N_("Hotline agent"), N_("Finds a case by telephone and answers.")),
    roles.ADMIN: (N_("Administrator"), N_("Sets up accounts and centres; sees no case and no recording.")),
}

ACTIONS = {
    "activate": N_("activated"),
    "admit": N_("let in"),
    "agree to export": N_("agreed to an export"),
    "agree to urgency": N_("agreed to urgency"),
    "ask for export": N_("asked for an export"),
    "assign": N_("assigned it"),
    "book appointment": N_("booked an appointment"),
    "call back": N_("called back"),
    "cancel appointment": N_("cancelled the appointment"),
    "cancel export": N_("cancelled an export"),
    "change": N_("changed"),
    "change password": N_("changed the password"),
    "create": N_("created it"),
    "deactivate": N_("deactivated"),
    "decline export": N_("declined an export"),
    "decline urgency": N_("declined urgency"),
    "discard": N_("discarded"),
    "download": N_("downloaded it"),
    "end": N_("ended it"),
    "expire export": N_("destroyed an export at its end date"),
    "fail at export": N_("could not make an export"),
    "find": N_("found by search"),
    "grant": N_("gave leave to view"),
    "install": N_("set up"),
    "invite": N_("invited somebody"),
    "list": N_("looked through"),
    "make export": N_("made an export"),
    "move appointment": N_("moved the appointment"),
    "open": N_("opened"),
    "open dossier": N_("opened the dossier"),
    "open room": N_("opened the room"),
    "read": N_("read"),
    "reclassify": N_("gave another type"),
    "refuse": N_("was refused"),
    "remove": N_("showed out"),
    "release": N_("freed a forgotten counter"),
    "reply": N_("replied"),
    "reset password": N_("reset the password"),
    "retire": N_("took out of service"),
    "revoke": N_("took back leave to view"),
    "sign": N_("signed it"),
    "sign-in": N_("signed in"),
    "sign-in failed": N_("failed to sign in"),
    "sign-out": N_("signed out"),
    "try again": N_("had it prepared once more"),
    "try export again": N_("had an export made once more"),
    "upload": N_("added a file"),
    "verify": N_("had it checked for changes"),
    "view": N_("watched"),
    "withdraw": N_("withdrew"),
    "write": N_("wrote"),
}

SUBJECTS = {
    "attachment": N_("attachment"),
    "centre": N_("centre"),
    "counter": N_("counter"),
    "department": N_("department"),
    "directive": N_("directive"),
    "meeting": N_("meeting"),
    "message": N_("message"),
    "page": N_("page"),
    "petition": N_("petition"),
    "petition types": N_("petition types"),
    "recording": N_("recording"),
    "service point": N_("service"),
    "staff": N_("account"),
    "ticket": N_("ticket"),
    "visitor": N_("visitor"),
}

# Signs a service may carry at the kiosk.
ICONS = {
    "document": N_("Petition paper"),
    "search": N_("Inquiry"),
    "id-card": N_("Identity card"),
    "passport": N_("Travel document"),
    "car": N_("Vehicle"),
    "scale": N_("Rights"),
    "users": N_("People"),
    "video": N_("Video call"),
}

URGENCY = {"normal": N_("ordinary cases only"), "urgent": N_("urgent cases only")}
SECRECY = {"open": N_("Open to the department"), "confidential": N_("Confidential")}
