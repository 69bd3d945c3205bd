/** @file PyTorch's part of the page: steps of both libraries side by side, and whether they compute the same. */

import { digits, mib, table } from "./markdown.ts";
import { type RunRecord, valuesOf } from "./record.ts";
import type { NetworkResult } from "./stages/networks.ts";
import { type Agreement, agreementPrefix, type TorchResult } from "./stages/torch.ts";

export function torchSection(run: RunRecord): string[] {
  const values = valuesOf<TorchResult | Agreement>(run, "torch");
  const own = valuesOf<NetworkResult>(run, "networks").map(([, step]) => step);
  const torch = values.flatMap(([name, value]) => (name.startsWith(agreementPrefix) ? [] : [value as TorchResult]));
  const checks = values.flatMap(([name, value]) =>
    name.startsWith(agreementPrefix) ? [[name.slice(agreementPrefix.length), value as Agreement] as const] : [],
  );
  const parts: string[] = [];
  if (checks.length > 0) {
    const body = checks.map(([name, { error, parameters, own }]) => {
      const same = own === parameters ? "yes" : `no: ${own.toLocaleString("en")}`;
      return [name, parameters.toLocaleString("en"), same, error === null ? "not finite" : error.toExponential(1)];
    });
    const head = ["network", "parameters in PyTorch", "as many in voxgrad", "largest difference of the outputs"];
    parts.push("The same weights and input in both libraries (evaluation, f32 without tf32):", table(head, body));
  }
  if (torch.length > 0) parts.push(...steps(torch, own));
  return parts;
}

function steps(torch: readonly TorchResult[], own: readonly NetworkResult[]): string[] {
  const variants = [...new Set(torch.map((t) => t.variant))];
  const networks = [...new Set(torch.map((t) => t.network))];
  const of = (network: string, variant: string) => torch.find((t) => t.network === network && t.variant === variant);
  const ours = (network: string, precision: string) => own.find((s) => s.network === network && s.precision === precision);
  const ratio = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined || a === Infinity ? "–" : `${digits(b / a)}×`;
  const body = networks.map((network) => {
    const [full, half] = [ours(network, "f32")?.bestMs, ours(network, "f16")?.bestMs];
    const best = (list: readonly string[]) => Math.min(...list.map((v) => of(network, v)?.bestMs ?? Infinity));
    const plain = best(variants.filter((v) => !v.includes("AMP")));
    const mixed = best(variants.filter((v) => v.includes("AMP")));
    return [
      network,
      digits(full),
      digits(half),
      ...variants.map((v) => digits(of(network, v)?.bestMs)),
      ratio(plain, full),
      ratio(mixed, half),
    ];
  });
  const memory = networks.map((network) => [
    network,
    ...(["f32", "f16"] as const).map((precision) => {
      const step = ours(network, precision);
      return step ? mib(step.realBytes + step.stateBytes) : "–";
    }),
    ...variants.map((v) => mib(of(network, v)?.peakBytes ?? 0)),
  ]);
  return [
    "Best milliseconds of a training step, inputs on the device; the ratios are voxgrad's time over PyTorch's best without and with AMP.",
    table(["network", "voxgrad f32", "voxgrad f16", ...variants, "f32 ÷ best", "f16 ÷ AMP"], body),
    "Memory in MiB: voxgrad's step, parameters and optimizer; PyTorch's allocated peak (0 on a CPU).",
    table(["network", "voxgrad f32", "voxgrad f16", ...variants], memory),
  ];
}
