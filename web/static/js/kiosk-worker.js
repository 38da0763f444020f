// The service worker of a kiosk: it keeps one page, which says that the system is away, and shows it when nothing
// answers, so that the device never shows a browser's error and comes back by itself. It gives no tickets.
const START = new URL(self.registration.scope).pathname.replace(/\/$/, "");
const AWAY = `${START}/away`;
const STORE = "kiosk-away-1";
const PATIENCE_MS = 6000;
const FONT = "/static/vendor/ibm-plex-sans-arabic/ibm-plex-sans-arabic";
const KEPT = [
  AWAY,
  "/static/css/tokens.css",
  "/static/css/fonts.css",
  "/static/css/kiosk-away.css",
  "/static/js/kiosk-away.js",
  "/static/js/kiosk-line.js",
  ...["arabic-400", "arabic-700", "latin-400", "latin-700"].map((kind) => `${FONT}-${kind}-normal.woff2`),
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The kiosk's first page asks for it now and then: what a new release changed is kept too.
self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(caches.open(STORE).then((store) => store.addAll(KEPT)).catch(() => {}));
});

const isAway = (answer) => [502, 503, 504].includes(answer.status);
const kept = (address) => caches.match(address, { ignoreSearch: true });

async function page(request) {
  const patience = request.method === "GET" ? AbortSignal.timeout(PATIENCE_MS) : undefined; // a post may take its time
  try {
    const answer = await fetch(request, patience ? { signal: patience } : {});
    return isAway(answer) ? ((await kept(AWAY)) ?? answer) : answer;
  } catch (error) {
    const stored = await kept(AWAY);
    if (!stored) throw error;
    return stored;
  }
}

async function part(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const stored = await kept(request);
    if (!stored) throw error;
    return stored;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (request.method === "GET" && KEPT.includes(new URL(request.url).pathname)) event.respondWith(part(request));
});
