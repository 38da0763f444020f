// What past petitions suggest as the type, while the words are written. One press takes it; the clerk decides.
import { basics, post } from "./intake.js";
import { digits, iconElement, make } from "./ui.js";

const form = document.getElementById("intake");
const place = document.getElementById("suggested");
const WAIT_MS = 900;
let timer = 0;
let number = 0;

const words = () => ["subject", "body"].map((name) => form.elements[name].value.trim());

function choose(id) {
  const radio = form.querySelector(`input[name="type"][value="${CSS.escape(id)}"]`);
  if (!radio) return;
  radio.click();
  show([]);
}

/** Nothing is said of the type that is chosen already. */
function show(types) {
  const chosen = form.querySelector('input[name="type"]:checked')?.value;
  const others = types.length && types[0].id === chosen ? [] : types.filter((one) => one.id !== chosen);
  place.hidden = !others.length;
  place.replaceChildren(
    ...(others.length ? [make("span", { class: "soft" }, place.dataset.label)] : []),
    ...others.map((one) => {
      const button = make("button", { class: "button button--quiet", type: "button" }, iconElement("check"), make("span", {}, one.name), make("span", { class: "soft" }, `${digits(one.percent)}${place.dataset.percent}`));
      button.addEventListener("click", () => choose(one.id));
      return button;
    }),
  );
}

async function ask() {
  const [subject, body] = words();
  const mine = (number += 1);
  const data = basics();
  data.set("subject", subject);
  data.set("body", body);
  try {
    const answer = await post("/intake/suggest", data);
    if (answer.ok && mine === number) show((await answer.json()).types);
  } catch {
    // without the line there is no suggestion, and none is needed
  }
}

for (const name of ["subject", "body"]) {
  form.elements[name].addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
}
