/** @file What takes long to make and what no test changes, made once for all test processes of a run. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The folder that the first who asks for the name fills, and for which the others wait. It goes with the run (test/setup.ts). */
export async function once(name: string, fill: (folder: string) => unknown): Promise<string> {
  const place = join(process.env.VOXGRAD_TEST_FOLDER!, name);
  const [folder, done, failed] = ["files", "done", "failed"].map((part) => join(place, part));
  if (begins(place)) {
    mkdirSync(folder);
    try {
      await fill(folder);
      writeFileSync(done, "");
    } catch (error) {
      writeFileSync(failed, "");
      throw error;
    }
  }
  while (!existsSync(done)) {
    if (existsSync(failed)) throw new Error(`${name} could not be made; the first test that asked for it says why`);
    await sleep(100);
  }
  return folder;
}

/** Whether this is the first: a folder can be made only once. */
function begins(place: string): boolean {
  try {
    mkdirSync(place);
    return true;
  } catch {
    return false;
  }
}
