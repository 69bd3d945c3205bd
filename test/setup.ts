/** @file Runs once before the tests: the embedded shaders are those on disk, also under `npx vitest`. */
export default async function setup(): Promise<void> {
  const embed = new URL("../shaders/embed.mjs", import.meta.url).href;
  const { embedShaders } = (await import(embed)) as { embedShaders: () => void };
  embedShaders();
}
