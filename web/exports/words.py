"""What is said of exports: their states, why one failed and what to do, and what is written on the film."""

from core.language import N_
from recordings.export import rules
from recordings.export import states as s

# state: label, tone of its badge
STATES = {
    s.ASKED: (N_("Waiting for a second person"), "wait"),
    s.AGREED: (N_("Waiting for its turn"), "wait"),
    s.MAKING: (N_("Being made"), "wait"),
    s.READY: (N_("Ready"), "good"),
    s.DECLINED: (N_("Declined"), "neutral"),
    s.FAILED: (N_("Failed"), "danger"),
    s.CANCELLED: (N_("Cancelled"), "neutral"),
    s.EXPIRED: (N_("Over"), "neutral"),
}

FORMATS = {
    rules.MP4: (N_("MP4"), N_("Plays on nearly every device. The usual choice.")),
    rules.WEBM: (N_("WebM"), N_("An open format, for browsers and free players.")),
}

# problem: what happened, the way on
PROBLEMS = {
    rules.DISK_FULL: (
        N_("There is too little space on the disk."),
        N_("Live meetings need what is left. Ask the technician to make room, then try again."),
    ),
    rules.ALTERED: (
        N_("The recording is damaged or was altered."),
        N_("No film is made of it. Check the recording on its page: it says which part is affected."),
    ),
    rules.NO_KEY: (
        N_("The recording can't be opened with the keys that are here."),
        N_("Ask the technician whether the archive's key was moved, then try again."),
    ),
    rules.GONE: (
        N_("A file of the recording is missing."),
        N_("Check the recording on its page, and ask the technician to bring the file back."),
    ),
    rules.STORE: (
        N_("The store of recordings does not give the files out."),
        N_("Try again in a while. If it stays so, tell the technician: majlis doctor looks at the store."),
    ),
    rules.NOTHING: (
        N_("Nobody was seen or heard in this recording."),
        N_("There is nothing to make a film of."),
    ),
    rules.TOO_LONG: (
        N_("Making it took longer than is allowed."),
        N_("The machine is busy with meetings. Try again at a quieter hour."),
    ),
    rules.HUNG: (
        N_("Making it came to a standstill."),
        N_("Try again. If it happens once more, tell the technician."),
    ),
    rules.TOOL: (
        N_("The program that makes the film broke off."),
        N_("Try again. If it happens once more, tell the technician."),
    ),
    rules.NO_TOOL: (
        N_("The program that makes films (ffmpeg) is not installed."),
        N_("Ask the technician to install it, then try again."),
    ),
    rules.OTHER: (
        N_("Something unforeseen went wrong."),
        N_("Try again. If it happens once more, tell the technician."),
    ),
}

STEPS = {
    "ask for export": N_("Asked for"),
    "agree to export": N_("Agreed to"),
    "decline export": N_("Declined"),
    "make export": N_("Made"),
    "fail at export": N_("Could not be made"),
    "try export again": N_("Tried again"),
    "cancel export": N_("Cancelled"),
    "expire export": N_("Reached its end date"),
    "download": N_("Downloaded"),
}

# On the film
CASE = N_("Case {number}")
STAMP = N_("Copy made for {name} — purpose: {purpose} — {day}")
NOT_YET = N_("Not yet connected")
NO_LONGER = N_("No longer connected")
INTERRUPTED = N_("The connection was interrupted")
CAMERA_OFF = N_("The camera is switched off")
NO_SOUND = N_("The sound was interrupted")
MICROPHONE_OFF = N_("The microphone is switched off")
ONLY_SOUND = N_("Sound only")
INTERPRETER = N_("{name} · sign-language interpreter")
