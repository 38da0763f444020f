// What the room asks of the web process: a token, an order's mark and words.

/** POST a form; answers the JSON. Throws an Error whose message may be shown. */
export async function post(path, csrf, data = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "x-csrf": csrf, accept: "application/json" },
    body: new URLSearchParams(data),
  });
  if (!response.ok) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const again = response.status >= 500; // a media process that is just coming back
    throw Object.assign(new Error(page.querySelector(".empty__title")?.textContent ?? ""), { again });
  }
  return response.json();
}

/** {token, url} for one join. */
export function tokenFor(base, csrf) {
  return post(`${base}/token`, csrf);
}
