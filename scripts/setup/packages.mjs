/**
 * Debian packages unpacked into a folder of the project, through a private apt state: the machine's own packages, package
 * lists and sources stay as they are, and no root is needed. Only what the machine lacks is fetched, because apt resolves
 * the request against the machine's installed packages.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const hasApt = () => spawnSync("apt-get", ["--version"]).status === 0;

export function osRelease() {
  if (!existsSync("/etc/os-release")) return {};
  const pairs = readFileSync("/etc/os-release", "utf8").matchAll(/^(\w+)="?(.*?)"?$/gm);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, value]));
}

/** The folders in an unpacked tree that hold shared libraries, as a value for LD_LIBRARY_PATH. */
export function libraryPath(tree) {
  return ["usr/lib", "lib"]
    .flatMap((lib) => (existsSync(join(tree, lib)) ? readdirSync(join(tree, lib)).map((name) => join(tree, lib, name)) : []))
    .filter((path) => /-linux-gnu[^/]*$/.test(path))
    .flatMap((path) => [path, ...["pulseaudio", "nss"].map((name) => join(path, name))]) // found by absolute rpath on a system
    .filter((path) => existsSync(path))
    .join(":");
}

/**
 * Unpacks `packages` and those of their dependencies that the machine lacks into `tree`, by way of the scratch folder
 * `state`. `name/bookworm-backports` takes a package from backports. Throws with apt's own words.
 */
export function unpackPackages(packages, { tree, state }) {
  withApt(packages, state, (apt) => {
    apt("--download-only", ...packages);
    unpack(join(state, "archives"), tree);
  });
}

/** Installs the packages on the machine (as root), its sources still untouched: for what does not work when only unpacked. */
export function installPackages(packages, { state }) {
  withApt(packages, state, (apt) => apt("-o", "Debug::NoLocking=false", ...packages));
}

function withApt(packages, state, work) {
  const backports = packages.some((name) => name.includes("-backports")) ? backportsSource(aptSources()) : undefined;
  try {
    return work(privateApt(state, backports));
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

function unpack(archives, tree) {
  const partial = `${tree}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  for (const file of readdirSync(archives)) {
    // The C library must stay the one that belongs to the machine's dynamic loader.
    if (!file.endsWith(".deb") || /^(libc6|libc-bin|libc-l10n|locales)_/.test(file)) continue;
    const { status, stderr } = spawnSync("dpkg-deb", ["-x", join(archives, file), partial], { encoding: "utf8" });
    if (status !== 0) throw new Error(`dpkg-deb -x ${file}: ${stderr}`);
  }
  // Renamed only when complete, so that an interrupted set-up leaves nothing that looks finished. Another may have been faster.
  if (existsSync(tree)) rmSync(partial, { recursive: true });
  else renameSync(partial, tree);
}

function privateApt(state, backports) {
  const sources = join(state, "sources.list.d");
  for (const folder of [sources, join(state, "lists/partial"), join(state, "archives/partial")])
    mkdirSync(folder, { recursive: true });
  const system = "/etc/apt/sources.list.d";
  for (const file of existsSync(system) ? readdirSync(system) : []) copyFileSync(join(system, file), join(sources, file));
  if (backports) writeFileSync(join(sources, `voxgrad-backports.${backports.format}`), backports.text);

  const config = join(state, "apt.conf");
  const hooks = ["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success"];
  writeFileSync(
    config,
    `${hooks.map((hook) => `#clear ${hook};\n`).join("")}
Dir::State::Lists "${state}/lists";
Dir::Cache "${state}";
Dir::Cache::Archives "archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceParts "${sources}";
APT::Sandbox::User "";
APT::Keep-Downloaded-Packages "true";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
`,
  );
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  const run = (...args) => spawnSync("apt-get", ["-c", config, "-qq", "-y", ...args], { encoding: "utf8", env });
  // A third-party source of the machine may be unreachable: what counts is whether the packages are found.
  const update = run("update");
  return (...args) => {
    const { status, stderr } = run("install", "--no-install-recommends", ...args);
    if (status !== 0) throw new Error(`${stderr}${update.stderr}`.trim().split("\n").slice(0, 4).join("\n"));
  };
}

/** The files that tell apt where this machine's packages come from. */
export function aptSources() {
  const parts = "/etc/apt/sources.list.d";
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  return ["/etc/apt/sources.list", ...names]
    .filter((name) => /\.(list|sources)$/.test(name) && existsSync(name))
    .map((name) => ({ name, text: readFileSync(name, "utf8") }));
}

/**
 * The source of Debian 12's backports, whose Mesa is young enough: the mirror that the machine has its own packages from, with another suite.
 * Undefined if it is among the machine's sources already. Throws if they name no mirror of Debian 12.
 */
export function backportsSource(files) {
  const sources = files.flatMap(({ name, text }) => (name.endsWith(".list") ? oneLineSources(text) : stanzas(text)));
  if (sources.some(({ suites }) => suites.includes("bookworm-backports"))) return undefined;
  const own = sources.find(({ suites, components }) => suites.includes("bookworm") && components.includes("main"));
  if (own) return own.withSuite("bookworm-backports");
  throw new Error(
    `apt has no source for Debian 12 from which one for its backports could follow: none of ${files.map(({ name }) => name).join(", ") || "its files"} ` +
      "names the suite bookworm with the component main. Add a Debian mirror to apt's sources",
  );
}

/** Lines `deb [options] URI suite components`. */
function oneLineSources(text) {
  return [...text.matchAll(/^deb[ \t]+(\[[^\]\n]*\][ \t]+)?(?!cdrom:)(\S+)[ \t]+(\S+)[ \t]+([^#\n]*)/gm)].map(
    ([, options = "", uri, suite, rest]) => ({
      suites: [suite],
      components: rest.trim().split(/\s+/),
      withSuite: (other) => ({ format: "list", text: `deb ${options}${uri} ${other} main\n` }),
    }),
  );
}

/** Stanzas of fields, one of which may go on in lines that begin with a space. */
function stanzas(text) {
  const bare = text.replaceAll(/^#.*\n?/gm, "");
  return bare.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name) => new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1].trim().split(/\s+/) ?? [];
    if (!field("Types").includes("deb") || field("Enabled")[0]?.toLowerCase() === "no") return [];
    const withSuite = (other) => ({
      format: "sources",
      text: `${stanza.trim().replace(/^Suites:.*(?:\n[ \t].*)*/im, `Suites: ${other}`)}\n`,
    });
    return [{ suites: field("Suites"), components: field("Components"), withSuite }];
  });
}
