// The faces on the stage: one tile for everybody else who is here, the interpreter pinned at the inline end.
import { iconElement, make } from "./words.js";

const ORDER = ["visitor", "official", "aide", "interpreter"];

export class Stage {
  #tiles = new Map();

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
      this.#trouble(tile, one.state === "reconnecting" ? "peer_away" : null);
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

  quality(id, level) {
    const tile = this.#tiles.get(id);
    if (tile) this.#trouble(tile, level === "silent" ? "peer_away" : null);
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.detach(id);
  }

  #tile(id) {
    if (this.#tiles.has(id)) return this.#tiles.get(id);
    const video = make("video", { playsinline: true, autoplay: true });
    const name = make("span", { class: "face__name" });
    const empty = make("p", { class: "face__empty", hidden: true }, iconElement("camera-off"));
    const trouble = make("p", { class: "face__trouble", hidden: true, role: "status" });
    const element = make("figure", { class: "face", "data-face": id, tabindex: 0 }, video, empty, trouble, name);
    const choose = () => {
      this.chosen = this.chosen === id ? null : id;
      this.#arrange();
    };
    element.addEventListener("click", choose);
    element.addEventListener("keydown", (event) => event.key === "Enter" && choose());
    const tile = { element, video, name, empty, trouble, role: "" };
    this.#tiles.set(id, tile);
    return tile;
  }

  #trouble(tile, key) {
    tile.trouble.hidden = key === null;
    if (key) tile.trouble.textContent = this.say(key);
  }

  #arrange() {
    const tiles = [...this.#tiles.values()].sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
    const signed = tiles.length === 2 && tiles.some((tile) => tile.role === "interpreter");
    this.stage.className = `stage${signed ? " stage--interpreter" : tiles.length > 1 ? ` stage--${Math.min(tiles.length, 3)}` : ""}`;
    const chosen = tiles.length > 1 && this.#tiles.has(this.chosen);
    this.stage.classList.toggle("stage--chosen", chosen);
    for (const [id, tile] of this.#tiles) tile.element.classList.toggle("face--chosen", chosen && id === this.chosen);
    this.stage.querySelector(".stage__alone")?.remove();
    if (!tiles.length) this.stage.append(make("p", { class: "stage__alone" }, this.say("waiting_for")));
    tiles.forEach((tile, index) => {
      if (this.stage.children[index] !== tile.element) this.stage.insertBefore(tile.element, this.stage.children[index] ?? null);
    });
  }
}
