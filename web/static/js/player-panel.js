// Beside the picture: tabs, what was written (searchable, shown as captions), notes.
import { say, searchForm, show } from "./player-time.js";
import { digits, make, refresh, toast } from "./ui.js";

const csrf = document.querySelector("meta[name=csrf]").content;

export function openTab(name) {
  document.getElementById(`tab-${name}`)?.click();
}

export function wireTabs() {
  const tabs = [...document.querySelectorAll(".panel__tab")];
  const choose = (tab) =>
    tabs.forEach((one) => {
      const on = one === tab;
      one.setAttribute("aria-selected", String(on));
      one.tabIndex = on ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
    });
  tabs.forEach((tab, n) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const forward = (event.key === "ArrowLeft") === (document.documentElement.dir === "rtl");
      const next = tabs[(n + (forward ? 1 : tabs.length - 1)) % tabs.length];
      event.preventDefault();
      choose(next);
      next.focus();
    });
  });
}

export function wireText(go) {
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  let lines = [];
  let shown = null;

  function look() {
    const wanted = searchForm(find.value).split(" ").filter(Boolean);
    let n = 0;
    for (const line of lines) {
      const here = wanted.every((word) => line.find.includes(word));
      line.item.hidden = !here;
      if (here) n += 1;
    }
    found.textContent = !wanted.length ? "" : n ? say("found", { n: digits(n), all: digits(lines.length) }) : say("nothing-found");
  }

  function read() {
    lines = [...document.querySelectorAll("#transcript [data-at]")].map((item) => ({
      item,
      at: Number(item.dataset.at),
      end: Number(item.dataset.end),
      find: item.dataset.find,
      who: item.dataset.who,
      text: item.dataset.text,
    }));
    find.closest(".panel__search").hidden = !lines.length;
    if (find.value) look();
  }

  find.addEventListener("input", look);
  find.addEventListener("keydown", (event) => {
    const first = lines.find((line) => !line.item.hidden);
    if (event.key === "Enter" && first) {
      event.preventDefault();
      go(first.at);
    }
  });
  read();

  return {
    read,
    /** The line to show at that second, or null; marks it in the transcript. */
    at(seconds) {
      let now = null;
      for (const line of lines) if (line.at <= seconds && seconds < line.end) now = line;
      if (now !== shown) {
        shown?.item.removeAttribute("aria-current");
        now?.item.setAttribute("aria-current", "true");
        if (now && !find.value && !now.item.closest("[hidden]")) keepInView(now.item);
        shown = now;
      }
      return now;
    },
  };
}

/** Scrolls the panel, never the page. */
function keepInView(item) {
  const box = item.closest(".panel__page");
  const [inner, outer] = [item.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollBy({ top: inner.top - outer.top - outer.height / 3 });
}

async function post(path, values = {}) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "x-csrf": csrf, accept: "application/json" }, body: new URLSearchParams(values), credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    refresh();
    return true;
  } catch {
    toast(say("failed"), { tone: "danger" });
    return false;
  }
}

export function wireNotes(sides) {
  const form = document.getElementById("note-form");
  const area = form.elements.text;
  const place = document.getElementById("note-at");
  let at = null; // the moment at which one began to write; until then the note's place runs along

  area.addEventListener("input", () => {
    if (!area.value.trim()) at = null;
    else at ??= sides.time;
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape") area.blur();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = area.value;
    if (!text.trim()) return;
    const moment = at ?? sides.time;
    area.value = "";
    at = null;
    if (!(await post(form.action, { at: moment.toFixed(1), text }))) {
      area.value ||= text;
      at = moment;
    }
  });

  document.getElementById("note-list").addEventListener("click", async ({ target }) => {
    const note = target.closest("[data-note]");
    if (!note) return;
    const path = `/library/notes/${note.dataset.note}`;
    if (target.closest("[data-edit]")) edit(note, path);
    if (target.closest("[data-delete]") && (await post(`${path}/delete`))) {
      toast(say("deleted"), { action: { label: say("undo"), run: () => post(`${path}/restore`) } });
    }
  });

  return {
    show(seconds) {
      const text = show(at ?? seconds);
      if (place.textContent !== text) place.textContent = text;
    },
    begin() {
      openTab("notes");
      area.focus();
    },
  };
}

function edit(note, path) {
  if (note.querySelector("form")) return;
  const words = note.querySelector(".note__text");
  const field = make("textarea", { class: "input", rows: 3, maxlength: 1000, dir: "auto", "aria-label": say("note-text") });
  field.value = words.textContent;
  const save = make("button", { class: "button button--primary button--small", type: "submit" }, say("save"));
  const cancel = make("button", { class: "button button--ghost button--small", type: "button" }, say("cancel"));
  const form = make("form", { class: "note__edit", "data-guard": "off", "data-submit-once": "off" }, field, make("div", { class: "note__own" }, save, cancel));
  const own = note.querySelector(".note__own");
  const close = () => {
    form.remove();
    note.removeAttribute("data-still");
    words.hidden = own.hidden = false;
  };
  note.setAttribute("data-still", "");
  words.hidden = own.hidden = true;
  note.append(form);
  field.focus();
  cancel.addEventListener("click", () => {
    close();
    refresh();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (!field.value.trim()) return;
    note.removeAttribute("data-still");
    if (await post(`${path}/change`, { text: field.value })) {
      words.textContent = field.value.trim();
      close();
    } else {
      note.setAttribute("data-still", "");
    }
  });
}
