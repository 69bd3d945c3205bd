/** @file Base of random transforms that MONAI makes of several parts, each with a generator of its own. */
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";
import { MaybeTransform, type TransformState } from "./transform.ts";

/**
 * A transform some of whose draws are made by parts. From the number of a seed each part has a generator of its own with that seed, as in MONAI, so that
 * a seed gives what it gives there; from a source all parts share it.
 */
export abstract class PartwiseTransform extends MaybeTransform {
  /** Where the parts draw from. */
  protected parts: readonly RandomSource[];

  /**
   * @param op name for error messages
   * @param prob probability of acting, 0 to 1
   * @param count number of parts
   */
  constructor(op: string, prob: number, count: number) {
    super(op, prob);
    this.parts = new Array<RandomSource>(count).fill(this.random);
  }

  override setRandomState(seed: number | RandomSource): this {
    super.setRandomState(seed);
    this.parts = this.parts.map(() => (typeof seed === "number" ? new RandomState(seed) : this.random));
    return this;
  }

  /** One state where all share a generator, else a list: the transform's own, then the parts'. */
  override getState(): TransformState {
    const all = [this.random, ...this.parts];
    return this.parts.every((part) => part === this.random)
      ? this.random.getState()
      : all.map((source): TransformState => source.getState());
  }

  override setState(state: TransformState): void {
    if (!Array.isArray(state)) {
      this.setRandomState(this.random);
      super.setState(state);
      return;
    }
    const [own, ...others] = state as readonly TransformState[];
    super.setState(own);
    this.parts = others.map((one) => {
      const source = new RandomState();
      source.setState(one as Parameters<RandomState["setState"]>[0]);
      return source;
    });
  }
}
