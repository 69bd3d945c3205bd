/** @file Builds with one bundler, for a browser and, where it can, for Node; prints what the bundler complains of. Run in the app's folder. */
import { join } from "node:path";

const here = import.meta.dirname;
const [way] = process.argv.slice(2);
const entries = Object.fromEntries(["page", "dataset", "worker"].map((name) => [name, join(here, `${name}.js`)]));
const server = { server: join(here, "server.js") };
const page = join(here, "out", "page");
const node = join(here, "out", "node");

const ways = {
  async webpack() {
    const { default: webpack } = await import("webpack");
    const build = async (entry, target, path) => {
      const stats = await new Promise((resolve, reject) =>
        webpack(
          {
            mode: "production",
            context: here,
            entry,
            target,
            performance: false,
            experiments: { outputModule: true },
            output: { path, filename: "[name].js", module: true, library: { type: "module" } },
          },
          (error, found) => (error ? reject(error) : resolve(found)),
        ),
      );
      const { errors, warnings } = stats.toJson();
      return [...errors, ...warnings].map(({ message }) => message);
    };
    return [...(await build(entries, ["web", "es2022"], page)), ...(await build(server, "node22", node))];
  },
  async esbuild() {
    const { build } = await import("esbuild");
    const common = { bundle: true, format: "esm", minify: true, logLevel: "silent" };
    const built = [
      await build({ ...common, entryPoints: entries, outdir: page }),
      await build({ ...common, entryPoints: server, outdir: node, platform: "node" }),
    ];
    return built.flatMap(({ errors, warnings }) => [...errors, ...warnings]).map(({ text }) => text);
  },
  async rollup() {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const said = [];
    const onwarn = ({ message }) => said.push(message);
    const build = async (input, plugins, dir, external) => {
      const bundle = await rollup({ input, plugins, preserveEntrySignatures: "strict", onwarn, external });
      await bundle.write({ dir, format: "es" });
    };
    await build(entries, [nodeResolve({ browser: true })], page);
    await build(server, [nodeResolve({ exportConditions: ["node"] })], node, [/^node:/, "worker_threads"]);
    return said;
  },
  async vite() {
    const { build } = await import("vite");
    const said = [];
    const say = (message) => said.push(message);
    const customLogger = { info() {}, warn: say, warnOnce: say, error: say, clearScreen() {}, hasErrorLogged: () => false };
    const output = { entryFileNames: "[name].js" };
    const rolldownOptions = { input: entries, preserveEntrySignatures: "strict", output };
    const options = { chunkSizeWarningLimit: 5000, outDir: page, rolldownOptions };
    await build({ root: here, configFile: false, logLevel: "silent", customLogger, build: options });
    return said;
  },
};
for (const complaint of await ways[way]()) console.log(complaint);
