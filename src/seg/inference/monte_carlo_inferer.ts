/** @file Any network and inferer under test-time dropout: mean and variance of its probabilities, and how far its structures agree. */

import { isVolume, makeVolume, type Volume } from "../../data/volume.ts";
import { sigmoid } from "../../autograd/pointwise.ts";
import { softmax } from "../../autograd/softmax.ts";
import { argmaxPlanes } from "../../host/argmax.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { SimpleInferer } from "./inferers.ts";
import { StructureCounts, type StructureUncertainties, TestDropout } from "./monte_carlo.ts";

/** `SlidingWindowInferer`, `SliceInferer`, `SimpleInferer` or what is like them. */
export interface Inferer {
  /** Takes images `[N, C, …]` through the network. */
  run(images: HostArray, model: Module): Promise<HostArray<Float32Array>>;
}

/** Options of `MonteCarloInferer`. */
export interface MonteCarloOptions {
  /** Takes images through the network; default the whole image at once. */
  readonly inferer?: Inferer;
  /** Draws; default 10. */
  readonly samples?: number;
  /** What the network's outputs are: logits of classes that exclude each other ("softmax", default) or not ("sigmoid"). */
  readonly activation?: "softmax" | "sigmoid";
  /** Called after every draw. `done` of `total`. */
  readonly onSample?: (done: number, total: number) => void;
}

/** Of images `[N, C, …]` arrays `[N, K, …]`, of a volume volumes in its place. */
export interface MonteCarloMaps<T> {
  /** Of the probabilities over the draws. */
  readonly mean: T;
  /** Of the probabilities over the draws, as of a population. */
  readonly variance: T;
  /** By image: of each class (softmax: those of the largest probability; sigmoid: those above ½). */
  readonly structures: readonly StructureUncertainties[];
}

/** A network's probabilities with dropout on. */
class Drawn extends Module {
  readonly network: TestDropout;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(network: Module, activation: (x: Tensor) => Tensor) {
    super();
    this.network = new TestDropout(network);
    this.activation = activation;
  }

  forward(x: Tensor): Tensor {
    return this.activation(this.network.forward(x));
  }
}

/** Monte-Carlo dropout (Gal and Ghahramani 2016) around an inferer. */
export class MonteCarloInferer {
  private readonly options: MonteCarloOptions;

  /** @throws ConfigError for fewer than one sample, or another activation */
  constructor(options: MonteCarloOptions = {}) {
    expectOptions("MonteCarloInferer", options, "inferer:object samples activation onSample:function");
    const { samples = 10, activation = "softmax" } = options;
    expectIntegers("MonteCarloInferer", { samples }, 1);
    if (activation !== "softmax" && activation !== "sigmoid") {
      throw new ConfigError(`MonteCarloInferer: activation must be "softmax" or "sigmoid", got ${JSON.stringify(activation)}`);
    }
    this.options = options;
  }

  /**
   * Draws. The same state of the device's generator (`seedDropout`) gives the same ones; a network without dropout gives one and the same each time.
   * Takes 3 floats of host memory per voxel and class. Images are `[N, C, …]`, a volume `[C, …]`.
   * @throws what the inferer throws
   */
  run(image: Volume, network: Module): Promise<MonteCarloMaps<Volume<Float32Array>>>;
  run(images: HostArray, network: Module): Promise<MonteCarloMaps<HostArray<Float32Array>>>;
  async run(images: Volume | HostArray, network: Module): Promise<MonteCarloMaps<HostArray<Float32Array>>> {
    if (!isVolume(images)) return this.draw(images, network);
    const found = await this.draw({ data: images.data, shape: [1, ...images.shape] }, network);
    const placed = ({ data, shape }: HostArray<Float32Array>) =>
      makeVolume({ data, shape: shape.slice(1) }, images.affine, images.meta);
    return { ...found, mean: placed(found.mean), variance: placed(found.variance) };
  }

  private async draw(images: HostArray, network: Module): Promise<MonteCarloMaps<HostArray<Float32Array>>> {
    const { inferer = new SimpleInferer(), samples = 10, activation = "softmax", onSample } = this.options;
    const drawn = new Drawn(network, activation === "softmax" ? (x) => softmax(x) : sigmoid);
    let maps: { mean: HostArray<Float32Array>; squares: Float32Array; structures: Structures } | undefined;
    for (let s = 0; s < samples; s++) {
      const { data, shape } = await inferer.run(images, drawn);
      maps ??= {
        mean: { data: new Float32Array(data.length), shape },
        squares: new Float32Array(data.length),
        structures: new Structures(shape, activation),
      };
      welford(data, s + 1, maps.mean.data, maps.squares);
      maps.structures.add(data, s);
      onSample?.(s + 1, samples);
    }
    const { mean, squares, structures } = maps!;
    for (let i = 0; i < squares.length; i++) squares[i] /= samples;
    return { mean, variance: { data: squares, shape: mean.shape }, structures: structures.result() };
  }
}

/** Takes a value of each voxel into its mean and its sum of squared deviations (Welford 1962). */
function welford(values: Float32Array, count: number, mean: Float32Array, squares: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const before = values[i] - mean[i];
    mean[i] += before / count;
    squares[i] += before * (values[i] - mean[i]);
  }
}

/** The agreement of the classes of each image. */
class Structures {
  private readonly classes: number;
  private readonly voxels: number;
  /** By image: one for all classes, or one for each, which is there or not. */
  private readonly counts: readonly (readonly StructureCounts[])[];
  private readonly exclusive: boolean;

  constructor([images, classes, ...size]: readonly number[], activation: "softmax" | "sigmoid") {
    this.classes = classes;
    this.voxels = sizeOf(size);
    this.exclusive = activation === "softmax";
    const each = this.exclusive ? [classes] : new Array<number>(classes).fill(2);
    this.counts = Array.from({ length: images }, () => each.map((n) => new StructureCounts(n)));
    for (const counts of this.counts.flat()) counts.begin(this.voxels);
  }

  add(probabilities: Float32Array, sample: number): void {
    const { classes, voxels, exclusive } = this;
    const map = new Int32Array(voxels);
    for (const [n, counts] of this.counts.entries()) {
      const own = probabilities.subarray(n * classes * voxels, (n + 1) * classes * voxels);
      for (const [c, count] of counts.entries()) {
        if (exclusive) argmaxPlanes(own, classes, map.fill(0));
        else for (let i = 0; i < voxels; i++) map[i] = own[c * voxels + i] > 0.5 ? 1 : 0;
        count.add(map, sample);
      }
    }
  }

  result(): StructureUncertainties[] {
    for (const counts of this.counts.flat()) counts.end();
    return this.counts.map((counts) => {
      const found = counts.map((c) => c.result());
      if (this.exclusive) return found[0];
      const present = (of: (u: StructureUncertainties) => Float64Array) => Float64Array.from(found, (u) => of(u)[1]);
      return {
        iou: present((u) => u.iou),
        coefficientOfVariation: present((u) => u.coefficientOfVariation),
        volumes: found[0].volumes.map((_, s) => present((u) => u.volumes[s])),
      };
    });
  }
}
