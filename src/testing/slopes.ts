/** @file Gradients of an operation against finite differences of a float64 reference. */

import { compare } from "./compare.ts";
import { type Host, type Hosts, normal, type Random, type Tolerance } from "./row.ts";

/** What is differentiated: Σ dy · reference(inputs), along one of the inputs. */
export interface Slope {
  readonly reference: (inputs: Hosts) => Host;
  readonly inputs: Hosts;
  readonly name: string;
  readonly dy: Host;
}

type Allowed = Pick<Tolerance, "gradient" | "floor">;

// A power of two, so that x ± h is exact.
const h = 2 ** -16;

/** Σ dy · (f(x + v h) − f(x − v h)) / 2h. */
function along({ reference, inputs, name, dy }: Slope, v: Float64Array): number {
  const { shape, data } = inputs[name];
  const moved = (by: number) => reference({ ...inputs, [name]: { shape, data: data.map((x, i) => x + v[i] * by) } }).data;
  const [up, down] = [moved(h), moved(-h)];
  let total = 0;
  for (let i = 0; i < up.length; i++) total += dy.data[i] * (up[i] - down[i]);
  return total / (2 * h);
}

/** Numbers of a device beside those of the reference, as `expectClose` takes them. */
export interface Expectation {
  readonly what: string;
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly tolerance: number;
  readonly floor: number;
}

/** Each element of a gradient. Evaluates the reference twice per element. */
export function ofElements(slope: Slope, actual: ArrayLike<number>, { gradient, floor }: Allowed): Expectation {
  const v = new Float64Array(slope.inputs[slope.name].data.length);
  const expected = v.map((_, i) => {
    v.fill(0);
    v[i] = 1;
    return along(slope, v);
  });
  return { what: `gradient of ${slope.name}`, actual, expected, tolerance: gradient, floor };
}

/** A gradient along random directions. Evaluates the reference twice for each. */
export function* ofDirections(
  slope: Slope,
  actual: ArrayLike<number>,
  { gradient, floor }: Allowed,
  random: Random,
  count = 1,
): Iterable<Expectation> {
  const size = slope.inputs[slope.name].data.length;
  if (actual.length !== size) throw new Error(`gradient of ${slope.name}: ${actual.length} elements, expected ${size}`);
  for (let k = 0; k < count; k++) {
    const v = Float64Array.from({ length: size }, (_, i) => normal(random, i));
    let product = 0;
    let square = 0;
    for (let i = 0; i < size; i++) {
      product += actual[i] * v[i];
      square += actual[i] ** 2;
    }
    yield {
      what: `gradient of ${slope.name} along direction ${k}`,
      actual: [product],
      expected: [along(slope, v)],
      // v has unit variance, so an error e of an element changes the product by about |e|.
      tolerance: 4 * gradient,
      floor: Math.max(Math.sqrt(square), floor),
    };
  }
}

/** Throws where an expectation is not met. */
export function expectMet({ what, actual, expected, tolerance, floor }: Expectation): void {
  compare(actual, expected, { what, tolerance, floor });
}
