"""What was found in a recording, in words: for its page and for the command line."""

from collections.abc import Callable, Mapping
from typing import Any

from core.language import N_
from recordings.proof import verify as found
from recordings.proof.rules import ALTERED, ENDED, FAILED, PROVEN, UNSIGNED
from web.proof import MISPLACED, OUTDATED, UNDECIDED

VERDICTS = {
    PROVEN: N_("Unaltered: every byte is what was signed."),
    ALTERED: N_("Altered: this is not what was signed."),
    UNSIGNED: N_("Not signed: nothing can be proven."),
    ENDED: N_(
        "Destroyed, as is written there: nothing is left to be compared. Only the certificate proves what it was."
    ),
    FAILED: N_("The check could not be carried out."),
}

SENTENCES = {
    found.CHANGED: N_("{file}: bytes {start} to {last} are not those that were signed."),
    found.CUT: N_("{file} ends too early, after {other} bytes of {end}; from byte {start} on nothing is proven."),
    found.LONGER: N_("{file}: bytes {start} to {last} were added behind its end."),
    found.MISSING: N_("{file} is missing."),
    found.FOREIGN: N_("{file}: bytes {start} to {last} come from another recording, {other}."),
    found.BROKEN: N_("The manifest was altered, so it proves nothing."),
    found.UNKNOWN_KEY: N_("The manifest was signed with a key that is not among the known ones: {other}."),
    found.BEFORE: N_(
        "The journal was altered before it was signed: bytes {start} to {last} are not what was witnessed."
    ),
    found.CONTRADICTS: N_("{file}: its signed hashes and its signed chain contradict each other."),
    found.UNREADABLE: N_("{file} can't be read: {other}."),
    found.UNLISTED: N_("{file} is not named in the manifest beside it."),
    found.NO_MANIFEST: N_("There is no manifest here."),
    found.REWRAPPED: N_("{file}: its key is not wrapped as it was when it was signed; what was recorded is the same."),
    found.DESTROYED: N_("{file}: its key was destroyed; nobody can read it, and it is still what was signed."),
    found.REMOVED: N_(
        "{file}: it was destroyed, as is written there, and its copy in the store removed. The certificate proves it."
    ),
    found.EXTRA: N_("{file} is not named in the manifest; it is no part of the proof."),
    MISPLACED: N_("The manifest is that of another recording, {other}."),
    OUTDATED: N_("The manifest is not the one that the archive signed last."),
    UNDECIDED: N_("{file} was destroyed, and nobody had decided that."),
}


def sentence(
    finding: Mapping[str, Any],
    say: Callable[[str], str],
    digits: Callable[[Any], str] = str,
    name: Callable[[str], str] = str,
) -> str:
    """`digits` writes numbers as the reader's language does, `name` keeps names of files and ids readable in it."""
    start, end, other = int(finding.get("start", 0)), int(finding.get("end", 0)), str(finding.get("other", ""))
    return say(SENTENCES[finding["kind"]]).format(
        file=name(finding["file"]),
        start=digits(start),
        last=digits(max(start, end - 1)),
        end=digits(end),
        other=digits(other) if other.isdigit() else name(other),
    )


def short(key: str) -> str:
    """A fingerprint's first sixteen digits in fours: enough to tell keys apart, not to trust one."""
    return " ".join(key[at : at + 4] for at in range(0, 16, 4))
