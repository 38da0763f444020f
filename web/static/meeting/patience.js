// How long a receiver waits for what is sent again. A browser learns it by freezing, picture after picture, and forgets it
// soon; on a long line with losses it is told instead (`jitterBufferTarget`). The price is a later picture, and sound
// that keeps to it, so it is paid only where losses show, and given back when they are over.

const LONG_S = 0.2; // a round trip from which what is sent again comes too late by itself
const LOSSY = 0.01; // requests for a picture's packet, of those that came
const LEAST_MS = 250;
const MOST_MS = 500;
const SPARE_MS = 120; // for noticing the loss and asking, beyond the round trip
const FREEZES = 2; // within
const LATELY_MS = 10000; // tell of a line whose length we don't see: the sender's
const STEADY = 2; // readings with losses within the last five: a line that was cut for a moment is no lossy one
const CALM_MS = 20000;
const EVERY_MS = 1000;

// The rule: what is waited for from now on, ms (0: as the browser likes). `reading`: {rtt (s), lost (share), freezes (more
// since the last reading)}, once a second; `memory` is kept between readings.
export function waitFor(reading, memory, now) {
  memory.target ??= 0;
  memory.frozen = (memory.frozen ?? []).filter((at) => now - at < LATELY_MS);
  memory.lossy = [...(memory.lossy ?? []).slice(-4), reading.lost >= LOSSY];
  if (reading.lost >= LOSSY) {
    memory.lossyAt = now;
    for (let one = 0; one < reading.freezes; one += 1) memory.frozen.push(now);
  }
  if (memory.lossy.filter(Boolean).length >= STEADY) {
    let wanted = 0;
    if (reading.rtt >= LONG_S) wanted = reading.rtt * 1000 + SPARE_MS;
    if (memory.frozen.length >= FREEZES) {
      wanted = Math.max(wanted, memory.target + LEAST_MS / 2, LEAST_MS + LEAST_MS / 2);
      memory.frozen = [];
    }
    if (wanted > memory.target) memory.target = Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(wanted)));
  } else if (memory.target && now - memory.lossyAt >= CALM_MS) {
    memory.target = 0;
    memory.frozen = [];
  }
  return memory.target;
}

export class Patience {
  #receivers;
  #memory = {};
  #before = null;
  #target = 0;

  // receivers() gives the RTCRtpReceivers of the others' pictures
  constructor(receivers) {
    this.#receivers = receivers;
  }

  // `report` of getStats; as often as one likes, looked at once a second.
  look(report, now = performance.now()) {
    if (this.#before && now - this.#before.at < EVERY_MS) return;
    const sum = { at: now, packets: 0, nacks: 0, freezes: 0 };
    let rtt = 0;
    report.forEach((entry) => {
      if (entry.type === "candidate-pair" && entry.nominated) rtt = entry.currentRoundTripTime ?? rtt;
      if (entry.type !== "inbound-rtp" || entry.kind !== "video") return;
      sum.packets += entry.packetsReceived ?? 0;
      sum.nacks += entry.nackCount ?? 0;
      sum.freezes += entry.freezeCount ?? 0;
    });
    const before = this.#before;
    this.#before = sum;
    if (!before || sum.packets <= before.packets) return;
    const lost = (sum.nacks - before.nacks) / (sum.packets - before.packets);
    const target = waitFor({ rtt, lost, freezes: Math.max(0, sum.freezes - before.freezes) }, this.#memory, now);
    if (target === this.#target) return;
    this.#target = target;
    for (const receiver of this.#receivers()) {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = target || null;
    }
  }
}
