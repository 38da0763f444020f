// Put into a page before anything else: its media go through a door of the proxy, and what it sees and hears is noted.
(() => {
  const peers = [];
  const remote = new WeakSet();
  const doors = new Map();
  const watched = new WeakSet();
  const notes = { frames: [], samples: [] };
  const epoch = (at = performance.now()) => performance.timeOrigin + at;
  let timers = [];

  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description, ...more) {
    if (description?.type !== "offer") return original.call(this, description, ...more);
    peers.push(this);
    this.addEventListener("track", ({ track }) => remote.add(track));
    return original.call(this, { type: "offer", sdp: await led(description.sdp) }, ...more);
  };

  // The offer with every UDP candidate of the node replaced by a door.
  async function led(sdp) {
    if (!window.lineDoor) return sdp;
    const lines = sdp.split("\r\n");
    for (let at = 0; at < lines.length; at += 1) {
      const parts = lines[at].split(" ");
      if (!lines[at].startsWith("a=candidate:") || parts[2].toLowerCase() !== "udp") continue;
      const target = `${parts[4]} ${parts[5]}`;
      if (!doors.has(target)) doors.set(target, await window.lineDoor(parts[4], Number(parts[5])));
      lines[at] = [...parts.slice(0, 4), "127.0.0.1", doors.get(target), ...parts.slice(6)].join(" ");
    }
    return lines.join("\r\n");
  }

  // Every picture as it is put on the screen: [when, how many were until then, width, height].
  function look() {
    for (const video of document.querySelectorAll("video")) {
      const theirs = video.srcObject?.getVideoTracks?.().some((track) => remote.has(track));
      if (!theirs || watched.has(video)) continue;
      watched.add(video);
      const seen = (now, frame) => {
        notes.frames.push([epoch(now), frame.presentedFrames, frame.width, frame.height]);
        video.requestVideoFrameCallback(seen);
      };
      video.requestVideoFrameCallback(seen);
    }
  }

  const SUMS = {
    "inbound-rtp audio": [
      "packetsReceived", "packetsLost", "packetsDiscarded", "fecPacketsReceived", "concealedSamples", "concealmentEvents",
      "silentConcealedSamples", "totalSamplesReceived", "totalAudioEnergy", "jitterBufferDelay", "jitterBufferEmittedCount",
      "insertedSamplesForDeceleration", "removedSamplesForAcceleration",
    ],
    "inbound-rtp video": [
      "packetsReceived", "packetsLost", "bytesReceived", "framesDecoded", "framesDropped", "keyFramesDecoded", "freezeCount",
      "totalFreezesDuration", "nackCount", "pliCount", "retransmittedPacketsReceived", "frameWidth", "frameHeight",
      "jitterBufferDelay", "jitterBufferEmittedCount",
    ],
    "outbound-rtp audio": ["packetsSent", "bytesSent"],
    "outbound-rtp video": [
      "packetsSent", "bytesSent", "retransmittedPacketsSent", "retransmittedBytesSent", "framesEncoded", "frameWidth",
      "frameHeight", "targetBitrate", "nackCount", "pliCount",
    ],
  };

  // One reading of the newest connection: {at, state, in: {audio, video}, out: {audio, video}, rtt, available, limited}.
  async function read() {
    const peer = peers.at(-1);
    const found = { at: epoch(), peer: peers.length, state: peer?.connectionState ?? null };
    found.in = { audio: {}, video: {} };
    found.out = { audio: {}, video: {} };
    if (!peer || peer.connectionState === "closed") return found;
    (await peer.getStats()).forEach((entry) => {
      if (entry.type === "candidate-pair" && entry.nominated) {
        found.rtt = entry.currentRoundTripTime;
        found.available = entry.availableOutgoingBitrate;
      }
      if (entry.type === "outbound-rtp" && entry.kind === "video") found.limited = entry.qualityLimitationReason;
      const names = SUMS[`${entry.type} ${entry.kind}`];
      if (!names || entry.packetsReceived === 0) return;
      const sums = (entry.type === "inbound-rtp" ? found.in : found.out)[entry.kind];
      for (const name of names) sums[name] = (sums[name] ?? 0) + (entry[name] ?? 0);
    });
    return found;
  }

  window.line = {
    peers,
    read,
    watch(everyMs) {
      timers.forEach(clearInterval);
      look();
      timers = [
        setInterval(look, 200),
        setInterval(async () => notes.samples.push(await read()), everyMs),
      ];
    },
    // What was noted since it was last taken.
    take() {
      return { frames: notes.frames.splice(0), samples: notes.samples.splice(0), now: epoch() };
    },
  };
})();
