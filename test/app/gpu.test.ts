/** @file What runs on the page's one device waits for its turn, and ends at once when it is canceled, before or while it waits. */

import { expect, test } from "vitest";
import { alone } from "../../app/worker/gpu.ts";

const tell = (): void => undefined;

test("what was canceled before its turn ends at once, and what comes behind it is done", async () => {
  const [before, meanwhile, going] = [new AbortController(), new AbortController(), new AbortController()];
  before.abort();
  let end: () => void = () => undefined;
  const first = alone(() => new Promise<string>((resolve) => (end = () => resolve("first"))), { signal: going.signal, tell });
  const never = (): Promise<string> => Promise.reject(new Error("is done all the same"));
  const ended = [before, meanwhile].map(({ signal }) => alone(never, { signal, tell }));
  const last = alone(async () => "last", { signal: going.signal, tell });
  meanwhile.abort();
  for (const one of ended) await expect(one).rejects.toThrow(/abort/i);
  await new Promise((done) => setTimeout(done, 10));
  end();
  expect(await Promise.all([first, last])).toEqual(["first", "last"]);
});
