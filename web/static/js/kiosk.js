// The device in the hall: prints by itself where it has a printer (open /kiosk/<centre>?printer=on once on that device),
// and forgets form choices when a page comes back from the browser's memory.
import { print } from "./small.js";

const KEY = "majlis:kiosk:printer";
const asked = new URLSearchParams(location.search).get("printer");
if (asked) localStorage.setItem(KEY, asked);

const slip = document.querySelector(".slip");
if (slip && localStorage.getItem(KEY) === "on") {
  const seen = `majlis:printed:${location.pathname}`;
  if (!sessionStorage.getItem(seen)) {
    sessionStorage.setItem(seen, "1");
    const code = slip.querySelector("img");
    const go = () => print("slip");
    if (!code || code.complete) go();
    else code.addEventListener("load", go, { once: true });
  }
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach((form) => form.reset());
});
