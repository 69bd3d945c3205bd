/** Finds a Chromium for the browser tests: the one named by VOXGRAD_CHROMIUM, the machine's, or one unpacked into the project. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasApt, installPackages, libraryPath, unpackPackages } from "./packages.mjs";
import { writeWhole } from "./whole.mjs";

const installed = [
  "/usr/bin/google-chrome",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of a Chromium that starts, or undefined after saying what to do. */
export function findChromium({ home, say }) {
  if (process.env.VOXGRAD_CHROMIUM) return process.env.VOXGRAD_CHROMIUM;
  const found = installed.find(starts);
  if (found) return found;
  const tree = join(home, "chromium");
  const state = join(home, `apt-${process.pid}`);
  try {
    if (!hasApt()) throw new Error("this machine has no apt-get");
    if (!existsSync(tree)) {
      say("no Chromium found: unpacking one into .voxgrad/chromium for the browser tests");
      unpackPackages(["chromium"], { tree, state });
    }
    const local = writeLauncher(tree);
    if (starts(local)) return local;
    if (process.getuid() === 0) {
      say("the unpacked Chromium does not start here: installing it on the system");
      installPackages(["chromium"], { state });
      if (starts("/usr/bin/chromium")) return "/usr/bin/chromium";
    }
    throw new Error("the unpacked Chromium does not start");
  } catch (error) {
    say(`no Chromium could be had:\n${error.message}`);
  }
  say(
    `the browser tests will fail: they need Chromium. Install it (Debian, as root: ${installCommand}), ` +
      "or set VOXGRAD_CHROMIUM to the path of a Chromium or Google Chrome, and run the command again.",
  );
  return undefined;
}

const installCommand = "apt-get update && apt-get install -y --no-install-recommends chromium";

/** Debian's own launcher script names absolute paths, so the unpacked browser gets one that finds its libraries. */
function writeLauncher(tree) {
  const file = join(tree, "run");
  const libraries = `${libraryPath(tree)}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}`;
  writeWhole(file, `#!/bin/sh\nexport LD_LIBRARY_PATH="${libraries}"\nexec "${tree}/usr/lib/chromium/chromium" "$@"\n`, 0o755);
  return file;
}

/** Whether the browser starts and renders a page: its libraries may be missing, or it may be a stub that asks for a snap. */
function starts(path) {
  if (!existsSync(path)) return false;
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom", "data:text/html,voxgrad"];
  return spawnSync(path, args, { encoding: "utf8", timeout: 60_000 }).stdout?.includes("voxgrad") ?? false;
}
