/** @file Where things lie in the memory of the WebAssembly kernels. */

/**
 * Where in the module's memory things lie, in bytes: three chunks, a result, tables; then what mixing takes: a plane, four rows of it in three ways, a table;
 * a table of logarithms, and over the room of mixing what becomes of a generator's words; then what rows are put together with, and what became of them.
 */
export const places = {
  first: 0,
  second: 0x2000,
  third: 0x4000,
  result: 0x6000,
  tables: 0x8000,
  wholes: 0xc000,
  plane: 0x10000,
  rows: 0x110000,
  columns: 0x118000,
  mixed: 0x120000,
  outRows: 0x128000,
  pairs: 0x130000,
  logarithms: 0x13c000,
  words: 0x10000,
  points: 0x14000,
  squares: 0x18000,
  normals: 0x1c000,
  addresses: 0x140000,
  windows: 0x148000,
  turned: 0x14fff0,
  fillRow: 0x150000,
  sources: 0x160000,
  collected: 0x260000,
} as const;

/** Of 64 KiB. */
export const pages = 60;

/** Bytes of what rows are put together with: addresses, windows, the longest row, sources; behind each is room for a vector. */
export const rowRoom = { addresses: 0x8000, windows: 0x8000 - 16, row: 0x10000 - 16, sources: 0x100000 - 16 } as const;
/** Bytes of the result that are collected: more than 1 MiB, from where on the processor writes lines without reading them first. */
export const collectedRoom = 0x160000;

/** Elements of the plane, and of the longest row. */
export const planeSize = 2 ** 18;
export const rowSize = 2048 - 4;

/** Elements of a chunk, whole blocks. Half as many take a tenth more time, for calls that copy; twice as many take none less. */
export const chunkSize = 2048;

/** Stretches are multiples of so many bytes. */
export const turn = 64;
