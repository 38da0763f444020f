// One leg: the RTCPeerConnection with the media node. The node offers once; sections never change (mid 0 and 1 are
// what we send, the pairs after them the three places in which others are seen), so nothing is ever renegotiated.

import { Care } from "./care.js";

const DISCONNECTED_MS = 3000;

export class Peer extends EventTarget {
  #pc;
  #timer = null;
  #senders = {};
  #care = null;

  // Events: "state" (connectionState), "broken" (wants to be replaced), "sending" (see care.js).
  constructor({ leg, iceServers = [], relayOnly = false }) {
    super();
    this.leg = leg;
    this.tracks = new Map(); // mid → MediaStreamTrack
    const iceTransportPolicy = relayOnly ? "relay" : "all";
    this.#pc = new RTCPeerConnection({ iceServers, iceTransportPolicy, bundlePolicy: "max-bundle" });
    this.#pc.addEventListener("connectionstatechange", () => this.#changed());
    this.#pc.addEventListener("track", ({ track, transceiver }) => this.tracks.set(transceiver.mid, track));
  }

  get connected() {
    return this.#pc.connectionState === "connected";
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
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#care?.stop();
    this.#pc.close();
  }

  #changed() {
    const state = this.#pc.connectionState;
    clearTimeout(this.#timer);
    this.#timer = null;
    if (state === "failed") this.dispatchEvent(new Event("broken"));
    if (state === "disconnected") {
      this.#timer = setTimeout(() => this.dispatchEvent(new Event("broken")), DISCONNECTED_MS);
    }
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
