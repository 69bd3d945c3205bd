/** @file A bundle's config: JSON with references between its parts (`"@network_def#channels"`, `"%key"`) and expressions (`"$…"`), as MONAI's `ConfigParser` reads it. */

import { FormatError } from "../../host/errors.ts";
import { evaluate, Unknown, type Value } from "./expression.ts";

/** A record of values. */
export type Fields = Readonly<Record<string, Value>>;

/** A component: what to make of which options. */
export interface Component {
  /** Name of the class, without its module where that is MONAI's. */
  readonly target: string;
  readonly options: Fields;
}

/** Whether a value is one. */
export const isFields = (value: Value | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown);

/** What a MONAI class is called in its own package; others keep their full name. */
const shortName = (target: string): string => (/^monai\.(?!apps\.)/.test(target) ? target.split(".").at(-1)! : target);

export class BundleConfig {
  readonly name: string;
  private readonly root: Fields;
  private readonly resolving = new Set<string>();
  // References to references may double with each level.
  private left = 100_000;

  /** @throws FormatError for JSON that is no record */
  constructor(name: string, root: unknown) {
    if (!isFields(root as Value)) throw new FormatError(`${name}: expected a JSON object`);
    this.name = name;
    this.root = root as Fields;
  }

  /**
   * The part under an id such as `inferer` or `inferer#roi_size`, references and expressions resolved; undefined if there is none.
   * @throws FormatError for references that lead nowhere or in a circle
   */
  get(id: string): Value | undefined {
    let part: Value | undefined = this.root;
    for (const key of id.split(/#|::/)) {
      if (typeof part === "string" && /^[@%]/.test(part)) part = this.resolved(part);
      if (Array.isArray(part)) part = (part as readonly Value[]).at(Number(key));
      else if (isFields(part) && Object.hasOwn(part, key)) part = part[key];
      else return undefined;
    }
    return part === undefined ? undefined : this.resolved(part);
  }

  /** A component; undefined for none, or one that is disabled. @throws FormatError for what is no component */
  component(id: string): Component | undefined {
    const value = this.get(id);
    return value === undefined || value === null ? undefined : componentOf(`${this.name}: ${id}`, value);
  }

  private reference(id: string): Value {
    if (this.resolving.has(id)) throw new FormatError(`${this.name}: "@${id}" refers to itself`);
    this.resolving.add(id);
    try {
      const found = this.get(id);
      if (found === undefined) throw new FormatError(`${this.name}: there is no "${id}", which "@${id}" refers to`);
      return found;
    } finally {
      this.resolving.delete(id);
    }
  }

  private resolved(value: Value): Value {
    if (--this.left < 0) throw new FormatError(`${this.name}: its references stand for more than 100,000 values`);
    if (typeof value === "string") {
      if (/^[@%]\w+(?:(?:#|::)\w+)*$/.test(value)) return this.reference(value.slice(1));
      return value.startsWith("$") ? evaluate(value.slice(1), (id) => this.reference(id)) : value;
    }
    if (value === null || typeof value !== "object" || value instanceof Unknown) return value;
    if (Array.isArray(value)) return (value as readonly Value[]).map((v) => this.resolved(v));
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, this.resolved(v)]));
  }
}

/** Throws `FormatError` for what is no component. */
export function componentOf(where: string, value: Value): Component | undefined {
  if (value instanceof Unknown) throw new FormatError(`${where} is the expression "${value.text}", which is not known here`);
  if (!isFields(value) || typeof value["_target_"] !== "string")
    throw new FormatError(`${where} is ${JSON.stringify(value)?.slice(0, 80)}; expected a component with "_target_"`);
  const options = Object.fromEntries(Object.entries(value).filter(([name]) => !/^_\w+_$/.test(name)));
  return value["_disabled_"] === true ? undefined : { target: shortName(value["_target_"] as string), options };
}

/** The components of a `Compose`, flat. */
export function chainOf(where: string, component: Component | undefined): Component[] {
  if (!component) return [];
  if (component.target !== "Compose") return [component];
  const { transforms } = component.options;
  if (!Array.isArray(transforms)) throw new FormatError(`${where}: Compose has no list "transforms"`);
  return (transforms as readonly Value[]).flatMap((t, i) => chainOf(where, componentOf(`${where}[${i}]`, t)));
}
