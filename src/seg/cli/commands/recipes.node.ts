/** @file `voxgrad recipes`: what can be trained. */

import { recipes } from "../../recipes/by_name.ts";
import { type Command, parse, say } from "../command_line.node.ts";

export const recipesCommand: Command = {
  name: "recipes",
  usage: [["", "what --recipe can be"]],
  async run(args) {
    parse(args, {});
    const width = Math.max(...recipes.map((r) => r.name.length));
    for (const { name, summary } of recipes) say(`${name.padEnd(width)}  ${summary}`);
    return 0;
  },
};
