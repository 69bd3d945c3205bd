/**
 * @file `npm run bench:gpu [-- OPTIONS]`: all there is to know of a GPU in one call of some minutes: op table against float64, tuning, speed of operations
 * and training steps, the same networks in PyTorch, many steps. `-- --pack` makes `.gpu/` for a machine that has a driver and nothing else. `-- --help` says more.
 */

if (process.argv.includes("--pack")) {
  const { pack } = await import("./gpu/pack.ts");
  await pack();
} else {
  const { main } = await import("./gpu/main.ts");
  await main();
}
