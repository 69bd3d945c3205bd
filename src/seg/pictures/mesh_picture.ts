/** @file Pictures of surfaces without a GPU or a browser: orthographic views with a depth buffer and light from the viewer. */
import { expectItems } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { withDefaults } from "../../host/defaults.ts";
import { ConfigError } from "../../host/errors.ts";
import { type Mesh, vertexNormals } from "../../host/grid/mesh.ts";
import { colorsOf, type Rgb } from "../../data/class_colors.ts";
import { montage } from "./pictures.ts";

type Vector = readonly [number, number, number];

/** From where a surface is seen: what is to the right, above and toward the viewer, in RAS. */
interface View {
  readonly right: Vector;
  readonly up: Vector;
  readonly toward: Vector;
}

const views = {
  anterior: { right: [-1, 0, 0], up: [0, 0, 1], toward: [0, 1, 0] },
  posterior: { right: [1, 0, 0], up: [0, 0, 1], toward: [0, -1, 0] },
  left: { right: [0, -1, 0], up: [0, 0, 1], toward: [-1, 0, 0] },
  right: { right: [0, 1, 0], up: [0, 0, 1], toward: [1, 0, 0] },
  superior: { right: [1, 0, 0], up: [0, 1, 0], toward: [0, 0, 1] },
  inferior: { right: [-1, 0, 0], up: [0, 1, 0], toward: [0, 0, -1] },
} as const satisfies Record<string, View>;

/** The side of the patient from which a picture is taken. */
export type ViewName = keyof typeof views;

/** How surfaces are drawn. */
export interface MeshPictureOptions {
  /** One picture for each, side by side. Default anterior, left and superior. */
  readonly views?: readonly ViewName[];
  /** Width and height of each, in pixels. Default 400. */
  readonly size?: number;
  /** Color of each surface, 0 to 255. Default: those of the classes in overlays. */
  readonly colors?: readonly (readonly [number, number, number])[] | null;
}

const background = 24;

/** What all views share: the extent of everything, so that they have one scale. */
interface Stage {
  readonly center: Vector;
  readonly scale: number;
  readonly size: number;
}

/**
 * Surfaces in the patient's coordinates (RAS, mm) seen from several sides, each in its color and all at one scale.
 * @throws ConfigError without surfaces, for an unknown view and a size that is no number of pixels
 */
export function meshPicture(meshes: readonly Mesh[], options: MeshPictureOptions = {}): Picture {
  expectOptions("meshPicture", options, "views size colors");
  expectItems("meshPicture", "meshes", meshes, { vertices: "values", triangles: "values" });
  const defaults = { views: ["anterior", "left", "superior"] as const, size: 400, colors: null };
  const { views: names, size, colors } = withDefaults("meshPicture", options, defaults);
  if (!Number.isInteger(size) || size < 8 || size > 8192)
    throw new ConfigError(`meshPicture: size must be from 8 to 8192 pixels, got ${size}`);
  const unknown = names.find((name) => !Object.hasOwn(views, name));
  if (unknown !== undefined || names.length === 0)
    throw new ConfigError(`meshPicture: views must be some of ${Object.keys(views).join(", ")}, got "${names.join(", ")}"`);
  if (!meshes.some((m) => m.triangles.length > 0)) throw new ConfigError("meshPicture: there is no surface; pass at least one");
  const stage = stageOf(meshes, size);
  const shades = meshes.map((mesh, i) => ({ mesh, normals: vertexNormals(mesh), color: colors?.[i] ?? colorsOf(i + 1).fill }));
  const pictures = names.map((name) => {
    const canvas = new Canvas(stage, views[name]);
    for (const { mesh, normals, color } of shades) canvas.draw(mesh, normals, color);
    return canvas.picture();
  });
  return montage(pictures, { columns: pictures.length });
}

function stageOf(meshes: readonly Mesh[], size: number): Stage {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const { vertices } of meshes) {
    for (let i = 0; i < vertices.length; i++) {
      const axis = i % 3;
      if (vertices[i] < low[axis]) low[axis] = vertices[i];
      if (vertices[i] > high[axis]) high[axis] = vertices[i];
    }
  }
  const longest = Math.max(...high.map((h, axis) => h - low[axis]), 1e-6);
  const center = low.map((l, axis) => (l + high[axis]) / 2) as unknown as Vector;
  return { center, scale: (0.92 * size) / longest, size };
}

const dot = (a: Vector, x: number, y: number, z: number): number => a[0] * x + a[1] * y + a[2] * z;

class Canvas {
  private readonly stage: Stage;
  private readonly view: View;
  private readonly data: Uint8Array;
  private readonly depth: Float32Array;

  constructor(stage: Stage, view: View) {
    this.stage = stage;
    this.view = view;
    this.data = new Uint8Array(3 * stage.size ** 2).fill(background);
    this.depth = new Float32Array(stage.size ** 2).fill(-Infinity);
  }

  picture(): Picture {
    return { width: this.stage.size, height: this.stage.size, channels: 3, data: this.data };
  }

  draw({ vertices, triangles }: Mesh, normals: Float32Array, color: Rgb): void {
    const points = this.projected(vertices, normals);
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [4 * triangles[t], 4 * triangles[t + 1], 4 * triangles[t + 2]];
      this.triangle(points, a, b, c, color);
    }
  }

  /** Of each vertex the pixel across and down, the depth and the light. */
  private projected(vertices: Float32Array, normals: Float32Array): Float32Array {
    const { center, scale, size } = this.stage;
    const { right, up, toward } = this.view;
    const out = new Float32Array((vertices.length / 3) * 4);
    for (let i = 0, to = 0; i < vertices.length; i += 3, to += 4) {
      const [x, y, z] = [vertices[i] - center[0], vertices[i + 1] - center[1], vertices[i + 2] - center[2]];
      out[to] = size / 2 + scale * dot(right, x, y, z);
      out[to + 1] = size / 2 - scale * dot(up, x, y, z);
      out[to + 2] = dot(toward, x, y, z);
      // From above the viewer's left shoulder: shapes read better than with light from the front.
      const [nx, ny, nz] = [normals[i], normals[i + 1], normals[i + 2]];
      const lit = 0.8 * dot(toward, nx, ny, nz) + 0.45 * dot(up, nx, ny, nz) - 0.39 * dot(right, nx, ny, nz);
      out[to + 3] = 0.25 + 0.75 * Math.max(0, lit);
    }
    return out;
  }

  private triangle(p: Float32Array, a: number, b: number, c: number, color: Rgb): void {
    const { size } = this.stage;
    // Twice its area on the picture, whose rows go down: below 0 it faces the viewer.
    const area = (p[b] - p[a]) * (p[c + 1] - p[a + 1]) - (p[c] - p[a]) * (p[b + 1] - p[a + 1]);
    if (!(area < 0)) return;
    const left = Math.max(0, Math.ceil(Math.min(p[a], p[b], p[c]) - 0.5));
    const right = Math.min(size - 1, Math.floor(Math.max(p[a], p[b], p[c]) - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(p[a + 1], p[b + 1], p[c + 1]) - 0.5));
    const bottom = Math.min(size - 1, Math.floor(Math.max(p[a + 1], p[b + 1], p[c + 1]) - 0.5));
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const [px, py] = [x + 0.5, y + 0.5];
        const wa = ((p[b] - px) * (p[c + 1] - py) - (p[c] - px) * (p[b + 1] - py)) / area;
        const wb = ((p[c] - px) * (p[a + 1] - py) - (p[a] - px) * (p[c + 1] - py)) / area;
        const wc = 1 - wa - wb;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        const depth = wa * p[a + 2] + wb * p[b + 2] + wc * p[c + 2];
        const at = y * size + x;
        if (depth <= this.depth[at]) continue;
        this.depth[at] = depth;
        const light = Math.min(1, wa * p[a + 3] + wb * p[b + 3] + wc * p[c + 3]);
        for (let k = 0; k < 3; k++) this.data[3 * at + k] = Math.round(light * color[k]);
      }
    }
  }
}
