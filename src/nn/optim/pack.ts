/** @file Parameters of one optimizer in one buffer. */

import { full } from "../../kernels/view.ts";
import type { Device } from "../../tensor/device.ts";
import { keep } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** A flat buffer of parameters with its gradient and optimizer state. @internal */
export class Pack {
  /** Index of the parameter group. */
  readonly group: number;
  readonly params: Tensor[] = [];
  readonly offsets: number[] = [];
  bytes = 0;
  rate = 0;
  weight!: Tensor;
  gradient!: Tensor;
  state!: Tensor;
  moments: Tensor[] = [];

  constructor(group: number) {
    this.group = group;
  }

  /** Moves the parameters into one buffer. Gaps between them stay zero in every array, so that they never matter. Moments that are not needed are one word, those that are a number begin with it. */
  build(device: Device, hyper: readonly number[], moments: readonly (boolean | number)[]): void {
    const shape = [this.bytes / 4];
    this.rate = hyper[0];
    const array = (moment: boolean | number) =>
      keep(full(device, moment === false ? [1] : shape, Number(moment === true ? 0 : moment)));
    this.weight = array(true);
    this.gradient = array(true);
    this.moments = moments.map(array);
    this.state = keep(device.tensor({ data: hyper, shape: [hyper.length] }));
    this.params.forEach((p, i) => {
      device.stream.copy(p, this.weight, this.offsets[i]);
      p.rebase(this.weight.storage, this.offsets[i]);
    });
  }

  /** Fetches the values of parameters that live elsewhere, as those do that another optimizer packed after this one. */
  gather(device: Device): void {
    const { stream } = device;
    for (const [p, offset] of this.elsewhere()) stream.copy(p, this.weight, offset);
  }

  /** Brings the values of this buffer to the parameters that live elsewhere. */
  scatter(device: Device): void {
    const { stream } = device;
    for (const [p, offset] of this.elsewhere()) {
      const { device, shape, bytes } = p;
      stream.copy({ device, storage: this.weight.storage, byteOffset: offset, bytes, shape }, p, 0);
    }
  }

  private elsewhere(): (readonly [Tensor, number])[] {
    const { storage } = this.weight;
    const places = this.params.map((p, i) => [p, this.offsets[i]] as const);
    return places.filter(([p, offset]) => p.storage !== storage || p.byteOffset !== offset);
  }
}
