/** @file What the page may do, said in the page itself and by the server: everything from its own origin, nothing else. */

const rules: Readonly<Record<string, string>> = {
  "default-src": "'self'",
  // The codecs of packed DICOM are WebAssembly; nothing is evaluated.
  "script-src": "'self' 'wasm-unsafe-eval'",
  "worker-src": "'self'",
  "connect-src": "'self'",
  "img-src": "'self' data: blob:",
  "style-src": "'self'",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'none'",
};

/** A header only: a page cannot say it of itself. */
const headerOnly = "frame-ancestors 'none'";

export const metaPolicy: string = Object.entries(rules)
  .map(([name, value]) => `${name} ${value}`)
  .join("; ");

export const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy": `${metaPolicy}; ${headerOnly}`,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
