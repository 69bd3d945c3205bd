/** Files that several set-ups at once may write and read, as two commands in two terminals do: none sees half of one. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes a text where it is not there yet, by way of a file beside it. */
export function writeWhole(file, text, mode = 0o666) {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, text, { mode });
  renameSync(partial, file);
}
