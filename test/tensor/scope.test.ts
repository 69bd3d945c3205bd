/** @file Scopes on tensors that have no device behind them. */
import { describe, expect, test } from "vitest";
import { Storage } from "../../src/tensor/buffers.ts";
import { ConfigError } from "../../src/host/errors.ts";
import { keep, scope } from "../../src/tensor/scope.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

const pool = { take: () => ({ size: 256 }), give: () => {} };
const make = (): Tensor => new Tensor({} as never, new Storage(4, pool as never), [1], "f32");

describe("scope", () => {
  test("disposes what is not in the result, at any depth of arrays and records", () => {
    const made: Tensor[] = [];
    const t = (): Tensor => (made.push(make()), made.at(-1)!);
    const result = scope(() => {
      t();
      const out = { a: t(), list: [t(), { deep: t() }], count: 3, none: undefined, nothing: null };
      t();
      return out;
    });
    expect(made.map((x) => x.disposed)).toEqual([true, false, false, false, true]);
    expect(result.count).toBe(3);
  });

  test("survivors of an inner scope belong to the outer one", () => {
    let inner!: Tensor;
    const outer = scope(() => {
      const mine = make();
      inner = scope(() => make());
      expect(inner.disposed).toBe(false);
      return mine;
    });
    expect(inner.disposed).toBe(true);
    expect(outer.disposed).toBe(false);
  });

  test("a thrown error disposes everything made, passes on, and leaves the outer scope in charge", () => {
    let lost!: Tensor;
    let after!: Tensor;
    scope(() => {
      expect(() =>
        scope(() => {
          lost = make();
          throw new RangeError("mine");
        }),
      ).toThrow(RangeError);
      after = make();
    });
    expect([lost.disposed, after.disposed]).toEqual([true, true]);
    expect(make().disposed).toBe(false);
  });

  test("tensors of the outside, returned or not, are left alone", () => {
    const outside = make();
    expect(scope(() => outside)).toBe(outside);
    scope(() => void outside.size);
    expect(outside.disposed).toBe(false);
  });

  test("a tensor disposed inside stays so; a view that survives keeps its memory", () => {
    const view = scope(() => {
      const t = make();
      t.dispose();
      return make().view([1]);
    });
    expect(view.disposed).toBe(false);
    expect(view.storage.released).toBe(false);
  });

  test("keep takes a tensor out of every scope around it", () => {
    let kept!: Tensor;
    let fromOuter!: Tensor;
    scope(() => {
      fromOuter = make();
      scope(() => {
        kept = keep(make());
        keep(fromOuter);
      });
    });
    expect([kept.disposed, fromOuter.disposed]).toEqual([false, false]);
  });

  test("an asynchronous function is refused: its later tensors would belong to nobody", () => {
    let t: Tensor | undefined;
    expect(() => scope((async () => void (t = make())) as never)).toThrow(ConfigError);
    expect(t).toBeUndefined(); // nothing of it ran
    // What compilers make of an asynchronous function.
    expect(() => scope((() => Promise.resolve((t = make()))) as never)).toThrow(/synchronous/);
    expect(t!.disposed).toBe(true);
  });
});
