// One leg: the RTCPeerConnection with the media node. The node offers once; sections never change (mid 0 and 1 are
// what we send, the pairs after them the three places in which others are seen), so nothing is ever renegotiated.

import { Care } from "./care.js";
import { Patience } from "./patience.js";

const LISTEN_MS = 500;
const STEADY = 4; // readings in a row that heard something: from then on silence is told after
const STEADY_MS = 1000; // so long; otherwise after
const SPARSE_MS = 3500; // so long: with nobody else there, only the answers to ICE's checks come

export class Peer extends EventTarget {
  #pc;
  #timer;
  #signs = 0;
  #media = 0;
  #lookedAt = 0;
  #heard = 0; // readings in a row
  #usual = SPARSE_MS;
  #senders = {};
  #care = null;
  #patience = new Patience(() => this.#pc.getReceivers().filter(({ track }) => track.kind === "video"));

  // Events: "state" (connectionState); "quiet" (twice a second while nothing is heard of the node, detail: for how long,
  // ms, time asleep not counted) and "heard" (something again); "media" (twice a second, detail: for how long nothing of
  // the others' sound and pictures has come, ms); "sending" (see care.js).
  constructor({ leg, iceServers = [], relayOnly = false }) {
    super();
    this.leg = leg;
    this.tracks = new Map(); // mid → MediaStreamTrack
    this.quiet = 0; // ms without a sign of life
    this.unheard = 0; // ms without sound or pictures
    this.spent = false; // its replacement was asked for
    const iceTransportPolicy = relayOnly ? "relay" : "all";
    this.#pc = new RTCPeerConnection({ iceServers, iceTransportPolicy, bundlePolicy: "max-bundle" });
    this.#pc.addEventListener("connectionstatechange", () => {
      this.dispatchEvent(new CustomEvent("state", { detail: this.#pc.connectionState }));
    });
    this.#timer = setInterval(() => this.#listen(), LISTEN_MS);
    this.#pc.addEventListener("track", ({ track, transceiver }) => this.tracks.set(transceiver.mid, track));
  }

  get connected() {
    return this.#pc.connectionState === "connected";
  }

  // Whether it may go on by itself: ICE keeps trying for some fifteen seconds before it gives up.
  get alive() {
    return !this.spent && ["connected", "disconnected"].includes(this.#pc.connectionState);
  }

  // Takes the node's offer and returns the answer. Candidates need not be waited for: the node is ICE lite and
  // learns our addresses from our checks. `wishes`: {signs, maxBitrate, maxFramerate}, see care.js.
  async answer(sdp, stream, wishes) {
    const pc = this.#pc;
    await pc.setRemoteDescription({ type: "offer", sdp });
    for (const [mid, kind] of [["0", "audio"], ["1", "video"]]) {
      const transceiver = pc.getTransceivers().find((one) => one.mid === mid);
      transceiver.direction = "sendonly";
      this.#senders[kind] = transceiver.sender;
      await transceiver.sender.replaceTrack(stream?.getTracks().find((track) => track.kind === kind) ?? null);
    }
    await pc.setLocalDescription();
    const text = pc.localDescription.sdp;
    this.#care = new Care(pc, this.#senders, wishes, (detail) => this.dispatchEvent(new CustomEvent("sending", { detail })));
    await this.#care.begin();
    return text;
  }

  async send(kind, track) {
    await this.#senders[kind]?.replaceTrack(track);
  }

  stats() {
    return this.#pc.getStats();
  }

  close() {
    clearInterval(this.#timer);
    this.#care?.stop();
    this.#pc.close();
  }

  // Our own watch: the browser says "disconnected" after six or seven seconds.
  async #listen() {
    if (!this.alive) return;
    let signs = 0;
    let media = 0;
    const report = await this.#pc.getStats();
    report.forEach((entry) => {
      if (entry.type === "candidate-pair") signs += (entry.bytesReceived ?? 0) + (entry.responsesReceived ?? 0);
      else if (entry.type === "inbound-rtp") media += entry.packetsReceived ?? 0;
    });
    this.#patience.look(report);
    const now = performance.now();
    const passed = Math.min(now - this.#lookedAt, 2 * LISTEN_MS);
    this.#lookedAt = now;
    if (!this.alive) return;
    this.unheard = media === this.#media ? this.unheard + passed : 0;
    this.#media = media;
    this.dispatchEvent(new CustomEvent("media", { detail: this.unheard }));
    if (signs !== this.#signs) {
      this.#signs = signs;
      this.#heard += 1;
      const before = this.quiet;
      this.quiet = 0;
      this.#care?.hold(false);
      if (before >= this.#usual) this.dispatchEvent(new Event("heard"));
      return;
    }
    if (this.quiet === 0) this.#usual = this.#heard >= STEADY ? STEADY_MS : SPARSE_MS;
    this.#heard = 0;
    this.quiet += passed;
    if (this.#usual === STEADY_MS) this.#care?.hold(true);
    if (this.quiet >= this.#usual) this.dispatchEvent(new CustomEvent("quiet", { detail: this.quiet }));
  }
}
