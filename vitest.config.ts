import { defineConfig } from "vitest/config";

const all = "test/**/*.test.ts";
const full = "test/**/*.full.test.ts";
/** Minutes each, some with packages from the registry: before a release, not in CI. */
const long = "test/**/*.long.test.ts";
const browser = "test/browser/**";
/** Folders whose tests need no GPU, and get none. */
const host = ["lib", "host", "data", "weights", "seg/metrics", "seg/pictures", "seg/post"].map(
  (room) => `test/${room}/**/*.test.ts`,
);
/** Files of the op table, which the runner makes tests of. */
const rows = "test/ops/rows/*.ts";

/**
 * Files share a process, so that one GPU device exists in it and its pipelines are compiled once. A process rather than a thread: if a driver
 * takes it down, vitest itself lives to say which file it was.
 */
const oneProcess = {
  pool: "forks",
  isolate: false,
  fileParallelism: false,
  maxWorkers: 1,
  runner: "./test/lib/runner.ts",
} as const;

/** A software adapter works for one thing at a time in most tests, and half of the full tier's files wait for commands and pages that they start. */
const twoProcesses = { ...oneProcess, fileParallelism: true, maxWorkers: 2 } as const;

export default defineConfig({
  test: {
    // Node reads TypeScript itself, in half the time that Vite's transformations take; nothing is mocked.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // Makes package imports (#gpu, voxgrad/nn) name the .ts files instead of dist.
    execArgv: ["--conditions=voxgrad-source"],
    globalSetup: ["test/setup.ts"],
    reporters: ["default", "./test/lib/reporter.ts"],
    // A software adapter on two cores is slow; what hangs is still found.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "host",
          include: host,
          exclude: [full, long],
          pool: "forks",
          isolate: false,
          maxWorkers: "100%",
          env: { VK_DRIVER_FILES: "/none" },
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "gpu",
          include: [all, rows],
          exclude: [full, long, browser, ...host],
          ...twoProcesses,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: [`${browser}/*.test.ts`],
          exclude: [full, long],
          ...oneProcess,
          sequence: { groupOrder: 3 },
        },
      },
      { extends: true, test: { name: "full", include: [full, rows], ...twoProcesses, sequence: { groupOrder: 4 } } },
      { extends: true, test: { name: "long", include: [long], ...oneProcess, sequence: { groupOrder: 5 } } },
    ],
  },
});
