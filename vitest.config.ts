import { defineConfig } from "vitest/config";

// "source" makes package imports (#gpu, voxgrad/nn) name the .ts files instead of dist; the others are Vite's own.
const conditions = ["source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          // One process for all files, so that one GPU device exists and its pipelines are compiled once. A process rather
          // than a thread: if a driver takes it down, vitest itself lives to say which file it was.
          pool: "forks",
          isolate: false,
          fileParallelism: false,
          maxWorkers: 1,
          globalSetup: ["test/setup.ts"],
          // A software adapter on two cores is slow; what hangs is still found.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
