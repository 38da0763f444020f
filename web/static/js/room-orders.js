// The button "Order": the moment is kept at the press, the words are written while the meeting goes on.
import { digits, make } from "./words.js";

export class Orders {
  constructor({ button, list, empty, say, post }) {
    Object.assign(this, { button, list, empty, say, post });
    button.addEventListener("click", () => this.#mark());
  }

  async #mark() {
    this.button.disabled = true;
    try {
      const { id, offset_s } = await this.post("/directives");
      this.#ask(id, offset_s);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.button.disabled = false;
    }
  }

  #ask(id, offset) {
    const place = `order-${id}`;
    const minutes = digits(`${Math.floor(offset / 60)}:${String(Math.floor(offset) % 60).padStart(2, "0")}`);
    const area = make("textarea", { class: "input input--area", id: place, rows: 3, dir: "auto", maxlength: 4000 });
    const save = make("button", { class: "button button--primary", type: "submit" }, this.say("save"));
    const state = make("p", { class: "orders__state", role: "status" });
    const form = make(
      "form",
      { class: "orders__form" },
      make("label", { for: place }, make("bdi", { dir: "ltr", class: "orders__at" }, minutes), " ", this.say("order_marked")),
      area,
      save,
      state,
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!area.value.trim()) return area.focus();
      save.disabled = true;
      try {
        await this.post(`/directives/${id}`, { text: area.value });
        form.replaceChildren(make("p", { dir: "auto" }, area.value), make("p", { class: "orders__state" }, this.say("order_saved")));
      } catch (error) {
        state.textContent = error.message || this.say("order_failed");
        save.disabled = false;
      }
    });
    this.empty.hidden = true;
    this.list.prepend(make("li", { class: "orders__one", "data-order": id }, form));
    area.focus();
  }

  #fail(error) {
    this.list.prepend(make("li", { class: "orders__one", role: "alert" }, error.message || this.say("order_failed")));
  }
}
