// What a browser can tell about the connection, in a few numbers and one word.

const WEAK = { loss: 0.08, rtt: 0.6, fps: 12 };

export class QualityProbe {
  #before = new Map();

  // `report` of RTCPeerConnection.getStats(); returns {level, rtt, loss, fps: {mid: n}, sentBitrate}.
  read(report) {
    const reading = { level: "good", rtt: null, loss: 0, fps: {}, bitrate: {}, sentBitrate: 0 };
    let lost = 0;
    let received = 0;
    report.forEach((entry) => {
      if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime !== undefined) {
        reading.rtt = entry.currentRoundTripTime;
      } else if (entry.type === "inbound-rtp") {
        const change = this.#change(entry, ["packetsLost", "packetsReceived", "bytesReceived"]);
        lost += Math.max(0, change.packetsLost);
        received += change.packetsReceived;
        reading.bitrate[entry.mid] = change.rate("bytesReceived");
        if (entry.kind === "video") reading.fps[entry.mid] = entry.framesPerSecond ?? 0;
      } else if (entry.type === "outbound-rtp") {
        reading.sentBitrate += this.#change(entry, ["bytesSent"]).rate("bytesSent");
      }
    });
    reading.loss = lost + received > 0 ? lost / (lost + received) : 0;
    if (reading.loss > WEAK.loss || reading.rtt > WEAK.rtt) reading.level = "weak";
    return reading;
  }

  #change(entry, names) {
    const before = this.#before.get(entry.id);
    this.#before.set(entry.id, entry);
    const seconds = before ? (entry.timestamp - before.timestamp) / 1000 : 0;
    const change = { rate: (name) => (seconds > 0 ? (8 * change[name]) / seconds : 0) };
    for (const name of names) change[name] = (entry[name] ?? 0) - (before?.[name] ?? 0);
    return change;
  }
}
