/** @file Recipes by name, or from a module of the user's own. */

import { ConfigError } from "../../host/errors.ts";
import { importModule } from "../../host/import_module.ts";
import { recipes } from "../recipes/by_name.ts";
import type { Recipe } from "../recipes/recipe.ts";

const parts = ["options", "suggest", "prepare", "samples", "networks", "loss", "optimizer", "segmenter"] as const;

/** The recipe that a module has as its default export. Throws `ConfigError` if it cannot be loaded or is none. */
export async function loadRecipe(module: string): Promise<Recipe> {
  let given: Partial<Recipe> | undefined;
  try {
    ({ default: given } = (await importModule(module)) as { default?: Partial<Recipe> });
  } catch (cause) {
    throw new ConfigError(`the recipe ${module} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  const missing = parts.filter((name) => given?.[name] === undefined);
  if (typeof given?.name !== "string" || !Number.isSafeInteger(given.version) || missing.length > 0) {
    throw new ConfigError(
      `the module ${module} must export a recipe by default; it lacks ${given ? ["name", "version", ...missing].filter((k) => !(k in given)).join(", ") : "a default export"}`,
    );
  }
  return Object.assign(Object.create(given) as Recipe, { module });
}

/** A recipe of the library. Throws `ConfigError` naming those there are. `name` is the recipe's, such as "patches3d". */
export function recipeByName(name: string): Recipe {
  const found = recipes.find((r) => r.name === name);
  if (found) return found;
  throw new ConfigError(
    `there is no recipe "${name}"; known are ${recipes.map((r) => r.name).join(", ")}, or the path of a module`,
  );
}

/** The recipe of a run, wherever it was. Throws `ConfigError`. */
export async function storedRecipe({
  name,
  module,
}: {
  readonly name: string;
  readonly module?: string | undefined;
}): Promise<Recipe> {
  const known = recipes.some((r) => r.name === name);
  return known || module === undefined ? recipeByName(name) : loadRecipe(module);
}
