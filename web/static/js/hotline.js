// A call that rings opens the page of who is calling, unless the agent is in the midst of writing something.
import { isDirty } from "/static/js/ui.js";

let opened = null;

function open() {
  const call = document.querySelector("#ringing [data-opens]");
  if (!call || opened === call.dataset.key) return;
  opened = call.dataset.key;
  const writing = document.querySelector("dialog[open]") || [...document.forms].some(isDirty);
  if (!writing) location.assign(call.href);
}

document.addEventListener("majlis:refreshed", open);
open();
