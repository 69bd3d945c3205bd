/**
 * Makes a bare machine ready, then runs a command in the environment found:
 *
 *   node scripts/setup.mjs [--no-gpu] [--chromium] [-- command…]
 *
 * npm packages (with Node 24), a WebGPU adapter (a GPU, else a software driver) unless --no-gpu, with --chromium a browser,
 * the embedded shaders. What was found is kept in .voxgrad/setup.json, so that a second run costs a fraction of a second.
 * Runs on Node 20 and needs no package, since it is what installs them.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { findChromium } from "./setup/chromium.mjs";
import { findAdapter } from "./setup/vulkan.mjs";
import { writeWhole } from "./setup/whole.mjs";

const root = join(import.meta.dirname, "..");
const home = join(root, ".voxgrad");
const bin = join(root, "node_modules", ".bin");
const foreignPath = process.env.PATH.split(delimiter).filter((path) => path !== bin);
const say = (text) => console.error(`voxgrad: ${text}`);

const split = process.argv.indexOf("--");
const options = process.argv.slice(2, split < 0 ? undefined : split);
const command = split < 0 ? [] : process.argv.slice(split + 1);

try {
  process.chdir(root);
  installPackages();
  const node = findNode();
  // A command that is run from its sources again starts in less than half the time when Node keeps what it compiled.
  const compiled = process.env.NODE_COMPILE_CACHE ?? join(home, "compiled");
  const env = { ...process.env, PATH: [bin, ...foreignPath].join(delimiter), NODE_COMPILE_CACHE: compiled };
  if (!options.includes("--no-gpu")) Object.assign(env, findGpu(node));
  embedShaders(node, env);
  if (command.length > 0) run(command, env);
} catch (error) {
  say(error.message);
  process.exit(1);
}

/** Installs what package-lock.json says if node_modules is not that. npm's own record of what it installed is the stamp. */
function installPackages() {
  const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : {});
  const wanted = read("package-lock.json");
  const installed = read(join("node_modules", ".package-lock.json"));
  const stale = Object.entries(wanted).filter(([path, { version, optional }]) => {
    return path !== "" && !(optional && !installed[path]) && installed[path]?.version !== version;
  });
  if (stale.length === 0 && existsSync(bin)) return;
  say(`installing the npm packages (${stale.length} are missing or of another version)`);
  // A folder that is there is brought up to date in place, because other processes may be using it.
  const way = existsSync(bin) ? ["install", "--no-save"] : ["ci"];
  const args = [...way, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  // Without the project's own Node on PATH, which npm may be replacing.
  const env = { ...process.env, PATH: foreignPath.join(delimiter) };
  const { status } = spawnSync("npm", args, { stdio: ["ignore", 2, 2], env, shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`npm ${way.join(" ")} failed (see above); check the network and run the command again`);
}

/** The Node that runs TypeScript sources: the npm package `node`, else the one running this if it is new enough. */
function findNode() {
  const own = join(bin, process.platform === "win32" ? "node.cmd" : "node");
  if (existsSync(own)) return own;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  throw new Error(
    `Node ${process.versions.node} cannot run TypeScript. Run "npm rebuild node", or install Node 24, and try again.`,
  );
}

/** The environment variables that lead to the adapter and the browser, kept as long as nothing they depend on has changed. */
function findGpu(node) {
  const file = join(home, "setup.json");
  const kept = readKept(file);
  const now = { ...(kept.stamp === stamp(kept) ? kept : { adapter: findAdapter({ node, home, say }) }) };
  if (options.includes("--chromium")) now.chromium ??= findChromium({ home, say });
  now.stamp = stamp(now);
  mkdirSync(home, { recursive: true });
  writeWhole(file, JSON.stringify(now, null, 2));

  say(`adapter: ${now.adapter.text}`);
  return { ...now.adapter.env, ...(now.chromium && { VOXGRAD_CHROMIUM: now.chromium }) };
}

function readKept(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {}; // not there, or cut short: everything is looked for anew
  }
}

/** Changes with the packages, the project's place, the machine's GPUs and drivers, and the files found. */
function stamp({ adapter, chromium }) {
  const list = (folder) => (existsSync(folder) ? readdirSync(folder).join() : "");
  const state = (file) => (existsSync(file) ? `${file} ${statSync(file).size} ${statSync(file).mtimeMs}` : "");
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH } = process.env;
  const parts = [
    root,
    readFileSync("package-lock.json", "utf8"),
    [VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH],
    ...["/dev/dri", "/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].map(list),
    ...["/dev/nvidiactl", "/dev/dxg"].map((file) => existsSync(file)),
    ...[...(adapter?.files ?? []), ...(chromium ? [chromium] : [])].map(state),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function embedShaders(node, env) {
  const { status } = spawnSync(node, [join("shaders", "embed.mjs")], { stdio: ["ignore", 2, 2], env });
  if (status !== 0) throw new Error("the shaders could not be embedded (see above)");
}

/** Runs the command with this process's terminal, hands signals on and ends as the command ends. */
function run([file, ...args], env) {
  const child = spawn(file, args, { stdio: "inherit", env, shell: process.platform === "win32" });
  child.on("error", (error) => {
    say(`${file}: ${error.message}`);
    process.exit(127);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  let last = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the child without help, and npm repeats signals: the child must see each only once.
      const repeated = Date.now() - last < 1000;
      last = Date.now();
      if (!repeated && !(signal === "SIGINT" && process.stdin.isTTY)) child.kill(signal);
    });
  }
}
