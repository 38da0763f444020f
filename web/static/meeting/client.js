// A participant's side of a meeting: signalling, the leg, and coming back after a drop. It draws nothing: a page
// listens to its events and calls its methods. The protocol is docs/protocols/meeting.md.
//
//   const client = new MeetingClient({ url: "/media/ws", token, stream });
//   client.addEventListener("remote-track", ({ detail }) => …);
//   client.start();
//
// Events (data in `detail`):
//   state         {state}: connecting, lobby, joining, here, reconnecting, closed
//   presence      {participants: [{id, role, name_ar, name_en, state, audio, video, held, spared}], self};
//                 spared: their picture is not sent to us, so that our sound stays whole
//   remote-track  {participant, kind, track, stream}; comes again when a stream is replaced
//   remote-gone   {participant}
//   recording     {state: starting, on, lost; startedAt, why}
//   quality       {participant, level: good, weak, silent; …numbers for oneself}
//   sending       {video: full, reduced, paused; width, fps, kbps}: what the line leaves of one's own picture; paused:
//                 it is held back so that the sound survives, and comes back by itself
//   text          {participant, line, text, final}
//   marked        {kind, at, by, ref}
//   refused       {what, why}
//   closed        {reason}: see CloseReason in the protocol; "no_token" where a fresh token was needed and not had
//   device        {kind: audio, video; what}: what ended by itself (a cable, a permission) is `gone` or `denied`; `other`:
//                 another microphone has taken its place; `here`: it was opened, changed or switched off on purpose
//   error         {code}: camera and microphone, see devices.js

import { Gear } from "./gear.js";
import { Hearing } from "./hearing.js";
import { Link } from "./link.js";
import { Peer } from "./peer.js";
import { Places } from "./places.js";
import { QualityProbe } from "./quality.js";
import { Secret } from "./secret.js";
import { Writing } from "./writing.js";

const TOKEN_MS = [300, 700, 1500, 3000, 6000, 10000]; // between attempts to get a fresh token
const RECOVER_MS = 1200; // the network is back: so long the leg that was may take to go on by itself
const ONLY_MEDIA_MS = 12000; // signalling answers all the time: so long it may take then
const SHOWN_MS = 2000; // of silence, before the person is told
const QUALITY_MS = 2000;
const DOUBTS = [
  [globalThis, "online"],
  [globalThis, "pageshow"],
  [globalThis.document, "resume"],
  [globalThis.document, "visibilitychange"],
  [globalThis.navigator?.connection, "change"],
];
const AGAIN_WITH_RESUME = new Set(["too_slow", "silent", "stopping", "fault"]);
const AGAIN_WITH_TOKEN = new Set(["expired_token", "used_token", "bad_token", "bad_resume", "busy", "moved"]);

export class MeetingClient extends EventTarget {
  #options;
  #link;
  #peer = null;
  #gear;
  #state = "new";
  #attempts = 0;
  #retryTimer = null;
  #timers = [];
  #welcomedAt = 0;
  #token;
  #secret;
  #iceServers = [];
  #slots = [];
  #places = new Places((type, detail) => this.#emit(type, detail));
  #recording = { state: "off", startedAt: null, why: null };
  #clockAhead = 0;
  #probe = new QualityProbe();
  #level = null;
  #held = false;
  #hearing = new Hearing();
  #writing = new Writing((values) => this.#send("text", values), () => this.#link.ask());
  #heard = null; // the number of the last text that came
  #doubt = () => this.#link.doubt();

  // url           of the socket, same origin ("/media/ws") or absolute
  // token         to join with; may be null when this tab has joined before
  // stream        MediaStream of camera and microphone; tracks may be missing
  // refreshToken  async () => token, called when a fresh one is needed (optional); what it throws may carry `again`
  // motion        true in meetings with an interpreter: the visitor and the interpreter keep frame rate before resolution
  // relayOnly     true where only the TURN server may be spoken to (strict networks)
  // storage       where the secret for coming back is kept; null keeps it in memory only
  constructor({
    url,
    token = null,
    stream = null,
    refreshToken = null,
    motion = false,
    maxBitrate = 2_500_000,
    maxFramerate = 30,
    relayOnly = false,
    storage = globalThis.sessionStorage,
  }) {
    super();
    this.#options = { url, refreshToken, motion, maxBitrate, maxFramerate, relayOnly, storage };
    this.#token = token;
    this.stream = stream ?? new MediaStream();
    this.#gear = new Gear({
      stream: this.stream,
      motion,
      send: (kind, track) => this.#peer?.send(kind, track),
      changed: () => this.#tellMedia(),
      emit: (type, detail) => this.#emit(type, detail),
    });
    this.participants = [];
    this.self = null;
    this.#secret = new Secret(storage, token);
    this.#link = new Link(url);
    this.#link.addEventListener("open", () => this.#join());
    this.#link.addEventListener("message", ({ detail }) => this.#handle(detail));
    this.#link.addEventListener("lost", ({ detail }) => this.#lost(detail));
  }

  get state() {
    return this.#state;
  }

  get recording() {
    return this.#recording;
  }

  // Seconds since the recording started by the node's clock; null before.
  get elapsed() {
    const { startedAt } = this.#recording;
    return startedAt === null ? null : Math.max(0, Date.now() / 1000 + this.#clockAhead - startedAt);
  }

  get microphoneOn() {
    return this.#gear.microphoneOn;
  }

  get cameraOn() {
    return this.#gear.cameraOn;
  }

  start() {
    if (this.#state !== "new") return;
    DOUBTS.forEach(([target, event]) => target?.addEventListener(event, this.#doubt));
    this.#timers.push(setInterval(() => this.#measure(), QUALITY_MS));
    this.#become("connecting");
    this.#link.start();
  }

  // Leaves for good; the others see it at once.
  leave() {
    this.#send("leave");
    this.#finish("left");
  }

  admit(participant) {
    this.#send("admit", { participant });
  }

  end() {
    this.#send("end");
  }

  // Notes a moment in the recording ("order", …); answered by the event "marked" with the same `ref`.
  mark(kind, data = {}) {
    const ref = crypto.randomUUID();
    this.#send("mark", { kind, data, ref });
    return ref;
  }

  // Real-time text: call with the line as it stands at every change, with `final` when it is done. What is written while
  // the network is away is kept, and arrives when it is back.
  sendText(text, final = true) {
    this.#writing.write(text, final);
  }

  setMicrophone(on) {
    return this.#gear.setMicrophone(on);
  }

  // Off releases the camera, so that its light goes out.
  setCamera(on) {
    return this.#gear.setCamera(on);
  }

  replaceDevice(kind, deviceId) {
    return this.#gear.replace(kind, deviceId);
  }

  stats() {
    return this.#peer?.stats() ?? Promise.resolve(new Map());
  }

  // The signalling connection

  #join() {
    const leg = this.#peer?.alive ? this.#peer.leg : undefined;
    const heard = this.#heard ?? undefined;
    const resume = this.#secret.value;
    this.#link.send("join", resume ? { resume, leg, heard } : { token: this.#token, heard });
  }

  #lost({ reason, delay }) {
    if (this.#state === "closed") return;
    this.#writing.closed();
    if (reason === null || AGAIN_WITH_RESUME.has(reason)) {
      if (!this.#peer?.alive) this.#become(this.self ? "reconnecting" : "connecting");
      this.#link.again(delay);
    } else if (AGAIN_WITH_TOKEN.has(reason)) {
      this.#withFreshToken(reason);
    } else {
      this.#finish(reason);
    }
  }

  async #withFreshToken(reason) {
    const resumed = reason === "bad_resume";
    this.#secret.keep(null);
    if (!resumed) this.#token = null;
    if (!this.#token && this.#options.refreshToken && this.#attempts < TOKEN_MS.length) {
      const wait = TOKEN_MS[this.#attempts++];
      try {
        this.#token = await this.#options.refreshToken(reason);
      } catch (error) {
        if (error?.again || error instanceof TypeError) {
          clearTimeout(this.#retryTimer);
          this.#retryTimer = setTimeout(() => this.#withFreshToken(reason), wait);
          return;
        }
      }
    }
    if (this.#state === "closed") return;
    if (this.#token) this.#link.again(200);
    else this.#finish(resumed ? "no_token" : reason);
  }

  #send(type, values = {}) {
    this.#link.send(type, values);
  }

  #handle(message) {
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "lobby":
        this.#writing.closed();
        this.#dropPeer();
        return this.#become("lobby");
      case "admitted":
        if (!this.#peer?.alive) this.#become("joining");
        this.#tellMedia();
        return this.#writing.opened();
      case "offer":
        return this.#offered(message);
      case "slots":
        this.#slots = message.slots;
        return this.#announce();
      case "presence":
        this.participants = message.participants;
        return this.#emit("presence", { participants: message.participants, self: this.self });
      case "recording":
        this.#clockAhead = message.now - Date.now() / 1000;
        this.#recording = { state: message.state, startedAt: message.started_at, why: message.why };
        return this.#emit("recording", this.#recording);
      case "taken":
        return this.#writing.taken(message.number);
      case "text":
        this.#heard = message.number ?? this.#heard;
        return this.#pass(message);
      case "quality":
        this.#hearing.told(message);
        return this.#pass(message);
      case "marked":
      case "refused":
        return this.#pass(message);
      default:
        return undefined;
    }
  }

  #pass({ type, ...detail }) {
    this.#emit(type, detail);
  }

  #welcome(message) {
    this.#attempts = 0;
    this.#link.settle();
    this.#welcomedAt = Date.now();
    this.self = message.participant;
    this.role = message.role;
    this.#iceServers = message.ice_servers;
    this.#clockAhead = message.now - Date.now() / 1000;
    this.#heard ??= message.heard ?? null;
    if (message.resume) this.#secret.keep(message.resume, this.#token);
    if (!message.leg) this.#dropPeer();
    else if (this.#peer?.spent) this.#send("renew", { leg: message.leg });
    else if (this.#peer?.connected && this.#peer.quiet < SHOWN_MS) this.#become("here");
  }

  // The leg

  async #offered({ leg, sdp }) {
    this.#dropPeer();
    const peer = new Peer({ leg, iceServers: this.#iceServers, relayOnly: this.#options.relayOnly });
    this.#peer = peer;
    peer.addEventListener("quiet", ({ detail }) => peer === this.#peer && this.#quiet(peer, detail));
    peer.addEventListener("heard", () => {
      if (peer !== this.#peer) return;
      this.#link.doubt(); // the network is back: so should the link be
      if (peer.connected) this.#become("here");
    });
    peer.addEventListener("media", ({ detail }) => {
      if (peer !== this.#peer) return;
      const expected = this.#recording.state === "on" && this.#hearing.expects(this.participants, this.self);
      if (this.#hearing.isDeaf(detail, expected, Date.now())) this.#renew(peer);
    });
    peer.addEventListener("sending", ({ detail }) => peer === this.#peer && this.#sent(detail));
    peer.addEventListener("state", ({ detail }) => {
      if (peer !== this.#peer) return;
      if (detail === "connected") this.#become("here");
      else if (this.#state === "here" && detail !== "new") this.#become("reconnecting");
      if (detail === "failed") this.#renew(peer);
    });
    try {
      const { motion, maxBitrate, maxFramerate } = this.#options;
      const signs = motion && (this.role === "visitor" || this.role === "interpreter");
      const answer = await peer.answer(sdp, this.stream, { signs, maxBitrate, maxFramerate });
      if (peer !== this.#peer) return;
      this.#send("answer", { leg, sdp: answer });
      this.#announce();
    } catch (error) {
      if (peer !== this.#peer) return;
      this.#emit("error", { code: "fault", message: String(error) });
    }
  }

  // Nothing is heard of the node on the leg. It is kept as long as it may go on by itself, which is quicker than any
  // new one; when the network is there and the leg still isn't, another is asked for.
  #quiet(peer, quiet) {
    if (quiet >= SHOWN_MS && this.#state === "here") this.#become("reconnecting");
    this.#link.ask();
    const now = Date.now();
    const back = this.#welcomedAt > now - quiet; // on another link than before
    const answers = this.#link.heardAt > now - RECOVER_MS;
    if (back ? now - this.#welcomedAt >= RECOVER_MS : answers && quiet >= ONLY_MEDIA_MS) this.#renew(peer);
  }

  // Where signalling is away too, `join` says the same: a leg that is not named is replaced.
  #renew(peer) {
    if (!peer.spent) this.#send("renew", { leg: peer.leg });
    peer.spent = true;
  }

  #dropPeer() {
    this.#peer?.close();
    this.#peer = null;
    this.#probe = new QualityProbe();
  }

  #announce() {
    this.#places.announce(this.#slots, this.#peer?.tracks ?? null);
  }

  #tellMedia() {
    this.#send("media", { audio: this.microphoneOn, video: this.cameraOn, held: this.#held && this.cameraOn });
  }

  #sent(sending) {
    const held = sending.video === "paused";
    if (held !== this.#held) {
      this.#held = held;
      this.#tellMedia();
    }
    this.#emit("sending", sending);
  }

  async #measure() {
    const peer = this.#peer;
    if (!peer?.connected) return;
    const reading = this.#probe.read(await peer.stats());
    if (reading.level !== this.#level || reading.level !== "good") {
      this.#level = reading.level;
      this.#emit("quality", { participant: this.self, ...reading });
    }
  }

  // Small things

  #become(state) {
    if (state === this.#state || this.#state === "closed") return;
    this.#state = state;
    this.#emit("state", { state });
  }

  #finish(reason) {
    if (this.#state === "closed") return;
    clearTimeout(this.#retryTimer);
    this.#timers.forEach(clearInterval);
    this.#gear.stop();
    DOUBTS.forEach(([target, event]) => target?.removeEventListener(event, this.#doubt));
    this.#dropPeer();
    this.#writing.closed();
    this.#link.stop();
    if (reason !== "taken_over") this.#secret.keep(null);
    this.#become("closed");
    this.#emit("closed", { reason });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
