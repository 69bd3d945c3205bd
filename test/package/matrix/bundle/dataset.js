/** @file A dataset's module, which a loader imports by its address. */
import { MapDataset } from "voxgrad/data";

export default ({ factor }) =>
  new MapDataset([1, 2, 3], { apply: (v) => ({ x: { data: Float32Array.of(v * factor), shape: [1] } }) });
