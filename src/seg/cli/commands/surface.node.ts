/** @file `voxgrad surface`: the surface of a label as a mesh, and a picture of it. */

import { wholeLabels } from "../../../data/folders/join_case.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { encodeMesh, meshFormatOf } from "../../../host/bytes/mesh_files.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { enclosedVolume, type Mesh, surfaceArea } from "../../../host/grid/mesh.ts";
import { meshPicture } from "../../pictures/mesh_picture.ts";
import { encodePng } from "../../pictures/pictures.ts";
import { surfaceOf } from "../../post/surface.ts";
import { type Command, flag, helpLines, parse, say, text } from "../command_line.node.ts";
import { expectFree, writeOutput } from "../outputs.node.ts";

const usage = "FILE (--label N[,N] | --level P) [--out MESH] [--picture PNG]";

const help = `voxgrad surface ${usage}

Makes the closed surface of labels, or of a probability cut at a level, and writes it as STL, OBJ or PLY, in millimeters of the patient (RAS, by the
image's affine). Prints area and volume.

${helpLines([
  ["label N[,N]", "label values; in the mesh they are one object, in the picture each has a color"],
  ["level P", "the file holds a probability: its surface at P"],
  ["out MESH", "file of the mesh; its ending tells the format: .stl, .obj or .ply"],
  ["picture PNG", "picture of the surface from the front, the left and above"],
  ["smooth N", "pairs of smoothing steps (Taubin), 0 for none; default 0"],
  ["channel N", "channel of the file, from 0; default 0"],
  ["lps", "write LPS coordinates, as DICOM has them, in place of RAS"],
  ["overwrite", "replace files that are there"],
])}`;

const flags = {
  label: text,
  level: text,
  out: text,
  picture: text,
  smooth: text,
  channel: text,
  lps: flag,
  overwrite: flag,
};

export const surfaceCommand: Command = {
  name: "surface",
  usage: [[usage, "a label's surface as STL, OBJ or PLY, and as a picture"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if (positionals.length !== 1)
      throw new ConfigError(`surface needs one file of labels or a probability, got ${positionals.length}`);
    if ((values.label === undefined) === (values.level === undefined))
      throw new ConfigError("surface needs either --label N[,N] or --level P");
    if (values.out === undefined && values.picture === undefined)
      throw new ConfigError("surface needs --out MESH or --picture PNG, a file to write");
    if (values.picture !== undefined && !/\.png$/i.test(values.picture))
      throw new ConfigError(`--picture writes a PNG, got ${values.picture}`);
    const format = values.out === undefined ? undefined : meshFormatOf(values.out);
    expectFree({ outputs: [values.out, values.picture], overwrite: values.overwrite, input: positionals[0] });
    const labels = values.label?.split(",").map((v) => numberOf("label", v));
    const read = await readImageFile(positionals[0]);
    const volume = labels ? wholeLabels(read) : read;
    const channel = numberOf("channel", values.channel ?? "0");
    const voxels = volume.data.length / volume.shape[0];
    const intensity = labels && volume.data.subarray(channel * voxels, (channel + 1) * voxels).find((v) => !Number.isInteger(v));
    if (intensity !== undefined)
      throw new DataError(`${positionals[0]} holds ${intensity}, which is no class number; of a probability give --level`);
    const options = {
      level: values.level === undefined ? 0.5 : numberOf("level", values.level),
      channel,
      smooth: numberOf("smooth", values.smooth ?? "0"),
    };
    const mesh = surfaceOf(volume, { ...options, labels: labels ?? null });
    const square = (surfaceArea(mesh) / 100).toFixed(2);
    const milliliters = (enclosedVolume(mesh) / 1000).toFixed(3);
    say(`${mesh.triangles.length / 3} triangles, ${square} cm², ${milliliters} ml`);
    if (values.out !== undefined && format) {
      await writeOutput(values.out, encodeMesh(mesh, format, values.lps ? "LPS" : "RAS"));
      say(`wrote ${values.out}`);
    }
    if (values.picture !== undefined) {
      const parts: Mesh[] = labels ? labels.map((label) => surfaceOf(volume, { ...options, labels: label })) : [mesh];
      await writeOutput(values.picture, await encodePng(meshPicture(parts)));
      say(`wrote ${values.picture}`);
    }
    return 0;
  },
};

/** Throws `ConfigError` for what is no number. */
function numberOf(name: string, value: string): number {
  const number = Number(value);
  if (value.trim() !== "" && Number.isFinite(number)) return number;
  throw new ConfigError(`--${name} must be a number, got "${value}"`);
}
