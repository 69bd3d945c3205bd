/** @file Keeps the built files, so that the page works offline after the first visit. The build fills in what they are and which version. */

declare const precached: readonly string[];
declare const version: string;

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(name: "message", listener: () => void): void;
  addEventListener(name: "fetch", listener: (event: FetchEvent) => void): void;
}

const scope = globalThis as unknown as Scope;
const prefix = "voxgrad-";
const cacheName = prefix + version;

scope.addEventListener("install", (event) => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(cacheName);
    await cache.addAll(precached.map((path) => new Request(new URL(path, scope.registration.scope), { cache: "reload" })));
  };
  event.waitUntil(keep());
});

// A page that is open may train: a new version waits until its user asks for it, or the last tab is closed.
scope.addEventListener("message", () => void scope.skipWaiting());

/** Of this version, and before it the last one, whose parts a tab may still ask for that was opened with it. */
async function cacheNames(): Promise<string[]> {
  const all = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== cacheName);
  return [...all, cacheName];
}

scope.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    await Promise.all((await cacheNames()).slice(0, -2).map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  event.waitUntil(tidy());
});

/** What is kept, whatever a server says that it varies by: a file is the same for whoever asks. */
async function kept(request: Request): Promise<Response | undefined> {
  for (const name of (await cacheNames()).toReversed()) {
    const found = await (await caches.open(name)).match(request, { ignoreSearch: true, ignoreVary: true });
    if (found) return found;
  }
  return undefined;
}

/** What the site has. It is kept if there is room; who asked does not wait for that. */
async function fetched(request: Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(request, init);
  if (response.ok && request.method === "GET") {
    const copy = response.clone();
    void caches
      .open(cacheName)
      .then((cache) => cache.put(request, copy))
      .catch(() => undefined);
  }
  return response;
}

/** The site's own models may change without the page: those that it has now, and offline those that were asked for before. */
async function model(request: Request): Promise<Response> {
  try {
    return await fetched(request, { cache: "no-cache" });
  } catch (error) {
    const found = await kept(request);
    if (found) return found;
    throw error;
  }
}

const answer = async (request: Request): Promise<Response> => (await kept(request)) ?? fetched(request);
const models = new URL("models/", scope.registration.scope).href;

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(scope.registration.scope))
    event.respondWith(request.url.startsWith(models) ? model(request) : answer(request));
});
