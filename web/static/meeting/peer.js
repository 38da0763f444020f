// One leg: the RTCPeerConnection with the media node. The node offers once; sections never change (mid 0 and 1 are
// what we send, the pairs after them the three places in which others are seen), so nothing is ever renegotiated.

const DISCONNECTED_MS = 3000;

export class Peer extends EventTarget {
  #pc;
  #timer = null;
  #senders = {};

  // Events: "state" (connectionState), "broken" (wants to be replaced).
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
  // learns our addresses from our checks.
  async answer(sdp, stream, { maxBitrate, maxFramerate, degradation }) {
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
    await this.#limit(maxBitrate, maxFramerate, degradation);
    return text;
  }

  async #limit(maxBitrate, maxFramerate, degradation) {
    const sender = this.#senders.video;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], { maxBitrate, maxFramerate });
    parameters.degradationPreference = degradation;
    await sender.setParameters(parameters).catch(() => {});
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
