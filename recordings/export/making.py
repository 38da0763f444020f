"""The making of a film: sealed files in, one sealed film out, and in between nothing but memory and pipes.

    sealed WebM ─ decrypted here ─→ ffmpeg, one a stream: decodes, one size, 25 pictures a second, no gap
                                       └─ raw, through a pipe ─→ ffmpeg: puts together, writes on it, encodes
    sealed film ←─ an ordinary MP4 or WebM, index and all, by seeking in the sealed file ←─ Matroska, through a pipe

The copy at the end is worth its few lines: ffmpeg can't go back in a pipe, so it could only write a film without
duration and index, which many a player refuses to seek in.

Every process runs in a jail (`jail.py`): at the lowest priority, without our environment (there may be secrets in it),
without network and files to write, within bounds of memory and time, in an empty folder, and without core dumps (there
would be pictures in them). When this process dies, all pipes close, and every one of them ends by itself.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Protocol

import av

from recordings import container
from recordings.container import KeyDestroyed, NotSealed, SealBroken, Unfinished
from recordings.export import arguments, rules
from recordings.export.layout import FPS, Box, boxes
from recordings.export.overlay import script
from recordings.export.plan import Film, Side
from recordings.journal_records import BadRecord
from recordings.keys import KeyRefused, KeyRing
from recordings.sealed import SealedReader, SealedWriter

BLOCK = 256 * 1024
PIPE_BYTES = 1024 * 1024
LOOK_EVERY_S = 0.5
TO_END_S = 10.0
NICE = 15
JAIL = Path(__file__).with_name("jail.py")
DECODER_BYTES, FILM_BYTES = 3 * 1024**3 // 2, 4 * 1024**3
"""Address space of a decoder, and of what puts the film together: several times what they take."""
FILES = 96  # descriptors; a film of many people has some thirty


class NotMade(Exception):
    """The film can't be made; `problem` is one of rules.PROBLEMS."""

    def __init__(self, problem: str, detail: str = "") -> None:
        super().__init__(f"{problem}: {detail}" if detail else problem)
        self.problem = problem


class Stopped(Exception):
    """Whoever watches does not want the film any more."""


class Watch(Protocol):
    """Called about twice a second with how much of the film is made (0 to 1), by the thread that makes it.

    May raise NotMade (time or space is up) or Stopped.
    """

    def __call__(self, share: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Made:
    """`size` and `sha256` are of the film in clear."""

    size: int
    sha256: str


def make(film: Film, keyring: KeyRing, target: Path, *, fonts: Path, watch: Watch, program: str = "ffmpeg") -> Made:
    """Write the film to `target`, sealed with the recording's own key. Blocking; on any exception nothing is left.

    Raises NotMade, Stopped, BlockingIOError while another process makes the same film, and what `watch` raises.
    """
    if not film.sides or film.duration <= 0:
        raise NotMade(rules.NOTHING)
    tool = shutil.which(program)
    if tool is None:
        raise NotMade(rules.NO_TOOL, program)
    cpu = 4 * int(rules.time_limit(film.duration).total_seconds())  # seconds: behind the watch, for the case it is gone
    data_key = None
    for side in film.sides:  # the files' own check of size and table, before anything is started
        with _open(side, keyring, film.owner) as sealed:
            data_key = sealed.header.data_key(keyring)
    with named_problems():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with SealedWriter(target, keyring, owner=film.owner, data_key=data_key) as sink, _Workshop(tool, cpu) as shop:
            _set_up(shop, film, keyring, fonts, sink)
            shop.run(watch, film.frames / FPS)
        return _described(target, keyring)


def _set_up(shop: _Workshop, film: Film, keyring: KeyRing, fonts: Path, sink: SealedWriter) -> None:
    places = boxes(len(film.sides), rtl=film.rtl)
    pictures: list[tuple[Box, int]] = []
    sounds: list[int] = []
    for box, side in zip(places, film.sides, strict=True):
        if side.has_video:
            read, write = shop.pipe()
            source = shop.feed(_open(side, keyring, film.owner))
            shop.start(arguments.decode_picture(box, film.frames, source=source, target=write), (source, write))
            pictures.append((box, read))
        if side.has_audio:
            read, write = shop.pipe()
            source = shop.feed(_open(side, keyring, film.owner))
            shop.start(arguments.decode_sound(film.frames / FPS, source=source, target=write), (source, write))
            sounds.append(read)
    words = shop.memory(script(film).encode())
    told, tell = shop.pipe()
    read, write = shop.pipe()
    command = arguments.put_together(
        pictures, sounds, frames=film.frames, format=film.format, script=words, fonts=fonts, progress=tell, target=write
    )
    taken = (*(d for _, d in pictures), *sounds, words, tell, write)
    shop.start(command, taken, FILM_BYTES, read=(fonts,))
    shop.follow(told)
    shop.collect(read, sink, film)


@dataclass
class _Workshop:
    """The processes, descriptors and threads of one film; leaving it ends and closes all of them."""

    program: str
    cpu: int  # seconds that one process may use
    seconds: float = 0.0  # of the film, made so far
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=20))

    def __post_init__(self) -> None:
        self._open: set[int] = set()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._error: BaseException | None = None
        self._over = threading.Event()  # the film is collected, or something went wrong
        self._collected = False
        self._closing = ExitStack()
        self._empty = self._closing.enter_context(TemporaryDirectory(prefix="majlis-film-"))
        self._complain, self._complained = self.pipe()

    def __enter__(self) -> _Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
        for process in self._processes:
            process.wait()
        for descriptor in list(self._open):
            self._let_go(descriptor)
        for thread in self._threads:
            thread.join()
        self._closing.close()

    def pipe(self) -> tuple[int, int]:
        """(read end, write end), inherited by nobody who is not told to; wide, since raw pictures pass."""
        ends = os.pipe()
        with suppress(OSError):  # more than this account may have: the usual 64 KiB do as well
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._open.update(ends)
        return ends

    def memory(self, data: bytes) -> int:
        """A file that is nowhere but in memory, and may be opened again and again, as libass does."""
        descriptor = os.memfd_create("words")
        self._open.add(descriptor)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
        return descriptor

    def start(
        self, command: list[str], descriptors: tuple[int, ...], memory: int = DECODER_BYTES, read: tuple[Path, ...] = ()
    ) -> None:
        """Run it in its jail with these descriptors, which are its own from here on, and with leave to `read`."""
        limits = {
            "nice": NICE,
            "memory": memory,
            "cpu": self.cpu,
            "files": FILES,
            "read": [os.path.realpath(place) for place in read],
        }
        line = [sys.executable, "-I", "-S", str(JAIL), json.dumps(limits), os.path.realpath(self.program), *command[1:]]
        try:
            process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complained,
                pass_fds=descriptors,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                cwd=self._empty,
                process_group=0,  # Ctrl-C at the terminal is for the worker, which knows what to do about it
            )
        except OSError as error:
            raise NotMade(rules.NO_TOOL, str(error)) from error
        self._processes.append(process)
        for descriptor in descriptors:
            self._let_go(descriptor)

    def feed(self, sealed: SealedReader) -> int:
        """A descriptor from which the clear content can be read."""
        self._closing.enter_context(sealed)
        read, write = self.pipe()
        self._own(write)

        def run() -> None:
            try:
                while block := sealed.read(BLOCK):
                    _write_all(write, block)
            except BrokenPipeError:  # it has all it wants, or it died, which its exit code tells
                pass
            finally:
                os.close(write)

        self._thread(run)
        return read

    def follow(self, told: int) -> None:
        """Read how far the film is from what ffmpeg says with -progress."""
        lines = self._file(told)

        def run() -> None:
            with lines:
                for line in lines:
                    name, _, value = line.strip().partition(b"=")
                    if name == b"out_time_us" and value.lstrip(b"-").isdigit():
                        self.seconds = max(self.seconds, int(value) / 1e6)

        self._thread(run)

    def collect(self, read: int, sink: SealedWriter, film: Film) -> None:
        """Copy the streams into the container wanted; nothing is decoded."""
        source = self._file(read)

        def run() -> None:
            kept = _Kept(sink)
            try:
                with source:
                    _copy(source, kept, film)
            except Exception:
                if kept.error is not None:  # PyAV closes its file, fails once more, and forgets why
                    raise kept.error from None
                raise
            self._collected = True
            self._over.set()

        self._thread(run)

    def run(self, watch: Watch, seconds: float) -> None:
        """Until the film is collected and everybody has ended well."""
        self._let_go(self._complained)
        self._listen()
        while not self._over.wait(LOOK_EVERY_S):
            self._look()
            watch(min(1.0, self.seconds / seconds))
        if self._error is None:
            self._end()
        self._look()
        if not self._collected:
            raise NotMade(rules.TOOL, "the film broke off")
        watch(1.0)

    def _end(self) -> None:
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(TO_END_S)

    def _look(self) -> None:
        """Raises what went wrong first: our own error is the cause of what ffmpeg then complains of."""
        failed = [p.returncode for p in self._processes if p.poll() not in (None, 0)]
        if failed and self._error is None:
            self._over.wait(LOOK_EVERY_S)  # whoever feeds it may be about to say why
        if self._error is not None:
            if isinstance(self._error, av.error.FFmpegError):  # what came was no film; who died may not be known yet
                raise NotMade(rules.TOOL, self._told(failed)) from self._error
            raise self._error
        if failed:
            raise NotMade(rules.TOOL, self._told(failed))

    def _told(self, codes: list[int]) -> str:
        ended = f"ffmpeg ended with {codes[0]}" if codes else "ffmpeg broke off"
        return " | ".join([ended, *list(self.complaints)[-3:]])

    def _listen(self) -> None:
        lines = self._file(self._complain)

        def run() -> None:
            with lines:
                for line in lines:
                    if b"ass" not in line:  # libass quotes what it does not understand
                        self.complaints.append(line.decode(errors="replace").strip()[:300])

        self._thread(run)

    def _thread(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._error = self._error or error
                self._over.set()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _own(self, descriptor: int) -> int:
        """From here on somebody else closes it."""
        self._open.discard(descriptor)
        return descriptor

    def _file(self, descriptor: int) -> IO[bytes]:
        return os.fdopen(self._own(descriptor), "rb")

    def _let_go(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)


class _Kept:
    """The sealed file as PyAV writes to it, and what went wrong in doing so."""

    def __init__(self, sink: SealedWriter) -> None:
        self._sink = sink
        self.seek, self.tell, self.name = sink.seek, sink.tell, "film"
        self.error: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._sink.write(data)
        except Exception as error:
            self.error = self.error or error
            raise

    def seekable(self) -> bool:
        return True


def _copy(source: IO[bytes], sink: _Kept, film: Film) -> None:
    options = {"movflags": "+use_metadata_tags"} if film.format == rules.MP4 else {}
    with (
        av.open(source, "r", format="matroska") as reading,
        av.open(sink, "w", format=film.format, options=options) as writing,
    ):
        writing.metadata["title"] = film.title or film.head
        writing.metadata["comment"] = film.stamp
        streams = {stream.index: writing.add_stream_from_template(stream) for stream in reading.streams}
        for packet in reading.demux():
            if packet.size:  # the last, empty one means: no more
                packet.stream = streams[packet.stream.index]
                writing.mux(packet)


def _open(side: Side, keyring: KeyRing, owner: str) -> SealedReader:
    with named_problems():
        sealed = SealedReader(side.path, keyring)
        if sealed.header.owner != owner:
            sealed.close()
            raise NotMade(rules.ALTERED, "a film of another recording")
        return sealed


@contextmanager
def named_problems() -> Iterator[None]:
    """What may be wrong with sealed files and disks, as NotMade."""
    try:
        yield
    except (SealBroken, NotSealed, Unfinished, BadRecord) as error:
        raise NotMade(rules.ALTERED, str(error)) from error
    except (KeyRefused, KeyDestroyed) as error:
        raise NotMade(rules.NO_KEY, type(error).__name__) from error
    except FileNotFoundError as error:
        raise NotMade(rules.GONE, str(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG):
            raise NotMade(rules.DISK_FULL, str(error)) from error
        raise


def _described(target: Path, keyring: KeyRing) -> Made:
    """Read back what was written: it opens, and this is its hash."""
    digest = hashlib.sha256()
    with SealedReader(target, keyring) as film:
        while block := film.read(1 << 20):
            digest.update(block)
        return Made(film.size, digest.hexdigest())


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def lacking(program: str = "ffmpeg") -> list[str]:
    """What this machine's ffmpeg can't do of what films need; itself where there is none."""
    if shutil.which(program) is None:
        return [program]
    missing = []
    for listing, names in (("-filters", ("ass", "overlay", "amix")), ("-encoders", arguments.ENCODERS)):
        told = subprocess.run([program, "-hide_banner", listing], capture_output=True, text=True, timeout=20)
        has = {fields[1] for line in told.stdout.splitlines() if len(fields := line.split()) > 1}
        missing += [name for name in names if name not in has]
    return missing


def destroy(path: Path) -> None:
    """A film that nobody may fetch any more: its key first, so that what is left on the disk is noise."""
    for file in (path, path.with_name(path.name + ".unfinished")):
        with suppress(FileNotFoundError):
            if file == path:
                container.destroy_key(file)
            file.unlink()
