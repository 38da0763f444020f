// Live screens: the socket only hints that something changed; the page then asks for itself again and takes over
// what differs inside [data-region] elements. So whatever a person may not see never reaches the browser.
import { morph, sameContent } from "./morph.js";
import { make, word } from "./words.js";

const QUIET_MS = 80; // several changes in one breath become one refetch
const ANSWER_MS = 10000; // a fetch that hangs on a dead line must not keep the next one from its turn
const PATIENCE_MS = 3000; // shorter breaks of the line are nobody's business
const ASLEEP_MS = 60000;
const RETRY_MS = 2500; // doubling to
const LONGEST_MS = 60000;
const GONE_TRIES = 3; // a page that is still not there then has gone; the next hint asks once more

let bar = null;
let barTimer = 0;
let running = false;
let again = false;
let failures = 0;
let retryTimer = 0;
let linked = true; // false only while a socket of ours is down

function showBar(text, link = null) {
  clearTimeout(barTimer);
  hideBar();
  bar = make("div", { class: "lost", role: "status" }, make("span", { class: "lost__dot", "aria-hidden": "true" }), make("span", {}, text), link);
  document.body.append(bar);
}

/** For a page whose buttons say so themselves: html[data-lost]. */
const say = (lost) => document.documentElement.toggleAttribute("data-lost", lost);

function hideBar() {
  clearTimeout(barTimer);
  barTimer = 0;
  say(false);
  bar?.remove();
  bar = null;
}

function lost() {
  if (bar || barTimer) return;
  barTimer = setTimeout(() => {
    showBar(word("lost"));
    say(true);
  }, PATIENCE_MS);
}

function signedOut() {
  showBar(word("signed-out"), make("a", { class: "button button--quiet", href: location.href }, word("sign-in")));
}

/** Bring this page's live regions to the shape they have in `html`. */
export function take(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  let changed = false;
  for (const region of document.querySelectorAll("[data-region][id]")) {
    const wanted = fresh.getElementById(region.id);
    if (!wanted || sameContent(region, wanted)) continue;
    morph(region, wanted);
    changed = true;
  }
  document.dispatchEvent(new CustomEvent("majlis:refreshed", { detail: { changed } }));
}

function later() {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(refresh, Math.min(RETRY_MS * 2 ** failures, LONGEST_MS));
  failures += 1;
}

/** Asks for this page again. Calls during a running one are folded into one more. */
export async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const answer = await fetch(location.href, { headers: { "X-Fragment": "1" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    const there = new URL(answer.url).pathname;
    const elsewhere = answer.redirected && there !== location.pathname && !location.pathname.startsWith(`${there}/`); // a refused form's address leads back to its page
    if (answer.status === 401 || answer.status === 403 || elsewhere) {
      signedOut();
    } else if (answer.ok) {
      failures = 0;
      clearTimeout(retryTimer);
      take(await answer.text());
      if (linked) hideBar();
    } else if ((answer.status !== 404 && answer.status !== 410) || failures < GONE_TRIES) {
      later();
    }
  } catch {
    lost();
    later();
  } finally {
    running = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function topicsOf(page) {
  const words = [page.body.dataset.live, page.querySelector("main")?.dataset.live].filter(Boolean).join(" ");
  return [...new Set(words.split(/\s+/).filter(Boolean))];
}

export async function wireLive() {
  const topics = topicsOf(document);
  if (!topics.length) return null;
  const { io } = await import("/static/vendor/socket.io/socket.io.esm.min.js");
  const socket = io({ path: "/socket.io", transports: ["websocket"], reconnectionDelayMax: 5000 });
  let timer = 0;
  let hiddenSince = 0;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, document.body.dataset.eager === undefined ? QUIET_MS : 0);
  };
  const broken = () => {
    linked = false;
    lost();
  };
  socket.on("connect", () => {
    linked = true;
    hideBar();
    socket.emit("watch", { topics });
    soon(); // whatever happened between the rendering (or the break) and now
  });
  socket.on("disconnect", broken);
  socket.on("connect_error", broken);
  socket.on("changed", ({ topic, at } = {}) => {
    if (!topic || topics.includes(topic)) soon();
    document.dispatchEvent(new CustomEvent("majlis:changed", { detail: { topic, at } }));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenSince = Date.now();
    else if (Date.now() - hiddenSince > ASLEEP_MS) soon();
  });
  return socket;
}
