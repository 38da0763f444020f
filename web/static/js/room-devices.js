// Changing camera, microphone and loudspeaker in mid-call; echo and noise.
import { listDevices } from "/static/meeting/devices.js";
import { digits, make } from "./words.js";

const $ = (id) => document.getElementById(id);

export class Devices {
  constructor({ button, sheet, client, speak }) {
    Object.assign(this, { sheet, client, speak });
    button.addEventListener("click", () => this.#open());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => sheet.open && this.#list());
    $("in-camera").addEventListener("change", ({ target }) => this.client()?.replaceDevice("video", target.value));
    $("in-microphone").addEventListener("change", ({ target }) => this.client()?.replaceDevice("audio", target.value));
    $("in-speaker").addEventListener("change", ({ target }) => this.speak(target.value));
    for (const id of ["echo", "noise"]) $(id).addEventListener("change", () => this.#treat());
  }

  close() {
    if (this.sheet.open) this.sheet.close();
  }

  async #open() {
    await this.#list();
    this.sheet.showModal();
  }

  async #list() {
    const { cameras, microphones, speakers } = await listDevices();
    const stream = this.client()?.stream;
    this.#fill($("in-camera"), cameras, stream?.getVideoTracks()[0]?.getSettings().deviceId);
    this.#fill($("in-microphone"), microphones, stream?.getAudioTracks()[0]?.getSettings().deviceId);
    this.#fill($("in-speaker"), speakers, $("in-speaker").value);
  }

  #fill(select, devices, chosen) {
    select.replaceChildren(
      ...devices.map((device, index) => {
        const option = make("option", { value: device.id }, device.label || digits(index + 1));
        option.selected = device.id === chosen;
        return option;
      }),
    );
    select.closest(".field").hidden = devices.length === 0;
  }

  #treat() {
    const wished = { echoCancellation: $("echo").checked, noiseSuppression: $("noise").checked };
    for (const track of this.client()?.stream.getAudioTracks() ?? []) track.applyConstraints(wished).catch(() => {});
  }
}
