// The faces on the stage: one tile for everybody else who is here, the interpreter pinned at the inline end.
import { iconElement, make } from "./words.js";
import { barsElement } from "./room-line.js";

const ORDER = ["visitor", "official", "aide", "interpreter"];

export class Stage {
  #tiles = new Map();
  #speaker = ""; // the browser's own choice

  constructor({ stage, say, lang, interpreted }) {
    Object.assign(this, { stage, say, lang, interpreted, chosen: null });
    this.#arrange();
  }

  /** Everybody else as the node tells them: [{id, role, name_ar, name_en, state, video}]. */
  presence(others) {
    const here = others.filter((one) => one.state !== "lobby");
    for (const id of [...this.#tiles.keys()]) if (!here.some((one) => one.id === id)) this.detach(id);
    for (const one of here) {
      const tile = this.#tile(one.id);
      tile.role = one.role;
      tile.name.replaceChildren(make("bdi", {}, (this.lang === "ar" ? one.name_ar : one.name_en) || this.say(`role_${one.role}`)));
      tile.element.classList.toggle("face--whole", this.interpreted || one.role === "interpreter");
      tile.large.setAttribute("aria-label", `${this.say("make_large")} ${tile.name.textContent}`);
      tile.empty.hidden = one.video !== false;
    }
    this.#arrange();
  }

  attach(id, kind, stream) {
    const tile = this.#tile(id);
    if (tile.video.srcObject !== stream) tile.video.srcObject = stream;
    tile.video.play().catch(() => {});
    this.#arrange();
  }

  detach(id) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    tile.video.srcObject = null;
    tile.element.remove();
    this.#tiles.delete(id);
    this.#arrange();
  }

  /** One sentence over a face (null: none), and bars beside its name where not all three are lit. */
  trouble(id, text, bars) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    tile.trouble.hidden = text === null;
    if (text && tile.trouble.textContent !== text) tile.trouble.replaceChildren(make("span", {}, text));
    if (tile.bars.dataset.bars !== String(bars)) {
      const shown = barsElement(bars, "");
      tile.bars.replaceWith(shown);
      tile.bars = shown;
    }
    tile.bars.hidden = bars === 3;
  }

  /** From which loudspeaker everybody is heard, whoever comes later too: a private talk stays in the headset. */
  speak(id) {
    this.#speaker = id;
    for (const { video } of this.#tiles.values()) video.setSinkId?.(id).catch(() => {});
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.detach(id);
  }

  #tile(id) {
    if (this.#tiles.has(id)) return this.#tiles.get(id);
    const video = make("video", { playsinline: true, autoplay: true });
    if (this.#speaker) video.setSinkId?.(this.#speaker).catch(() => {});
    const name = make("span", {});
    const bars = barsElement(3, "");
    bars.hidden = true;
    const empty = make("p", { class: "face__empty", hidden: true }, iconElement("camera-off"));
    const trouble = make("p", { class: "face__trouble", hidden: true });
    const large = make("button", { class: "face__large", type: "button", hidden: true }, iconElement("expand"));
    const plate = make("figcaption", { class: "face__name" }, bars, name);
    const element = make("figure", { class: "face", "data-face": id }, video, empty, trouble, plate, large);
    element.addEventListener("click", () => {
      this.chosen = this.chosen === id ? null : id;
      this.#arrange();
    });
    const tile = { element, video, name, bars, empty, trouble, large, role: "" };
    this.#tiles.set(id, tile);
    return tile;
  }

  #arrange() {
    const tiles = [...this.#tiles.values()].sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
    const signed = tiles.length === 2 && tiles.some((tile) => tile.role === "interpreter");
    this.stage.className = `stage${signed ? " stage--interpreter" : tiles.length > 1 ? ` stage--${Math.min(tiles.length, 3)}` : ""}`;
    const chosen = tiles.length > 1 && this.#tiles.has(this.chosen);
    this.stage.classList.toggle("stage--chosen", chosen);
    for (const [id, tile] of this.#tiles) {
      tile.element.classList.toggle("face--chosen", chosen && id === this.chosen);
      tile.large.hidden = tiles.length < 2;
      tile.large.setAttribute("aria-pressed", String(chosen && id === this.chosen));
    }
    this.stage.querySelector(".stage__alone")?.remove();
    if (!tiles.length) this.stage.append(make("p", { class: "stage__alone" }, this.say("waiting_for")));
    tiles.forEach((tile, index) => {
      if (this.stage.children[index] !== tile.element) this.stage.insertBefore(tile.element, this.stage.children[index] ?? null);
    });
  }
}
