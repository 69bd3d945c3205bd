/**
 * Builds `dist/` where npm makes a package of a git repository (`npm install git+https://…`); a clone that is worked in needs none. npm says so by
 * the variable with which it keeps the package from being prepared within its own preparation.
 */
import { spawnSync } from "node:child_process";

if (process.env["_PACOTE_NO_PREPARE_"]) {
  const { status } = spawnSync("npm", ["run", "build"], { stdio: "inherit", shell: process.platform === "win32" });
  process.exit(status ?? 1);
}
