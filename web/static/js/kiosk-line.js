// Whether the server could give a ticket now. Asked by the kiosk's pages and by the page that stands in for them.
const PATIENCE_MS = 2500;

/** True when server and database answer in time. */
export async function alive(base, patience = PATIENCE_MS) {
  try {
    const answer = await fetch(`${base}/alive`, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    return answer.ok;
  } catch {
    return false;
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
