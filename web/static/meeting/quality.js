// What a browser can tell about its own connection: the numbers, and one word with its cause. Nothing here touches the
// page or the network. The node judges the two ways of every
// participant (video/media/judgement.py). What is missing here may be missing since the sender, so loss is the node's to
// judge; a browser alone sees its machine, and its own round trip at once.

export const SLOW_S = 0.5; // of round trip: two such legs pass the 400 ms one way of ITU-T G.114
export const SLUGGISH_FPS = 15; // EN 301 549 §6.5.3 asks for 20; a machine below this is told of, not one just at it
export const CALM_S = 4;

const RANK = { good: 0, weak: 1 };
const ENOUGH = 25; // packets below which a loss is no rate

export class QualityProbe {
  #before = new Map();
  #line = new Steady();

  // `report` of RTCPeerConnection.getStats(), some two seconds after the one before. Rates in bits and frames a second,
  // times in seconds. `level` and `why` are calm; the numbers are of the moment. What a browser doesn't tell is null.
  read(report) {
    const entries = new Map();
    report.forEach((entry) => entries.set(entry.id, entry));
    const reading = {
      rtt: null, loss: 0, lossUp: null, jitter: null, up: 0, down: 0, available: null,
      sent: null, limited: null, seen: {}, way: null,
    };
    let at = 0;
    let lost = 0;
    let expected = 0;
    for (const entry of entries.values()) {
      at = Math.max(at, entry.timestamp ?? 0);
      if (entry.type === "candidate-pair" && (entry.nominated || entry.selected)) {
        reading.rtt = entry.currentRoundTripTime ?? reading.rtt;
        reading.available = entry.availableOutgoingBitrate ?? reading.available;
        const mine = entries.get(entry.localCandidateId);
        if (mine) reading.way = { type: mine.candidateType, protocol: mine.relayProtocol ?? mine.protocol ?? null };
      } else if (entry.type === "inbound-rtp") {
        const change = this.#change(entry, ["packetsLost", "packetsReceived", "bytesReceived", "framesDecoded"]);
        lost += Math.max(0, change.packetsLost);
        expected += Math.max(0, change.packetsLost) + change.packetsReceived;
        reading.down += change.rate("bytesReceived");
        if (entry.kind === "audio") reading.jitter = Math.max(reading.jitter ?? 0, entry.jitter ?? 0);
        else if (change.packetsReceived > 0) {
          reading.seen[entry.mid] = {
            width: entry.frameWidth ?? null, height: entry.frameHeight ?? null,
            track: entry.trackIdentifier ?? null, fps: Math.round(entry.framesPerSecond ?? change.persecond("framesDecoded")),
            bitrate: change.rate("bytesReceived"),
          };
        }
      } else if (entry.type === "outbound-rtp") {
        const change = this.#change(entry, ["bytesSent", "framesSent"]);
        reading.up += change.rate("bytesSent");
        if (entry.kind === "video" && change.framesSent > 0) {
          reading.sent = {
            width: entry.frameWidth ?? null, height: entry.frameHeight ?? null,
            fps: Math.round(entry.framesPerSecond ?? change.persecond("framesSent")),
          };
          reading.limited = entry.qualityLimitationReason ?? null;
        }
      } else if (entry.type === "remote-inbound-rtp") {
        reading.lossUp = Math.max(reading.lossUp ?? 0, entry.fractionLost ?? 0);
      }
    }
    reading.loss = expected >= ENOUGH ? lost / expected : 0;
    return { ...reading, ...this.#line.look(judge(reading), at / 1000) };
  }

  #change(entry, names) {
    const before = this.#before.get(entry.id);
    this.#before.set(entry.id, entry);
    const seconds = before ? (entry.timestamp - before.timestamp) / 1000 : 0;
    const change = {
      rate: (name) => (seconds > 0 ? (8 * change[name]) / seconds : 0),
      persecond: (name) => (seconds > 0 ? change[name] / seconds : 0),
    };
    for (const name of names) change[name] = (entry[name] ?? 0) - (before?.[name] ?? 0);
    return change;
  }
}

// {level: good | weak, why: null | delay | machine}: as it is at this moment.
export function judge({ rtt, sent, limited }) {
  if (rtt !== null && rtt > SLOW_S) return { level: "weak", why: "delay" };
  if (limited === "cpu" && sent && sent.fps > 0 && sent.fps < SLUGGISH_FPS) return { level: "weak", why: "machine" };
  return { level: "good", why: null };
}

// Worse at once; better, or another cause, only when it has lasted. `now` in seconds.
export class Steady {
  shown = { level: "good", why: null };
  #coming = this.shown; // what it has been since then, and would be said in its time
  #since = 0;

  look(verdict, now) {
    if (!same(verdict, this.#coming)) {
      this.#coming = verdict;
      this.#since = now;
    }
    const worse = RANK[verdict.level] > RANK[this.shown.level];
    if (worse || (!same(verdict, this.shown) && now - this.#since >= CALM_S)) this.shown = verdict;
    return this.shown;
  }
}

function same(one, other) {
  return one.level === other.level && one.why === other.why;
}
