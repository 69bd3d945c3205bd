/** @file `voxgrad demo`: all of it on synthetic volumes, or on the user's own. */

import { join, resolve } from "node:path";
import type { Recipe } from "../../recipes/recipe.ts";
import slices2d from "../../recipes/slices2d/recipe.ts";
import { syntheticOptions, writeSynthetic } from "../../run/synthetic.node.ts";
import { type Command, flag, flagsOf, optionsIn, parse, say, text } from "../command_line.node.ts";
import { newJob, tableOf, train, trainCommand, trainHelp } from "./train.node.ts";

export const demoCommand: Command = {
  name: "demo",
  usage: [["[--seed N] [--epochs N] [--out DIR] [--data DIR]", "all of it on synthetic volumes, or on yours"]],
  help: trainHelp,
  async run(args) {
    const recipe: Recipe = slices2d;
    const table = tableOf(recipe);
    const { values } = parse(args, { ...flagsOf(table), data: text, out: text, resume: text, "no-tune": flag });
    const { recipe: _, data: _data, ...given } = optionsIn(table, values);
    const seed = (given.seed ?? 0) as number;
    const folder = (values.out ?? join("runs", `demo${values.data === undefined ? "" : "-data"}-seed${seed}`)) as string;
    if (values.resume !== undefined) return trainCommand.run(["--resume", values.resume as string]);
    const tuned = values["no-tune"] !== true;
    if (values.data !== undefined) return train(await newJob(recipe, values.data as string, given, folder), tuned);
    const data = join(resolve(folder), "data");
    say("writing 40 synthetic volumes as NIfTI");
    await writeSynthetic(data, Number.isSafeInteger(seed) ? seed : 0);
    return train(await newJob(recipe, data, { ...syntheticOptions, ...given }, folder), tuned);
  },
};
