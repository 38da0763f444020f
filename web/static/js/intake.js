// The intake form: known visitors filled in, types found by a word, papers sent as soon as they are chosen, and what
// is written kept on the server (a shared desk's browser keeps no visitor's data).
import { digits, iconElement, make, register, toast, word } from "./ui.js";

const form = document.getElementById("intake");
const kept = document.getElementById("kept");
const WAIT_MS = 1200;

const field = (name) => form.elements[name];
export const basics = () => {
  const data = new FormData();
  for (const name of ["csrf", "draft", "ticket"]) data.set(name, field(name).value);
  return data;
};
export const post = (path, body) => fetch(path, { method: "POST", body, credentials: "same-origin", headers: { "X-Script": "1" } });

/** Takes over a part of a page that our own server rendered. */
function show(place, html) {
  place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
}

// ── Keeping the draft ────────────────────────────────────────────────
let timer = 0;
let sending = false;

function written() {
  const data = new FormData(form);
  data.delete("once");
  data.delete("papers");
  return data;
}

async function keep() {
  clearTimeout(timer);
  timer = 0;
  if (sending) return;
  try {
    const answer = await post("/intake/draft", written());
    kept.textContent = answer.ok ? `${kept.dataset.kept} ✓` : kept.dataset.lost;
    if (answer.ok) stay();
  } catch {
    kept.textContent = kept.dataset.lost;
  }
}

/** From now on a reload, or the browser's own restoring after a crash, leads back to this very form. */
function stay() {
  const here = new URL(location.href);
  if (here.searchParams.get("draft") === field("draft").value) return;
  here.search = "";
  here.searchParams.set("draft", field("draft").value);
  history.replaceState(null, "", here);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(keep, WAIT_MS);
}

// ── Known visitors ───────────────────────────────────────────────────
const found = document.getElementById("found");
const known = document.getElementById("known");
const DETAILS = ["name", "phone", "language", "section", "sign_language"];
const atFirst = new Map(DETAILS.map((name) => [name, valueOf(name)]));
let asked = "";
let filled = null;

function valueOf(name) {
  const control = field(name);
  return control.type === "checkbox" ? (control.checked ? "1" : "") : control.value;
}

function put(name, value) {
  const control = field(name);
  if (control.type === "checkbox") control.checked = value === "1";
  else if (value || !(control instanceof RadioNodeList)) control.value = value;
}

/** Another number is another person: what came from the one before goes, what was typed by hand stays. */
function forget() {
  if (!filled) return;
  for (const name of DETAILS) if (valueOf(name) === (filled[name] ?? "")) put(name, atFirst.get(name));
  filled = null;
}

/** What was wrong with a field is over once something else stands in it. */
function forgive(name) {
  const control = field(name);
  const box = control instanceof Element ? control.closest(".field--error") : null;
  if (!box) return;
  box.classList.remove("field--error");
  box.querySelector(".field__error")?.remove();
  control.removeAttribute("aria-invalid");
  const list = document.getElementById("form-errors");
  list?.querySelector(`a[href="#f-${name}"]`)?.closest("li").remove();
  if (list && !list.querySelector("li")) list.remove();
}

function fill(person) {
  forget();
  for (const [name, value] of Object.entries(person)) {
    put(name, value);
    forgive(name);
  }
  filled = person;
  asked = person.identity_number;
  soon();
}

function say(text, icon, kind = "who__known") {
  found.replaceChildren(make("p", { class: kind }, iconElement(icon), text));
}

function choose(people) {
  const list = make("div", { class: "who__choices" });
  for (const person of people) {
    const button = make("button", { class: "button button--quiet", type: "button" }, iconElement("user"), make("bdi", {}, person.name), make("bdi", { dir: "ltr", class: "soft" }, person.identity_number));
    button.addEventListener("click", async () => {
      field("identity_number").value = person.identity_number;
      await lookUp(true);
      field("name").focus();
    });
    list.append(button);
  }
  found.replaceChildren(make("p", {}, found.dataset.many), list);
  list.firstElementChild.focus();
}

async function lookUp(really) {
  const text = field("identity_number").value.trim();
  if (!text || (text === asked && !really)) return;
  asked = text;
  document.getElementById("on-file")?.remove(); // it asked about the number before
  const data = basics();
  data.set("q", text);
  try {
    const answer = await post("/intake/visitor", data);
    if (!answer.ok) return;
    const { found: people, html, wrong } = await answer.json();
    if (field("identity_number").value.trim() !== text) return;
    show(known, html);
    if (people.length === 1) {
      fill(people[0]);
      say(found.dataset.known, "check");
    } else if (people.length > 1) {
      choose(people);
    } else if (wrong) {
      forget();
      say(wrong, "warning", "who__wrong");
      if (really) field("identity_number").select();
    } else if (really) {
      forget();
      say(found.dataset.new, "user");
      field("name").focus();
    } else {
      forget();
      found.replaceChildren();
    }
  } catch {
    toast(word("offline"), { tone: "danger" });
  }
}

const plain = (text) => text.replace(/[٠-٩]/g, (digit) => "٠١٢٣٤٥٦٧٨٩".indexOf(digit)).replace(/[\s-]/g, "");

// ── Types ────────────────────────────────────────────────────────────
const filter = document.getElementById("type-filter");
const leaves = [...form.querySelectorAll("[data-leaf]")];

function simple(text) {
  return text
    .normalize("NFKD")
    .replace(/[\u064B-\u065F\u0670\u0640]/g, "")
    .replace(/[أإآٱ]/g, "ا")
    .replace(/ى/g, "ي")
    .replace(/ة/g, "ه")
    .toLowerCase();
}

function sift() {
  const words = simple(filter.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const leaf of leaves) {
    const fits = words.every((part) => simple(leaf.dataset.leaf).includes(part));
    leaf.hidden = !fits;
    shown += fits;
  }
  for (const group of form.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("[data-leaf]:not([hidden])");
  document.getElementById("types-none").hidden = shown > 0;
}

const lane = document.getElementById("lane");
const reason = document.getElementById("lane-reason");

function showLane() {
  const chosen = form.querySelector("input[name=type]:checked");
  const open = chosen !== null && "lane" in chosen.dataset;
  lane.hidden = !open && !lane.querySelector(".field--error");
  if (!open && lane.hidden) field("urgent").checked = false;
  reason.hidden = !field("urgent").checked;
}

// ── Papers ───────────────────────────────────────────────────────────
const papers = document.getElementById("papers");
const progress = document.getElementById("paper-progress");
const limit = Number(document.getElementById("paper-box").dataset.limit) * 1024 * 1024;

/** One paper after the other: what is wrong with one, or with the line, costs none of the others. */
async function send(input) {
  const chosen = [...input.files];
  if (!chosen.length || chosen.some((file) => file.size > limit)) return;
  progress.hidden = false;
  const refused = [];
  const left = new DataTransfer();
  for (const [index, file] of chosen.entries()) {
    progress.textContent = `${progress.dataset.words} ${digits(index + 1)}/${digits(chosen.length)}`;
    const data = basics();
    data.append(input.name, file);
    try {
      refused.push(...(await deliver(data)));
    } catch {
      left.items.add(file);
    }
  }
  progress.hidden = true;
  for (const line of refused) papers.prepend(line);
  input.files = left.files; // what the line lost is still chosen
  input.closest("[data-file]").querySelector("[data-file-list]").replaceChildren();
  if (left.files.length) toast(word("offline"), { tone: "danger" });
  look();
}

/** Sends papers, shows what the form has now, and returns the lines that say what was refused. */
export async function deliver(data) {
  const answer = await post("/intake/papers", data);
  if (!answer.ok) throw new Error(String(answer.status));
  const before = [...papers.querySelectorAll(".field__error")];
  show(papers, await answer.text());
  const said = [...papers.querySelectorAll(".field__error")];
  showLater();
  stay();
  return [...before, ...said];
}

async function remove(button) {
  const data = basics();
  data.set("file", button.value);
  const answer = await post("/intake/papers/remove", data);
  if (answer.ok) show(papers, await answer.text());
  showLater();
  field("papers").focus();
}

// ── More people ──────────────────────────────────────────────────────
const agent = document.getElementById("agent");
const people = document.getElementById("people");
const template = document.getElementById("person-template");
const MOST = 20;

function showAgent(move) {
  agent.hidden = !field("acting").checked;
  if (move && !agent.hidden) field("agent_identity_number").focus();
}

function addPerson(values = {}) {
  const numbers = [...people.querySelectorAll("[data-person]")].map((row) => Number(row.dataset.person));
  if (numbers.length >= MOST) return;
  const n = Math.max(0, ...numbers) + 1;
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.person = n;
  for (const element of row.querySelectorAll("[name], [id], [for]")) {
    for (const name of ["name", "id", "for", "aria-describedby"]) {
      if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace(/p0_/, `p${n}_`));
    }
  }
  people.append(row);
  document.getElementById("beside").open = true;
  for (const [name, value] of Object.entries(values)) {
    const control = row.querySelector(`[name=p${n}_${name}]`);
    if (control) control.value = value;
  }
  row.querySelector("input").focus();
  soon();
}

/** Somebody known is filled in beside the number, wherever in the form the number stands. */
async function fillBeside(input) {
  if (!/^[12]\d{9}$/.test(plain(input.value)) || input.dataset.asked === input.value) return;
  input.dataset.asked = input.value;
  const prefix = input.name.replace("identity_number", "");
  const data = basics();
  data.set("q", input.value);
  const answer = await post("/intake/visitor", data);
  if (!answer.ok) return;
  const { found: known_ } = await answer.json();
  if (known_.length !== 1) return;
  for (const name of ["name", "phone"]) {
    const control = field(prefix + name);
    if (!control.value) control.value = known_[0][name];
    forgive(prefix + name);
  }
  soon();
}

// ── What the type asks for ───────────────────────────────────────────
function showAsked() {
  const chosen = form.querySelector("input[name=type]:checked")?.value;
  for (const box of form.querySelectorAll("[data-asked-of]")) {
    box.hidden = box.dataset.askedOf !== chosen;
    box.disabled = box.hidden;
  }
  showLater();
}

/** That papers follow is asked only where the type wants more than have come. */
function showLater() {
  const wanted = Number(form.querySelector("[data-asked-of]:not([hidden])")?.dataset.required ?? 0);
  const come = papers.querySelectorAll("[data-paper]").length;
  const later = document.getElementById("later");
  later.hidden = come >= wanted && !later.querySelector("input:checked");
}

// ── The same matter, open already? ───────────────────────────────────
const alike = document.getElementById("alike");
let looking = 0;

function look() {
  clearTimeout(looking);
  looking = setTimeout(async () => {
    if (!form.querySelector("input[name=type]:checked") || !field("identity_number").value) return;
    const ticked = form.querySelector("#f-another:checked")?.value ?? "";
    try {
      const answer = await post("/intake/alike", written());
      if (answer.ok) show(alike, await answer.text());
      const box = form.querySelector("#f-another");
      if (box && box.value === ticked) box.checked = true;
    } catch {
      // asked again with the next change, and in any case when the form is sent
    }
  }, 700);
}

// ── Wiring ───────────────────────────────────────────────────────────
field("identity_number").addEventListener("input", (event) => {
  if (/^[12]\d{9}$/.test(plain(event.target.value))) lookUp(false);
});
field("identity_number").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  lookUp(true);
});
document.getElementById("look-up").addEventListener("click", (event) => {
  event.preventDefault();
  lookUp(true);
});
filter.addEventListener("input", sift);
filter.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const first = leaves.find((leaf) => !leaf.hidden)?.querySelector("input");
  if (!first) return;
  first.checked = true;
  first.dispatchEvent(new Event("change", { bubbles: true }));
  filter.value = "";
  sift();
  field(lane.hidden ? "subject" : "urgent").focus();
});
form.addEventListener("change", (event) => {
  if (event.target.name === "papers") {
    send(event.target);
    return;
  }
  if (event.target.name === "proof") {
    send(event.target);
    return;
  }
  if (event.target.name === "type" || event.target.name === "urgent") showLane();
  if (event.target.name === "type") showAsked();
  if (event.target.name === "acting") showAgent(true);
  if (event.target.name === "another") return;
  if (["type", "subject", "body", "identity_number"].includes(event.target.name)) look();
  soon();
});
form.addEventListener("input", (event) => {
  forgive(event.target.name);
  if (event.target !== filter && event.target.name !== "papers") soon();
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  sending = true;
  setTimeout(() => (sending = false), 12000);
});
papers.addEventListener("click", (event) => {
  const button = event.target.closest("[data-paper-remove]");
  if (!button) return;
  event.preventDefault();
  remove(button);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(document.getElementById("send"));
  }
});
document.addEventListener("visibilitychange", () => document.hidden && timer && keep());
register("i", document.querySelector("label[for=f-identity_number]").textContent.trim(), () => field("identity_number").select());
people.addEventListener("click", (event) => {
  const button = event.target.closest("[data-person-remove]");
  if (!button) return;
  button.closest("[data-person]").remove();
  document.getElementById("add-person").focus();
  soon();
});
document.getElementById("add-person").addEventListener("click", (event) => {
  event.preventDefault();
  addPerson();
});
known.addEventListener("click", (event) => {
  const button = event.target.closest("[data-kin]");
  if (!button) return;
  const { kinNumber, kinName, kinPhone, kinRelation } = button.dataset;
  addPerson({ identity_number: kinNumber, name: kinName, phone: kinPhone, relation: kinRelation });
  button.disabled = true;
});
form.addEventListener("input", (event) => {
  if ("personNumber" in event.target.dataset) fillBeside(event.target);
});
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const run = { KeyP: () => addPerson(), KeyS: () => document.getElementById("scan-open").click(), KeyD: () => document.getElementById("note-start").click() }[event.code];
  if (!run) return;
  event.preventDefault();
  run();
});
showLane();
showAsked();
showAgent(false);
