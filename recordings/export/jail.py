"""What decodes what somebody's device sent runs in here: `python -I -S jail.py '{limits}' program arguments…`.

Between fork and exec of a process with many threads nothing but a few system calls is safe; so a small program of its
own takes away what the decoder does not need, and then becomes it. It has the descriptors that it was given, and may
read programs, libraries and fonts; it can write no file, reach no network, signal no other process, gain no right.

What the kernel does not offer (Landlock, seccomp) is left out: the limits and the empty environment stand without it.
Standard library alone, and nothing of ours: it starts in a few hundredths of a second, several times for each film.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

READABLE = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/var/cache/fontconfig", "/dev/null")
"""What a program made of shared libraries reads. `/proc/self` is not among them: the words come by a descriptor."""

_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
_IOPRIO_IDLE = 3 << 13

_EVERY_FILE_RIGHT = (1 << 13) - 1  # of the first Landlock: execute, write, read, list, remove, make
_READ = 1 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
_READ_FILE = 1 | 1 << 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture

# Network, other processes, namespaces, the kernel itself: (number in audits, forbidden calls, ioprio_set, tgkill)
_X86 = (
    0xC000003E,
    (41, 42, 43, 44, 46, 49, 50, 53, 62, 101, 155, 161, 165, 166, 175, 200, 246, 248, 249, 250, 272, 288, 298, 304, 307,
     308, 310, 311, 313, 321, 323, 424, 425, 434, 438),
    251, 234,
)  # fmt: skip
_ARM = (
    0xC00000B7,
    (39, 40, 41, 51, 97, 104, 105, 117, 129, 130, 198, 199, 200, 201, 202, 203, 206, 211, 217, 218, 219, 241, 242, 265,
     268, 269, 270, 271, 273, 280, 282, 424, 425, 434, 438),
    30, 131,
)  # fmt: skip
MACHINES = {"x86_64": _X86, "aarch64": _ARM}
_X32 = 0x40000000
_EPERM = 0x00050000 | 1
_ALLOW = 0x7FFF0000


def main() -> None:
    limits, program, *rest = json.loads(sys.argv[1]), *sys.argv[2:]
    os.umask(0o077)
    os.nice(int(limits["nice"]))
    for name, most in (("AS", limits["memory"]), ("CPU", limits["cpu"]), ("NOFILE", limits["files"])):
        _limit(getattr(resource, f"RLIMIT_{name}"), int(most))
    for name in ("FSIZE", "CORE", "MSGQUEUE", "MEMLOCK"):
        _limit(getattr(resource, f"RLIMIT_{name}"), 0)
    confine([*READABLE, *limits["read"], program])
    os.execv(program, [program, *rest])  # noqa: S606


def confine(readable: Iterable[str]) -> list[str]:
    """Whatever of it this kernel can do; returns what it could."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    machine = MACHINES.get(platform.machine())
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return []
    done = ["no new rights"]
    if machine is not None:
        libc.syscall(machine[2], 1, 0, _IOPRIO_IDLE)
    if _landlock(libc, readable):
        done.append("files")
    if machine is not None and _seccomp(libc, machine):
        done.append("calls")
    return done


def _limit(which: int, most: int) -> None:
    """Never above what is allowed already."""
    _, hard = resource.getrlimit(which)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))


def _landlock(libc: ctypes.CDLL, readable: Iterable[str]) -> bool:
    handled = struct.pack("=Q", _EVERY_FILE_RIGHT)
    rules = libc.syscall(_CREATE_RULESET, handled, len(handled), 0)
    if rules < 0:
        return False
    for place in readable:
        with suppress(OSError):
            there = os.open(place, os.O_PATH | os.O_CLOEXEC)
            rights = _READ if Path(place).is_dir() else _READ_FILE
            libc.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, there), 0)
            os.close(there)
    done = libc.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return bool(done)


def _seccomp(libc: ctypes.CDLL, machine: tuple[int, tuple[int, ...], int, int]) -> bool:
    """A filter of forbidden calls (seccomp(2)); they fail, so that a program that asks in vain goes on."""
    audit, forbidden, _ioprio, tgkill = machine
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    program = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, audit),
        (give, 0, 0, _EPERM),
        (load, 0, 0, 0),  # the call
        (at_least, 0, 1, _X32),
        (give, 0, 0, _EPERM),
    ]
    for number in forbidden:
        program += [(equal, 0, 1, number), (give, 0, 0, _EPERM)]
    program += [
        (equal, 0, 3, tgkill),
        (load, 0, 0, 16),  # to whom, the lower half: itself, as abort() does
        (equal, 1, 0, os.getpid()),
        (give, 0, 0, _EPERM),
        (give, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *one) for one in program)
    kept = ctypes.create_string_buffer(code, len(code))
    place = struct.pack("@HP", len(program), ctypes.addressof(kept))
    return bool(libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(place), 0, 0) == 0)


if __name__ == "__main__":
    main()
