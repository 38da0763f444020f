"""A recorded call as aiortc's own examples would build it: peer connections, a relay, a recorder. Decodes everything.

    python -m bench.media.relay FOLDER

Lines of JSON: `{"call": NUMBER}` is answered by two offers, `{"answers": [sdp, sdp]}` by nothing; ends with stdin.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRecorder, MediaRelay
from aiortc.mediastreams import MediaStreamTrack


class Call:
    def __init__(self, folder: Path, number: int) -> None:
        setting = RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self.sides = [RTCPeerConnection(setting), RTCPeerConnection(setting)]
        self.recorders = [MediaRecorder(str(folder / f"{number}-{side}.webm")) for side in (0, 1)]
        self._relay = MediaRelay()
        for index, side in enumerate(self.sides):
            side.on("track", lambda track, index=index: self._came(index, track))

    async def offers(self) -> list[str]:
        texts = []
        for side in self.sides:
            for kind in ("audio", "video"):
                side.addTransceiver(kind, "sendrecv")
            await side.setLocalDescription(await side.createOffer())
            texts.append(side.localDescription.sdp)
        return texts

    async def answered(self, texts: list[str]) -> None:
        for side, text in zip(self.sides, texts, strict=True):
            await side.setRemoteDescription(RTCSessionDescription(text, "answer"))
        for recorder in self.recorders:
            await recorder.start()

    def _came(self, index: int, track: MediaStreamTrack) -> None:
        self.recorders[index].addTrack(self._relay.subscribe(track))
        for transceiver in self.sides[1 - index].getTransceivers():
            if transceiver.kind == track.kind:
                transceiver.sender.replaceTrack(self._relay.subscribe(track))

    async def close(self) -> None:
        for recorder in self.recorders:
            await recorder.stop()
        for side in self.sides:
            await side.close()


async def main(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    calls: list[Call] = []
    ending = asyncio.create_task(over.wait())
    while True:
        reading = asyncio.create_task(reader.readline())
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if over.is_set() or not (line := reading.result()):
            break
        words: dict[str, Any] = json.loads(line)
        if "call" in words:
            calls.append(Call(folder, words["call"]))
            print(json.dumps({"offers": await calls[-1].offers()}), flush=True)
        else:
            await calls[-1].answered(words["answers"])
    for call in calls:
        await call.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
