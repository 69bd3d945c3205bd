/** @file Tells of each failure the command that runs it alone. */

import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/** What names a test: its project (vitest.config.ts), its file, and its title behind those of the suites around it. */
export interface TestName {
  readonly project: string;
  readonly file: string;
  /** Empty for the whole file. */
  readonly titles: readonly string[];
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** The command that runs one test, or one file, for a POSIX shell in the repository's root. */
export function commandOf({ project, file, titles }: TestName): string {
  const script = project === "full" ? "npm run test:full" : "npm test";
  // Vitest matches the pattern against all titles with spaces between.
  const pattern = titles.length > 0 ? ` -t ${quoted(`^${literally(titles.join(" "))}$`)}` : "";
  return `${script} -- ${quoted(file)}${pattern}`;
}

function titlesOf(test: TestCase): string[] {
  const titles = [test.name];
  for (let at: TestSuite | TestModule = test.parent; at.type === "suite"; at = at.parent) titles.unshift(at.name);
  return titles;
}

const nameOf = (module: TestModule, titles: readonly string[] = []): TestName => ({
  project: module.project.name,
  file: module.relativeModuleId,
  titles,
});

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const failed = modules.filter((module) => !module.ok());
    const commands = failed.flatMap((module) => {
      const tests = [...module.children.allTests("failed")];
      // A file that does not load, or whose preparation fails, has no failed test.
      return tests.length > 0 ? tests.map((test) => commandOf(nameOf(module, titlesOf(test)))) : [commandOf(nameOf(module))];
    });
    for (const command of commands) console.log(`run it alone: ${command}`);
  }
}
