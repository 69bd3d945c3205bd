/**
 * Finds an environment in which Dawn gives a WebGPU adapter: the machine's own GPU if there is one, else the machine's
 * software driver, else lavapipe (Mesa's Vulkan driver that runs on the CPU) unpacked into the project.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { aptSources, backportsSource, hasApt, installPackages, libraryPath, osRelease, unpackPackages } from "./packages.mjs";
import { writeWhole } from "./whole.mjs";

const probe = join(import.meta.dirname, "probe.mjs");

/** What Dawn offers under `env`, asked in a child process because a broken driver may take its process down. */
function ask(node, env) {
  const { status, stdout } = spawnSync(node, [probe], { env: { ...process.env, ...env }, encoding: "utf8", timeout: 120_000 });
  if (status !== 0) return undefined;
  const { vendor, architecture, description, name, isFallbackAdapter } = JSON.parse(stdout.trim().split("\n").at(-1));
  const text = [description || name, architecture || vendor].filter(Boolean).join(", ");
  const software = isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|basic render/i.test(`${text} ${vendor}`);
  return { text, software, env };
}

/** The best adapter: `{ text, software, env, files }`; `files` are those whose change makes the answer stale. */
export function findAdapter({ node, home, say }) {
  const own = ask(node, {});
  // A machine may have a GPU and lack only the Vulkan loader or Mesa's driver for it; the same packages bring both.
  const mayHaveGpu = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].some((path) => existsSync(path));
  if (own && !(own.software && mayHaveGpu)) return { ...own, files: [] };

  const tree = join(home, "vulkan");
  const state = join(home, `apt-${process.pid}`);
  if (process.platform === "linux" && hasApt() && !existsSync(tree)) {
    say("no GPU driver found: fetching Mesa's Vulkan drivers, with a software one (lavapipe), into .voxgrad/vulkan");
    try {
      unpackPackages(packages(), { tree, state });
    } catch (error) {
      say(`the packages could not be fetched:\n${error.message}`);
    }
  }
  const unpacked = existsSync(tree) ? askUnpacked(node, tree, mayHaveGpu) : undefined;
  if (unpacked && !(unpacked.software && own)) return unpacked;
  if (own) return { ...own, files: [] };
  if (existsSync(tree) && hasApt() && process.getuid() === 0) {
    say("the unpacked drivers do not work here: installing them on the system");
    installPackages(packages(), { state });
    const found = ask(node, {});
    if (found) return { ...found, files: [] };
  }
  const detail = "What Dawn itself says: node scripts/setup/probe.mjs";
  throw new Error(`no WebGPU adapter was found, neither a GPU nor a software driver. ${advice()}\n${detail}`);
}

/** The best adapter that the unpacked loader and drivers give: a GPU if there may be one, else lavapipe. */
function askUnpacked(node, tree, mayHaveGpu) {
  const drivers = writeDriverFiles(tree);
  const lavapipe = drivers.filter((file) => /lvp/.test(file));
  const others = drivers.filter((file) => !/lvp/.test(file));
  const LD_LIBRARY_PATH = [libraryPath(tree), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  const tries = [
    ...(mayHaveGpu ? [{ LD_LIBRARY_PATH }, { LD_LIBRARY_PATH, VK_DRIVER_FILES: others.join(":") }] : []),
    { LD_LIBRARY_PATH, VK_DRIVER_FILES: lavapipe.join(":") },
  ];
  const found = tries.map((env) => ask(node, env)).filter(Boolean);
  const best = found.find((adapter) => !adapter.software) ?? found.at(-1);
  return best && { ...best, files: drivers };
}

// Debian 12's own Mesa is 22.3, too old for 16-bit floats and subgroups in WebGPU.
const needsBackports = () => osRelease().ID === "debian" && osRelease().VERSION_CODENAME === "bookworm";
const packages = () => [`mesa-vulkan-drivers${needsBackports() ? "/bookworm-backports" : ""}`, "libvulkan1"];

/** What installs the drivers by hand; on Debian 12 the backports come from the mirror that the machine uses. */
function installCommand() {
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages().join(" ")}`;
  const backports = needsBackports() ? backportsSource(aptSources()) : undefined;
  if (!backports) return install;
  const file = `/etc/apt/sources.list.d/bookworm-backports.${backports.format}`;
  return `printf '%s' '${backports.text}' > ${file} && ${install}`;
}

function advice() {
  if (process.platform !== "linux") return "Update the graphics driver of this machine and run the command again.";
  if (hasApt()) {
    try {
      return `Run this as root, then run the command again:\n\n  ${installCommand()}\n`;
    } catch (error) {
      return `${error.message}, then run the command again.`;
    }
  }
  return (
    "Install the Vulkan loader and Mesa's lavapipe driver, then run the command again. Fedora: " +
    "dnf install vulkan-loader mesa-vulkan-drivers. Arch: pacman -S vulkan-icd-loader vulkan-swrast. " +
    "Alpine has no prebuilt Dawn: use a distribution with glibc."
  );
}

/** Driver manifests with absolute library paths, which differ from what they were where the project's folder has moved. */
function writeDriverFiles(tree) {
  const folder = join(tree, "usr/share/vulkan/icd.d");
  if (!existsSync(folder)) return [];
  const libraries = libraryPath(tree).split(":");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => {
      const file = join(folder, name);
      const manifest = JSON.parse(readFileSync(file, "utf8"));
      const library = manifest.ICD.library_path.split("/").at(-1);
      manifest.ICD.library_path = libraries.map((path) => join(path, library)).find((path) => existsSync(path)) ?? library;
      writeWhole(file, JSON.stringify(manifest, null, 2));
      return file;
    });
}
