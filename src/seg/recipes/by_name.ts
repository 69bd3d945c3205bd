/** @file The recipes of the library: a row each. */

import type { Recipe } from "./recipe.ts";
import chaos from "./chaos/recipe.ts";
import nodules from "./nodules/recipe.ts";
import nnunet from "./nnunet/recipe.ts";
import patches3d from "./patches3d/recipe.ts";
import quicknat from "./quicknat/recipe.ts";
import slices2d from "./slices2d/recipe.ts";

/** Every recipe that the library brings. */
export const recipes: readonly Recipe[] = [slices2d, patches3d, nodules, quicknat, chaos, nnunet];
