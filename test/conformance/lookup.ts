/** @file Which adapter a case's operation gets: by its name, by another spelling of a PyTorch name, or by a family's pattern. */
import type { Adapter, Adapters, Families } from "./format.ts";

/** Where PyTorch keeps its functions and layers; `op` is the case files' own. */
const torch = /^(?:op|torch|nn|F|functional|torch\.nn\.functional)\./;
const folders = /^(?:op|torch|nn|F|functional|special|linalg|act|activations?)\./;

/** Words behind a name that say how the case calls the operation, which its options say too. */
const qualifier = new RegExp(
  "_(?:(?:dim|axis)\\w*|train(?:ing)?|eval|affine|module|inplace|batch(?:ed)?|broadcast\\w*|vectors?|(?:no_?)?bias|" +
    "edges?|extremes?|stable|large|probs?|probabilities|weight(?:ed|s)?|grads?|backward|forward|defaults?|scalar|tensor)$",
);

const squashed = (name: string): string => name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();

/** The ways of reading a PyTorch name, the closest first: `torch.nn.LeakyReLU` is `leakyrelu`, `op.softmax2d_dim1` also `softmax`. */
function readings(op: string): string[] {
  let name = op.replace(/\([^)]*\)/g, "");
  while (folders.test(name)) name = name.replace(folders, "");
  const found: string[] = [];
  for (let rest = name; ; rest = rest.replace(qualifier, "")) {
    found.push(squashed(rest), squashed(rest).replace(/(?<=[a-z])[123]d$/, ""), squashed(rest).replace(/loss$/, ""));
    if (!qualifier.test(rest)) return found;
  }
}

/** MONAI's modules, whose functions the case files call `monai.name`. */
const modules = /^monai\.(?:data|inferers|transforms)\.(?:\w+\.)*(?=\w+$)/;

/** Finds adapters: exactly named ones first, then PyTorch's in another spelling, then by pattern. */
export function finder(adapters: Adapters, families: Families): (op: string) => Adapter | undefined {
  const spelled = new Map<string, Adapter>();
  for (const [op, adapter] of Object.entries(adapters)) {
    if (op.startsWith("op.")) spelled.set(squashed(op.slice(3)), adapter);
  }
  return (op) => {
    for (const name of [
      op,
      op.replace(modules, "monai."),
      op.replace(modules, "monai.transforms."),
      op.replace(modules, "monai.transforms.utils."),
    ])
      if (Object.hasOwn(adapters, name)) return adapters[name];
    const name = torch.test(op) && readings(op).find((n) => spelled.has(n));
    return name ? spelled.get(name) : families.find(([pattern]) => pattern.test(op))?.[1];
  };
}
