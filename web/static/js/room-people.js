// Whom a host sees in the room, and the way out of it: asked once more, and undone by "Invite again".
import { iconElement, make } from "./words.js";

export class People {
  #leaving = null;

  /** `list`: who is here; `sheet`: the question, with its `[data-name]` and `[data-sure]`; `after`: where the eye goes on. */
  constructor({ section, sheet, name, say, post, after }) {
    Object.assign(this, { section, sheet, name, say, post, after, list: section.querySelector("ul") });
    this.sure = sheet.querySelector("[data-sure]");
    this.wrong = sheet.querySelector("[role=alert]");
    this.sure.addEventListener("click", () => this.#showOut());
  }

  /** Everybody else as the node tells them: [{id, role, name_ar, name_en, state}]. */
  presence(others) {
    this.section.hidden = others.length === 0;
    const known = new Map([...this.list.children].map((row) => [row.dataset.person, row]));
    for (const [id, row] of known) if (!others.some((one) => one.id === id)) row.remove();
    for (const one of others) if (!known.has(one.id)) this.list.append(this.#row(one));
    if (this.sheet.open && !others.some((one) => one.id === this.#leaving)) this.sheet.close(); // went by themselves
  }

  #row(one) {
    const name = this.name(one);
    const out = make("button", { class: "button button--ghost", type: "button", "data-show-out": one.id, "aria-haspopup": "dialog" }, iconElement("door"), this.say("show_out"), make("span", { class: "sr-only" }, ` ${name}`));
    out.addEventListener("click", () => this.#ask(one.id, name));
    const row = make("li", { class: "people__one", "data-person": one.id }, make("span", {}, make("bdi", {}, name), make("span", { class: "soft" }, ` · ${this.say(`role_${one.role}`)}`)));
    if (one.role !== "official") row.append(out); // whose meeting it is
    return row;
  }

  #ask(id, name) {
    this.#leaving = id;
    this.sheet.querySelector("[data-name]").textContent = name;
    this.wrong.hidden = true;
    this.sure.disabled = false;
    this.sheet.showModal();
  }

  async #showOut() {
    this.sure.disabled = true;
    try {
      await this.post(`/remove/${this.#leaving}`);
      this.sheet.close();
      this.after.focus({ preventScroll: true }); // else it is lost with the row
    } catch (error) {
      this.wrong.textContent = error.message || this.say("show_out_failed");
      this.wrong.hidden = false;
      this.sure.disabled = false;
    }
  }
}
