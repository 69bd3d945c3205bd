/** @file Rows of augmentation on the device: what becomes of the values of voxels. */

import { adjustIntensity, blur, ConfigError, lowResolution, ShapeError, sizeOf } from "../../../src/index.ts";
import {
  between,
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  type Row,
  type Sample,
  type Shapes,
  type Values,
} from "../../lib/row.ts";
import { philox } from "../../lib/philox.ts";
import { roundEven } from "./augment.ts";

type ChannelArgs = Readonly<Record<string, never>>;

interface LowArgs {
  readonly axes?: readonly number[];
}

function coarsened({ x, zooms }: Hosts, { axes }: LowArgs): Host {
  const spatial = x.shape.slice(2);
  const y = host(x.shape);
  everyIndex(x.shape, ([n, c, ...o], flat) => {
    const zoom = zooms.data[n * x.shape[1] + c];
    const pairs = o.map((v, axis) => {
      const size = spatial[axis];
      const coarse = Math.max(1, roundEven(size * zoom));
      if ((axes && !axes.includes(axis)) || coarse >= size) return [[v, 1] as const];
      const at = Math.max(0, ((v + 0.5) * coarse) / size - 0.5);
      const first = Math.floor(at);
      return [first, Math.min(first + 1, coarse - 1)].map(
        (k, i) => [Math.floor(((k + 0.5) * size) / coarse), i === 0 ? 1 - at + first : at - first] as const,
      );
    });
    everyIndex(
      pairs.map((p) => p.length),
      (k) => {
        const weight = k.reduce((w, j, a) => w * pairs[a][j][1], 1);
        y.data[flat] += weight * x.data[flatten(x.shape, [n, c, ...k.map((j, a) => pairs[a][j][0])])];
      },
    );
  });
  return y;
}

interface BlurArgs {
  readonly radius: number;
}

function smoothed({ x, sigmas }: Hosts, { radius }: BlurArgs): Host {
  let y = x;
  for (let axis = 2; axis < x.shape.length; axis++) {
    const next = host(x.shape);
    const size = x.shape[axis];
    everyIndex(x.shape, (at, flat) => {
      const of = sigmas.shape.length === 3 ? [at[0], at[1], axis - 2] : at.slice(0, 2);
      const sigma = sigmas.data[flatten(sigmas.shape, of)];
      let [sum, total] = [0, 0];
      for (let d = -radius; d <= radius; d++) {
        const weight = sigma > 0 ? Math.exp((-d * d) / (2 * sigma * sigma)) : d === 0 ? 1 : 0;
        let k = size > 1 ? at[axis] + d : 0;
        while (k < 0 || k >= size) k = k < 0 ? -k : 2 * (size - 1) - k;
        sum += weight * y.data[flatten(x.shape, at.with(axis, k))];
        total += weight;
      }
      next.data[flat] = sum / total;
    });
    y = next;
  }
  return y;
}

const numbersOf = (...rows: number[][]): Values => cycle(...rows.flat());

/** In float32 where a bit decides: which words noise is made of. */
function adjusted({ x, numbers, statistics }: Hosts): Host {
  const y = host(x.shape);
  const plane = sizeOf(x.shape.slice(2));
  for (let i = 0; i < y.data.length; i++) {
    const channel = Math.floor(i / plane);
    const [scale, shift, contrast, gamma, inverted, noise, seed] = numbers.data.slice(7 * channel);
    const [mean, a, b] = [0, 1, 2].map((k) => statistics.data[3 * channel + k] * scale + shift);
    let [low, high] = [Math.min(a, b), Math.max(a, b)];
    const contrasted = (v: number) => Math.min(Math.max(a, b), Math.max(Math.min(a, b), (v - mean) * contrast + mean));
    let v = x.data[i] * scale + shift;
    if (contrast !== 1) [v, low, high] = [contrasted(v), contrasted(low), contrasted(high)];
    if (gamma !== 1 && high > low) {
      const t = (v - low) / (high - low);
      v = low + (high - low) * (inverted ? 1 - (1 - t) ** gamma : t ** gamma);
    }
    if (noise > 0) {
      const k = i % plane;
      const words = philox([Math.floor(k / 4), 0, channel, 0], [seed, 0x61756721]);
      const [u, w] = k % 4 >= 2 ? words.slice(2) : words;
      const radius = Math.sqrt(-2 * Math.log(1 - (u >>> 8) / 2 ** 24));
      const angle = 2 * Math.PI * ((w >>> 8) / 2 ** 24);
      v += noise * radius * (k % 2 === 1 ? Math.sin(angle) : Math.cos(angle));
    }
    y.data[i] = v;
  }
  return y;
}

const half = "takes f32 only";
const plainBytes = ({ x }: Shapes) => 2 * bytesOf(x);

export const rows: Row<any>[] = [
  {
    name: "adjustIntensity",
    tolerance: { forward: 1e-5 },
    samples: [
      ["brightness", [1.2, 0.3, 1, 1, 0, 0, 0], [0.8, -0.1, 1, 1, 0, 0, 0]],
      ["contrast", [1, 0, 1.25, 1, 0, 0, 0], [1, 0, 0.6, 1, 0, 0, 0]],
      ["gamma", [1, 0, 1, 1.5, 0, 0, 0], [1, 0, 1, 0.7, 1, 0, 0]],
      ["noise", [1, 0, 1, 1, 0, 0.3, 123456], [1, 0, 1, 1, 0, 0, 7]],
      ["all", [1.1, 0.2, 1.3, 1.2, 1, 0.1, 16777215], [-0.9, 0.1, 0.8, 0.9, 0, 0.2, 5]],
    ].map(([id, ...rows]) => ({
      id: `adjustIntensity/${String(id)}`,
      inputs: {
        x: { shape: [2, 2, 5, 7], values: between(-1, 2) },
        numbers: { shape: [2, 2, 7], values: numbersOf(...(rows as number[][])) },
        statistics: { shape: [2, 2, 3], values: cycle(0.5, -1, 2) },
      },
      args: {},
    })) as Sample<ChannelArgs>[],
    run: ({ x, numbers, statistics }) => adjustIntensity(x, numbers, statistics),
    reference: adjusted,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }) => 30 * sizeOf(x),
    bytes: plainBytes,
    errors: [
      {
        id: "numbers",
        call: (z) => adjustIntensity(z([1, 2, 4]), z([1, 2, 6]), z([1, 2, 3])),
        error: ShapeError,
        message: /^adjustIntensity: numbers \[1, 2, 6\] must be \[1, 2, 7\]/,
      },
    ],
  },
  {
    name: "blur",
    samples: (
      [
        ["1d", [2, 2, 9], 4],
        ["2d", [1, 3, 7, 8], 3],
        ["3d", [2, 1, 4, 5, 6], 3],
        ["wider-than-the-image", [1, 2, 3, 1, 2], 8],
        ["1d-by-axis", [2, 2, 9], 4, [1]],
        ["3d-by-axis", [2, 2, 4, 5, 6], 3, [3]],
      ] as const
    ).map(([id, shape, radius, apart = []]) => ({
      id: `blur/${id}`,
      inputs: { x: { shape }, sigmas: { shape: [...shape.slice(0, 2), ...apart], values: cycle(0.7, 0, 1.5, 0.1) } },
      args: { radius },
    })),
    run: ({ x, sigmas }, { radius }: BlurArgs) => blur(x, sigmas, radius),
    reference: smoothed,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }, { radius }: BlurArgs) => (2 * radius + 1) * 4 * (x.length - 2) * sizeOf(x),
    bytes: plainBytes,
    errors: [
      { id: "radius", call: (z) => blur(z([1, 1, 4]), z([1, 1]), 0), error: ConfigError, message: /^blur: radius must be/ },
      { id: "axes", call: (z) => blur(z([1, 1, 4]), z([1, 1, 2]), 1), error: ShapeError, message: /^blur: sigmas/ },
    ],
  },
  {
    name: "lowResolution",
    samples: (
      [
        ["1d", [2, 2, 9], undefined],
        ["2d", [1, 3, 7, 8], undefined],
        ["3d", [2, 2, 4, 5, 6], undefined],
        ["3d-in-plane", [1, 3, 4, 5, 6], [1, 2]],
      ] as const
    ).map(([id, shape, axes]) => ({
      id: `lowResolution/${id}`,
      inputs: { x: { shape }, zooms: { shape: shape.slice(0, 2), values: cycle(0.5, 1, 0.63) } },
      args: axes ? { axes } : {},
    })),
    run: ({ x, zooms }, { axes }: LowArgs) => lowResolution(x, zooms, axes),
    reference: coarsened,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }) => 30 * sizeOf(x),
    bytes: plainBytes,
    errors: [
      {
        id: "axes",
        call: (z) => lowResolution(z([1, 1, 4]), z([1, 1]), [1]),
        error: ShapeError,
        message: /^lowResolution: axes \[1\] must be spatial axes/,
      },
    ],
  },
];
