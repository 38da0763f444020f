"""A participant without a browser: one socket, real ICE checks, a real DTLS handshake, real SRTP. Nothing decoded.

All of it synchronous, so that one core carries sixty of them: the engine in `load` calls `readable` and `send`. What
pylibsrtp doesn't offer (encrypting in place) goes through its cffi handle.
"""

from __future__ import annotations

import datetime
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field

from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from bench.media.film import AUDIO_STEP, FPS, MAGIC, SECONDS, SOUND_S, STAMP, TWCC_EXTENSION, VIDEO_STEP, Piece

BUFFER = 4 << 20
CONSENT_S = 2.5
HANDSHAKE_S = 0.4
STAMPS = {"audio": round(SECONDS / SOUND_S) * AUDIO_STEP, "video": SECONDS * FPS * VIDEO_STEP}
SO_TIMESTAMPNS = 35
"""Linux: the kernel notes when it put a datagram into the socket, so a load process that reads late measures right."""
ANCILLARY = socket.CMSG_SPACE(16)

_PROFILES = {
    b"SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
_RTP = struct.Struct("!HII")
_U16 = struct.Struct("!H")
_STAMPED = struct.Struct("!Q8s")
_TIMESPEC = struct.Struct("@qq")
_NTP_EPOCH = 2_208_988_800


class Identity:
    """The certificate of every peer of a run; making one for each would only measure the bench."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        certificate = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
        self.fingerprint = _colons(certificate.fingerprint(hashes.SHA256()))
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET)
        self.context.set_verify(SSL.VERIFY_PEER, lambda *_: True)  # the fingerprint is compared afterwards
        self.context.use_certificate(X509.from_cryptography(certificate))
        self.context.use_privatekey(key)
        self.context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
        self.context.set_tlsext_use_srtp(b":".join(_PROFILES))


def _colons(digest: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in digest)


@dataclass
class Incoming:
    """One stream as it is received."""

    last: int = -1
    span: int = 0
    packets: int = 0
    octets: int = 0
    sampled: bool = False
    """Every packet is decrypted; otherwise those with the marker."""
    ssrc: int = 0

    def packet(self, number: int, size: int) -> None:
        self.packets += 1
        self.octets += size
        if self.last < 0:
            self.span, self.last = 1, number
            return
        step = (number - self.last) & 0xFFFF
        if 0 < step < 0x8000:
            self.span += step
            self.last = number

    def reset(self) -> None:
        self.last, self.span, self.packets, self.octets = -1, 0, 0, 0


@dataclass
class Remote:
    """What the server's session description says."""

    ufrag: str
    password: str
    fingerprint: str
    address: str
    port: int
    audio: int
    """Payload types."""
    video: int
    lite: bool = True
    """The server only answers checks, and the peer leads; otherwise the server, which made the offer, leads."""


@dataclass
class Tally:
    """What the peer saw since the last reset."""

    latencies_us: list[int] = field(default_factory=list)
    wrong: int = 0
    """Sampled packets that didn't decrypt, or whose stamp made no sense."""
    sent: int = 0
    refused: int = 0
    """Packets the socket would not take."""


class Peer:
    def __init__(self, name: str, identity: Identity, address: str) -> None:
        self.name = name
        self.state = "new"
        self.why = ""
        self.profile = ""
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self.ssrc = {"audio": secrets.randbits(31) | 1 << 16, "video": secrets.randbits(31) | 1 << 16}
        self.identity = identity
        self.tally = Tally()
        self.incoming: dict[int, Incoming] = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((address, 0))
        self.port: int = self.socket.getsockname()[1]
        self._remote: Remote | None = None
        self._tie = secrets.randbits(63)
        self._checked_at = self._handshook_at = 0.0
        self._ssl: SSL.Connection | None = None
        self._cdata = ffi.new("char[]", 2048)
        self._buffer = ffi.buffer(self._cdata)
        self._view = memoryview(self._buffer).cast("B")
        self._length = ffi.new("int *")
        self._rx = self._tx = None
        self._sessions: tuple[Session, ...] = ()
        self._sequence = {"audio": secrets.randbits(15), "video": secrets.randbits(15)}
        self._base = {"audio": secrets.randbits(31), "video": secrets.randbits(31)}
        self._stamp_now = dict(self._base)
        self._counter = 0
        self._sent = {"audio": [0, 0], "video": [0, 0]}
        self._heard_count = -1
        self._heard_from = -1
        self._feedback_serial = 0

    @property
    def sent_in_all(self) -> int:
        return sum(packets for packets, _ in self._sent.values())

    # Connecting

    def connect(self, remote: Remote) -> None:
        self._remote = remote
        self.socket.connect((remote.address, remote.port))
        self.incoming = {remote.audio: Incoming(sampled=True), remote.video: Incoming()}
        self.state = "checking"
        self.tick(time.monotonic())

    def tick(self, now: float) -> None:
        """Repeats what had no answer; keeps consent fresh."""
        due = CONSENT_S if self.state not in ("checking",) else HANDSHAKE_S
        if self._remote is not None and self.state != "closed" and now - self._checked_at >= due:
            self._checked_at = now
            self._check()
        if self.state == "handshake" and self._ssl is not None and now - self._handshook_at >= HANDSHAKE_S:
            self._handshook_at = now
            self._ssl.DTLSv1_handle_timeout()
            self._flush()

    def _check(self) -> None:
        assert self._remote is not None
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 0x7E0000FF
        if self._remote.lite:
            request.attributes["ICE-CONTROLLING"] = self._tie
            request.attributes["USE-CANDIDATE"] = None
        else:
            request.attributes["ICE-CONTROLLED"] = self._tie
        request.add_message_integrity(self._remote.password.encode())
        self._put(bytes(request))

    def _on_stun(self, data: bytes) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == stun.Class.REQUEST:
            if self._remote is None:  # not told yet whom to expect; it will ask again
                return
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = (self._remote.address, self._remote.port)
            answer.add_message_integrity(self.password.encode())
            self._put(bytes(answer))
        elif message.message_class == stun.Class.RESPONSE and self.state == "checking":
            self.state = "handshake"
            self._ssl = SSL.Connection(self.identity.context)
            self._ssl.set_ciphertext_mtu(1200)
            self._ssl.set_connect_state()
            self._shake()

    def _on_dtls(self, data: bytes) -> None:
        if self._ssl is None:
            return
        self._ssl.bio_write(data)
        if self.state == "handshake":
            self._shake()
            return
        try:
            self._ssl.recv(1500)
        except SSL.ZeroReturnError:
            self.fail("the server closed the connection")
        except SSL.Error:
            pass

    def _shake(self) -> None:
        assert self._ssl is not None
        self._handshook_at = time.monotonic()
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error as error:
            self._flush()
            self.fail(f"DTLS: {error}")
            return
        self._flush()
        self._key()

    def _key(self) -> None:
        assert self._ssl is not None and self._remote is not None
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or _colons(certificate.fingerprint(hashes.SHA256())) != self._remote.fingerprint.upper():
            self.fail("another certificate than announced")
            return
        chosen = self._ssl.get_selected_srtp_profile()
        profile, key, salt = _PROFILES[chosen]
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        keys = [
            material[side * key : (side + 1) * key] + material[2 * key + side * salt : 2 * key + (side + 1) * salt]
            for side in (0, 1)
        ]
        out = Session(Policy(key=keys[0], ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        into = Session(Policy(key=keys[1], ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        self._sessions = (out, into)
        self._tx, self._rx = out._srtp[0], into._srtp[0]
        self.profile = chosen.decode()
        self.state = "up"

    def _flush(self) -> None:
        assert self._ssl is not None
        while True:
            try:
                self._put(self._ssl.bio_read(1500))
            except SSL.WantReadError:
                return

    def fail(self, why: str) -> None:
        if self.state not in ("failed", "closed"):
            self.state, self.why = "failed", why

    def close(self, *, farewell: bool = True) -> None:
        """Without a farewell the server is left to find out."""
        if farewell and self.state == "up" and self._ssl is not None:
            try:
                self._ssl.shutdown()
                self._flush()
            except SSL.Error:
                pass
        self.state = "closed"
        self.socket.close()

    def _put(self, data: bytes | memoryview) -> bool:
        try:
            self.socket.send(data)
        except OSError:  # a full buffer, or a server that has gone
            self.tally.refused += 1
            return False
        return True

    # Sending

    def send(self, piece: Piece, round_: int) -> None:
        """Encrypts one packet of the film in place and sends it; `round_` counts how often the film was shown."""
        assert self._remote is not None
        kind = "video" if piece.video else "audio"
        view, size = self._view, len(piece.plain)
        self._buffer[0:size] = piece.plain
        sequence = self._sequence[kind] = (self._sequence[kind] + 1) & 0xFFFF
        stamp = (self._base[kind] + round_ * STAMPS[kind] + piece.tick) & 0xFFFFFFFF
        self._stamp_now[kind] = stamp
        view[1] = (view[1] & 0x80) | (self._remote.video if piece.video else self._remote.audio)
        _RTP.pack_into(view, 2, sequence, stamp, self.ssrc[kind])
        self._counter = (self._counter + 1) & 0xFFFF
        _U16.pack_into(view, piece.counted_at, self._counter)
        if piece.stamped:
            _STAMPED.pack_into(view, size - STAMP, time.time_ns(), MAGIC)
        self._length[0] = size
        if lib.srtp_protect(self._tx, self._cdata, self._length):
            self.tally.wrong += 1
            return
        counts = self._sent[kind]
        counts[0] += 1
        counts[1] += size
        if self._put(view[: self._length[0]]):
            self.tally.sent += 1

    def report(self) -> None:
        """Once a second: a sender report of each kind, with what was received of it."""
        assert self._remote is not None
        now = time.time()
        whole = int(now)
        ntp = whole + _NTP_EPOCH, int((now - whole) * 2**32) & 0xFFFFFFFF
        for kind, payload_type in (("audio", self._remote.audio), ("video", self._remote.video)):
            packets, octets = self._sent[kind]
            if not packets:
                continue
            heard = self.incoming[payload_type]
            about = struct.pack("!IIIIII", heard.ssrc, 0, max(0, heard.last), 0, 0, 0) if heard.ssrc else b""
            head = struct.pack("!BBHI", 0x81 if about else 0x80, 200, 12 if about else 6, self.ssrc[kind])
            sums = packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
            self._send_rtcp(head + struct.pack("!IIIII", *ntp, self._stamp_now[kind], *sums) + about)

    def feedback(self) -> None:
        """Ten times a second, as browsers do: every transport-wide number up to the newest one came, evenly spread.

        (A made-up arrival pattern; the servers pass it on or read it all the same.)
        """
        if self._heard_count < 0 or self._heard_from < 0:
            return
        count = (self._heard_count - self._heard_from + 1) & 0xFFFF
        if not 0 < count < 400:
            self._heard_from = (self._heard_count + 1) & 0xFFFF
            return
        self._feedback_serial = (self._feedback_serial + 1) & 0xFF
        body = struct.pack("!HH", self._heard_from, count)
        reference = int(time.monotonic() * 1000 / 64) & 0xFFFFFF
        body += (reference << 8 | self._feedback_serial).to_bytes(4, "big")
        body += struct.pack("!H", 1 << 13 | count) + bytes([min(255, 400 // count)]) * count
        body += bytes(-len(body) % 4)
        self._heard_from = (self._heard_count + 1) & 0xFFFF
        self._send_rtcp(struct.pack("!BBHII", 0x8F, 205, 2 + len(body) // 4, self.ssrc["video"], 0) + body)

    def _send_rtcp(self, packet: bytes) -> None:
        size = len(packet)
        self._buffer[0:size] = packet
        self._length[0] = size
        if not lib.srtp_protect_rtcp(self._tx, self._cdata, self._length):
            self._put(self._view[: self._length[0]])

    # Receiving

    def readable(self) -> None:
        """Empties the socket."""
        receive, view = self.socket.recvmsg_into, self._view
        for _ in range(64):
            try:
                size, ancillary, _, _ = receive([view], ANCILLARY)
            except BlockingIOError:
                return
            except ConnectionRefusedError:  # the server's socket isn't there yet, or has gone
                continue
            except OSError as error:
                self.fail(str(error))
                return
            first = view[0] if size else 0
            if 127 < first < 192:
                if self._rx is None:
                    continue
                if 192 <= view[1] <= 223:
                    self._on_reports(size)
                else:
                    self._on_media(size, ancillary)
            elif first < 4:
                self._on_stun(bytes(view[:size]))
            elif 19 < first < 64:
                self._on_dtls(bytes(view[:size]))

    def _on_reports(self, size: int) -> None:
        """This peer asks for nothing again, and nobody loses what it sends: it needs no reports."""

    def _on_media(self, size: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        view = self._view
        stream = self.incoming.get(view[1] & 0x7F)
        if stream is None:
            return
        stream.packet(view[2] << 8 | view[3], size)
        if stream.sampled or view[1] & 0x80:
            stream.ssrc = _RTP.unpack_from(view, 2)[2]
            self._look(size, ancillary)

    def _look(self, size: int, ancillary: list[tuple[int, int, bytes]]) -> None:
        """Decrypts a sampled packet, and takes its stamp and its transport-wide number."""
        self._length[0] = size
        if lib.srtp_unprotect(self._rx, self._cdata, self._length):
            self.tally.wrong += 1
            return
        view = self._view
        size = self._length[0]
        if view[0] & 0x10:
            for at in (16, 18):
                if view[at] == TWCC_EXTENSION << 4 | 1:
                    self._heard_count = view[at + 1] << 8 | view[at + 2]
                    if self._heard_from < 0:
                        self._heard_from = self._heard_count
                    break
        sent, magic = _STAMPED.unpack_from(view, size - STAMP)
        if magic != MAGIC:
            self.tally.wrong += 1
        elif ancillary:
            seconds, rest = _TIMESPEC.unpack(ancillary[0][2])
            self.tally.latencies_us.append((seconds * 1_000_000_000 + rest - sent) // 1000)

    def reset(self) -> None:
        self.tally = Tally()
        for stream in self.incoming.values():
            stream.reset()
