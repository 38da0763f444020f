// Camera and microphone while a meeting goes on: switched off and on, changed for others, gone and back again.
import { listDevices, openTrack } from "./devices.js";

export class Gear {
  #gone = new Map(); // kind → id of the device that ended by itself
  #motion;
  #send;
  #changed;
  #emit;
  #over = false;
  #plugged = () => this.#look();

  // stream: a MediaStream, whose tracks are changed here; motion: keep frame rate before sharpness;
  // send(kind, track or null): what is sent from now on; changed(): tell the others what is on;
  // emit(type, detail): "device" and "error", see client.js
  constructor({ stream, motion, send, changed, emit }) {
    this.stream = stream;
    this.#motion = motion;
    this.#send = send;
    this.#changed = changed;
    this.#emit = emit;
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#plugged);
    stream.getTracks().forEach((track) => this.#mind(track));
  }

  get microphoneOn() {
    return this.stream.getAudioTracks().some((track) => track.enabled && track.readyState === "live");
  }

  get cameraOn() {
    return this.stream.getVideoTracks().some((track) => track.enabled && track.readyState === "live");
  }

  // On opens one where there is none, or none any more.
  async setMicrophone(on) {
    this.stream.getAudioTracks().forEach((track) => (track.enabled = on));
    if (on && !this.microphoneOn) await this.#swap("audio", () => openTrack("audio"));
    else this.#changed();
  }

  // Off releases the camera, so that its light goes out.
  async setCamera(on) {
    if (on !== this.cameraOn) await this.#swap("video", on ? () => openTrack("video") : async () => null);
  }

  async replace(kind, deviceId) {
    await this.#swap(kind, () => openTrack(kind, deviceId));
  }

  stop() {
    this.#over = true;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#plugged);
  }

  async #swap(kind, open) {
    try {
      // Some cameras cannot be opened twice: the old one goes first.
      if (kind === "video") this.#tracks(kind).forEach((track) => track.stop());
      const track = await open();
      if (this.#over) return track?.stop(); // who left while it opened is neither seen nor heard
      // Asked only now: who was muted while it opened stays muted.
      await this.#put(kind, track, kind === "video" || this.#tracks(kind).every((one) => one.enabled));
      this.#emit("device", { kind, what: "here" });
    } catch (error) {
      this.#emit("error", { code: error.code ?? "fault" });
    }
    this.#changed();
  }

  async #put(kind, track, enabled) {
    this.#gone.delete(kind);
    for (const old of this.#tracks(kind)) {
      old.stop();
      this.stream.removeTrack(old);
    }
    if (track) {
      track.enabled = enabled;
      this.stream.addTrack(track);
      this.#mind(track);
    }
    await this.#send(kind, track);
  }

  #tracks(kind) {
    return this.stream.getTracks().filter((track) => track.kind === kind);
  }

  #mind(track) {
    if (track.kind === "video") track.contentHint = this.#motion ? "motion" : "";
    // Fired for what ends by itself alone: a cable that was pulled, a permission that was taken back.
    track.addEventListener("ended", () => !this.#over && this.#tracks(track.kind).includes(track) && this.#ended(track));
  }

  // Another microphone takes the place at once: who speaks wants to be heard. Another camera might show what nobody chose.
  async #ended(track) {
    const { kind } = track;
    this.#gone.set(kind, track.getSettings().deviceId);
    this.#changed();
    let what = "gone";
    try {
      const other = kind === "audio" ? await openTrack(kind) : null;
      if (other && (this.#over || !this.#gone.has(kind))) return other.stop(); // somebody was quicker
      if (other) {
        await this.#put(kind, other, track.enabled);
        this.#changed();
        what = "other";
      } else if (await isDenied("camera")) what = "denied";
    } catch (error) {
      if (error.code === "denied") what = "denied";
    }
    if (!this.#over && this.#gone.has(kind) === (what !== "other")) this.#emit("device", { kind, what });
  }

  // Something was plugged in: what had gone is taken up again.
  async #look() {
    if (!this.#gone.size) return;
    const { cameras, microphones } = await listDevices();
    for (const [kind, found] of [["audio", microphones], ["video", cameras]]) {
      const id = this.#gone.get(kind);
      if (found.some((one) => one.id === id)) await this.replace(kind, id);
    }
  }
}

async function isDenied(name) {
  const asked = await navigator.permissions?.query({ name }).catch(() => null);
  return asked?.state === "denied";
}
