/** @file What a CommonJS program has: every entry point, and a loader whose workers require the dataset's module, this one. */
const { pathToFileURL } = require("node:url");
const { exports: entries } = require("voxgrad/package.json");
const { DataLoader, MapDataset } = require("voxgrad/data");

module.exports = ({ factor }) =>
  new MapDataset([1, 2, 3], { apply: (v) => ({ x: { data: Float32Array.of(v * factor), shape: [1] } }) });

async function main() {
  const names = Object.keys(entries).filter((key) => !key.endsWith(".json"));
  const found = names.filter((key) => Object.keys(require(`voxgrad${key.slice(1)}`)).length > 0).length;
  const loader = new DataLoader({ module: pathToFileURL(__filename), args: { factor: 2 } }, { batchSize: 3, numWorkers: 1 });
  const loaded = [];
  for await (const { x } of loader) loaded.push(...x.data);
  await loader.close();
  console.log(JSON.stringify({ found, loaded }));
}
if (require.main === module) main();
