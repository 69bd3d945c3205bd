/** @file ShuffleBuffer: a stream of samples shuffled through a buffer; and how a stream's plan is carried out. */

import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { asList, type Dataset, datasetOf, type DataSource, itemRandom, type StreamPlan } from "./dataset.ts";

/** How a stream is shuffled. */
export interface ShuffleBufferOptions {
  /** Samples held while shuffling; default 512. */
  readonly bufferSize?: number;
  /** Epoch e (from 0) shuffles with RandomState(seed + 1 + e), as MONAI's e-th iteration does. */
  readonly seed?: number;
  /** Passes over the data per epoch; default 1. */
  readonly epochs?: number;
}

/**
 * A dataset whose samples come as one stream, shuffled through a buffer: once the buffer is full, each new sample replaces a random
 * one, which is given out. In a DataLoader the buffer sits behind the workers and sees every sample once.
 */
export class ShuffleBuffer<T = Item> implements Dataset<T> {
  readonly stream: StreamPlan;
  private readonly source: Dataset<T>;
  private iterations = 0;

  constructor(data: DataSource<T>, options: ShuffleBufferOptions = {}) {
    expectOptions("ShuffleBuffer", options, "bufferSize:number seed:number epochs:number");
    const { bufferSize = 512, seed = 0, epochs = 1 } = options;
    expectIntegers("ShuffleBuffer", { bufferSize }, 1);
    if (!Number.isInteger(epochs) || epochs < 1) {
      throw new ConfigError(
        `ShuffleBuffer: epochs is ${epochs}; expected an integer of 1 or more; for endless training ask the loader for one epoch after the other`,
      );
    }
    this.source = datasetOf("ShuffleBuffer", data);
    if (this.source.stream?.shuffle)
      throw new ConfigError("ShuffleBuffer: the data are a ShuffleBuffer already; use one with a larger bufferSize");
    this.stream = { shuffle: { bufferSize, seed }, epochs };
  }

  get length(): number {
    return this.source.length;
  }
  get samplesPerItem(): number | undefined {
    return this.source.samplesPerItem;
  }
  get movesBy(): number | undefined {
    return this.source.movesBy;
  }
  nameOf(index: number, epoch?: number): string | undefined {
    return this.source.nameOf?.(index, epoch);
  }
  get(index: number, random: RandomSource, epoch?: number): T | T[] | Promise<T | T[]> {
    return this.source.get(index, random, epoch);
  }

  /** The samples of the next epoch, in this thread. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    const epoch = this.iterations++;
    yield* streamSamples(this.stream, epoch, (pass) => this.pass(pass));
  }

  private async *pass(pass: number): AsyncGenerator<T> {
    for (let i = 0; i < this.length; i++) yield* asList(await this.get(i, itemRandom(this.stream.shuffle!.seed, pass, i), pass));
  }
}

/**
 * The samples of one epoch by a stream plan.
 * @param pass gives the unshuffled samples of pass k, counted over all epochs
 */
export async function* streamSamples<T>(
  plan: StreamPlan,
  epoch: number,
  pass: (k: number) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const passes = plan.epochs ?? 1;
  const random = plan.shuffle && new RandomState(plan.shuffle.seed + 1 + epoch);
  for (let k = epoch * passes; k < (epoch + 1) * passes; k++) {
    if (random) yield* shuffled(pass(k), plan.shuffle!.bufferSize, random);
    else yield* pass(k);
  }
}

async function* shuffled<T>(samples: AsyncIterable<T>, bufferSize: number, random: RandomSource): AsyncGenerator<T> {
  const buffer: T[] = [];
  const pop = () => {
    const i = random.randint(buffer.length);
    const out = buffer[i];
    buffer[i] = buffer[buffer.length - 1];
    buffer.pop();
    return out;
  };
  for await (const sample of samples) {
    if (buffer.length >= bufferSize) yield pop();
    buffer.push(sample);
  }
  while (buffer.length) yield pop();
}
