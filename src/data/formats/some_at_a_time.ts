/** @file Work on many files of which only some are open at once: a process may have a few hundred open, and a folder has thousands of slices. */

// Enough to keep a disk busy.
const together = 32;

/** What `f` gives for each of the items, in their order; at most 32 are waited for at a time. */
export async function someAtATime<T, R>(items: readonly T[], f: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += together)
    for (const result of await Promise.all(items.slice(i, i + together).map(f))) results.push(result);
  return results;
}
