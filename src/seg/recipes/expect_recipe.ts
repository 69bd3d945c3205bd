/** @file What stands for a recipe must be one. */

import { expectFields } from "../../host/kinds.ts";

/** Throws `ConfigError` for what is no recipe. */
export function expectRecipe(op: string, recipe: unknown): void {
  expectFields(op, "recipe", recipe, { name: "text", version: "number", options: "object", networks: "function" });
}
