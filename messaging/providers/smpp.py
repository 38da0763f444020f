"""SMPP 3.4: one bound line with a window, kept alive, and raised again after every fall. See docs/decisions/019."""

import asyncio
import itertools
import ssl
from random import uniform
from struct import unpack

import structlog

from messaging.providers import pdu
from messaging.providers.base import Answer, Heard, Line, Part, Receipt
from messaging.providers.config import Setup
from messaging.states import CREATED, FAILED, SENT, TEMPORARY, UNKNOWN

log = structlog.get_logger(__name__)
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
MUCH = 256 * 1024  # octets waiting in our own buffer: the other side does not read
BOUND = "RALYBND"  # the name of "already bound" (§5.1.3, 0x05)
REMEMBERED = 5000  # parts whose answer was too late, in case it comes after all


class Broken(Exception):
    """The line is of no more use; says why."""


class SmppGateway:
    kind = "smpp"
    later = True
    """What is handed over in one turn of the loop leaves in one write, at the end of that turn."""

    def __init__(self, setup: Setup) -> None:
        self.name, self.setup = setup.name, setup
        self.host, self.port = str(setup.option("host")), int(setup.option("port", 2775))
        self.system_id, self.password = str(setup.option("system_id")), str(setup.option("password", ""))
        self.bind_kind = str(setup.option("bind", "transceiver"))
        self.keep_alive = float(setup.option("keep_alive", 30))
        self.trouble = "not connected yet"
        pdu.bind(self.bind_kind, 1, self.system_id, self.password, str(setup.option("system_type", "")))
        self._tls = _context(setup)
        self._bound = False
        self._sequence = itertools.count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, tuple[asyncio.Future[Answer], Part, float]] = {}
        self._late: dict[int, Part] = {}
        self._out: list[bytes] = []
        self._heard_at = 0.0
        self._asked_at = 0.0

    @property
    def ready(self) -> bool:
        return self._bound and self.bind_kind != "receiver"

    async def run(self, line: Line) -> None:
        wait = FIRST_WAIT_S
        while True:
            try:
                await self._live(line)
            except asyncio.CancelledError:
                self._say(pdu.unbind(self._next()))
                raise
            except (OSError, asyncio.IncompleteReadError, TimeoutError, Broken) as error:
                self.trouble = str(error) or type(error).__name__
            finally:
                wait = FIRST_WAIT_S if self._bound else wait
                self._fall(line)
            log.warning("line to the gateway is down", gateway=self.name, trouble=self.trouble, next_s=round(wait, 1))
            await asyncio.sleep(wait * uniform(0.8, 1.2))  # noqa: S311
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def submit(self, part: Part) -> Answer:
        if not self.ready or self._writer is None:
            return Answer(CREATED, error=self.trouble)
        sequence = self._next()
        try:
            said = pdu.submit(
                part,
                sequence,
                service_type=str(self.setup.option("service_type", "")),
                validity=bool(self.setup.option("validity", True)),
            )
        except ValueError as error:
            return Answer(FAILED, error=str(error), ours=True)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting[sequence] = answer, part, loop.time() + self.setup.timeout
        self._say(said)
        return await answer

    async def probe(self) -> str:
        """Bind and unbind. "Already bound" is a yes: the account knows us, and a worker has the line."""
        try:
            async with asyncio.timeout(self.setup.timeout):
                reader, self._writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls)
                await self._bind(reader)
                self._say(pdu.unbind(self._next()))
                self._flush()
                await self._writer.drain()
        except TimeoutError:
            return f"no answer in {self.setup.timeout:g} s"
        except Broken as error:
            return "" if str(error).endswith(BOUND) else str(error)
        except (OSError, asyncio.IncompleteReadError) as error:
            return f"not reached: {error or type(error).__name__}"
        finally:
            if self._writer is not None:
                self._writer.close()
        return ""

    async def _live(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self.setup.timeout):
            reader, self._writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls, limit=2**18)
            await self._bind(reader)
        self._heard_at = loop.time()
        self._bound, self.trouble = True, ""
        log.info("line to the gateway is up", gateway=self.name)
        line.stirred()
        keeper = asyncio.create_task(self._keep())
        try:
            while True:
                command, status, sequence, body = await _read(reader)
                self._heard_at = loop.time()
                self._hear(command, status, sequence, body, line)
                if keeper.done():
                    keeper.result()
        finally:
            keeper.cancel()
            if keeper.done() and not keeper.cancelled() and (error := keeper.exception()):
                raise error

    async def _bind(self, reader: asyncio.StreamReader) -> None:
        sequence = self._next()
        system_type = str(self.setup.option("system_type", ""))
        self._say(pdu.bind(self.bind_kind, sequence, self.system_id, self.password, system_type))
        while True:
            command, status, answered, _body = await _read(reader)
            if answered == sequence and command in (pdu.BINDS[self.bind_kind][1] | pdu.ANSWER, pdu.GENERIC_NACK):
                break
        if status:
            raise Broken(f"bind refused: {pdu.status_of(status)[1]}")
        if command == pdu.GENERIC_NACK:
            raise Broken("bind not understood")

    def _hear(self, command: int, status: int, sequence: int, body: bytes, line: Line) -> None:
        if command == pdu.SUBMIT | pdu.ANSWER:
            self._answered(sequence, _answer(status, body), line)
        elif command == pdu.GENERIC_NACK:
            self._answered(sequence, Answer(TEMPORARY, error=pdu.status_of(status)[1]), line)
        elif command == pdu.DELIVER:
            self._delivered(sequence, body, line)
        elif command == pdu.ENQUIRE:
            self._say(pdu.enquired(sequence))
        elif command == pdu.UNBIND:
            self._say(pdu.unbound(sequence))
            raise Broken("the gateway ended the session")
        elif command == pdu.UNBIND | pdu.ANSWER:
            raise Broken("the session has ended")
        elif not command & pdu.ANSWER:
            self._say(pdu.nack(sequence))

    def _answered(self, sequence: int, answer: Answer, line: Line) -> None:
        found = self._waiting.pop(sequence, None)
        if found is not None:
            if not found[0].done():
                found[0].set_result(answer)
        elif (part := self._late.pop(sequence, None)) and answer.state == SENT:
            line.heard(Heard(self.name, Receipt(answer.provider_id, SENT, "late answer", key=part.key)))

    def _delivered(self, sequence: int, body: bytes, line: Line) -> None:
        what = pdu.meaning(pdu.read_deliver(body))
        if what is None:
            log.warning("a receipt names no message", gateway=self.name, octets=body.hex()[:400])
            self._say(pdu.delivered(sequence))
            return
        writer = self._writer

        def kept() -> None:
            if writer is self._writer and writer is not None:  # else it will be told again, on the new line
                self._say(pdu.delivered(sequence))

        line.heard(Heard(self.name, what, kept))

    async def _keep(self) -> None:
        """Once a second: answers that are overdue, a peer that says nothing, a buffer that nobody empties."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self.setup.timeout / 4))
            now = loop.time()
            for sequence, (answer, part, until) in list(self._waiting.items()):
                if now < until:
                    break
                del self._waiting[sequence]
                self._late[sequence] = part
                while len(self._late) > REMEMBERED:
                    del self._late[next(iter(self._late))]
                if not answer.done():
                    answer.set_result(Answer(UNKNOWN, error=f"no answer in {self.setup.timeout:g} s"))
            silent = now - self._heard_at
            if silent > self.keep_alive and self._asked_at < self._heard_at:
                self._asked_at = now
                self._say(pdu.enquire(self._next()))
            elif self._asked_at >= self._heard_at and now - self._asked_at > self.setup.timeout:
                self._break("the gateway says nothing any more")
            if self._writer and self._writer.transport.get_write_buffer_size() > MUCH:
                self._break("the gateway reads nothing any more")

    def _break(self, why: str) -> None:
        if self._writer:
            self._writer.transport.abort()
        raise Broken(why)

    def _fall(self, line: Line) -> None:
        stood, self._bound = self._bound, False
        self._flush()
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        waiting, self._waiting = self._waiting, {}
        self._late.clear()
        for answer, _part, _until in waiting.values():
            if not answer.done():
                answer.set_result(Answer(UNKNOWN, error="the line fell before an answer"))
        if stood:
            line.stirred()

    def _say(self, said: bytes) -> None:
        self._out.append(said)
        if len(self._out) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        said, self._out = b"".join(self._out), []
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(said)

    def _next(self) -> int:
        sequence = next(self._sequence)
        if sequence >= 0x7FFFFFFF:
            self._sequence = itertools.count(1)
        return sequence


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    """Command, status, sequence number, body. Raises Broken for what is no SMPP."""
    length, command, status, sequence = unpack("!IIII", await reader.readexactly(pdu.HEADER))
    if not pdu.HEADER <= length <= pdu.LONGEST:
        raise Broken(f"no SMPP: a PDU of {length} octets")
    return command, status, sequence, await reader.readexactly(length - pdu.HEADER)


def _answer(status: int, body: bytes) -> Answer:
    if status == 0:
        return Answer(SENT, pdu.identity(body))
    state, name = pdu.status_of(status)
    return Answer(state, error=name, hurried=status in pdu.HURRIED, ours=state == FAILED)


def _context(setup: Setup) -> ssl.SSLContext | None:
    """`tls`: true. `ca`: a file of certificates to trust instead of the system's. `certificate`: ours, with its key."""
    if not setup.option("tls", False):
        return None
    context = ssl.create_default_context(cafile=setup.options.get("ca"))
    if certificate := setup.options.get("certificate"):
        context.load_cert_chain(certificate)
    return context
