/** The one-way rule of the house (ARCHITECTURE.md): what each room may import beside itself. */
const engine = ["host", "tensor", "kernels", "autograd"];
const mayImport = {
  host: [],
  tensor: ["host"],
  weights: ["host"],
  data: ["host"],
  kernels: ["host", "tensor"],
  autograd: ["host", "tensor", "kernels"],
  nn: [...engine, "weights"],
  testing: engine,
  bench: engine,
  onnx: [...engine, "nn", "weights"],
  seg: [...engine, "nn", "data", "weights", "onnx", "bench"],
};

/** The same inside `src/seg`, where a later room stands on the earlier ones. */
const seg = [
  "networks",
  "metrics",
  "pictures",
  "post",
  "inference",
  "nnunet",
  "training",
  "recipes",
  "run",
  "bundle",
  "models",
  "cli",
];

const rule = (folder, room, others) => ({
  name: `${folder.replaceAll("/", "-")}-${room}-imports-only-what-lies-below`,
  comment: `${folder}/${room} may import ${["itself", ...others].join(", ")}`,
  severity: "error",
  from: { path: `^${folder}/${room}/` },
  to: { path: `^${folder}/`, pathNot: `^${folder}/(${[room, ...others].join("|")})/` },
});

module.exports = {
  forbidden: [
    ...Object.entries(mayImport).map(([room, others]) => rule("src", room, others)),
    ...seg.map((room, i) => rule("src/seg", room, seg.slice(0, i))),
    {
      name: "sources-import-no-client",
      comment: "src is the library; these are its clients",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(bench|test|app|scripts|examples)/" },
    },
    {
      name: "shaders-only-through-kernels",
      comment: "WGSL is the kernels' business",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/kernels/" },
      to: { path: "^src/kernels/shaders/" },
    },
    {
      name: "app-is-a-client",
      comment: "the page uses what everybody can",
      severity: "error",
      from: { path: "^app/" },
      to: { path: "^(src|test|bench|scripts)/", pathNot: ["^src/index\\.ts$", "^src/[a-z]+/index\\.ts$"] },
    },
    {
      name: "app-page-without-library",
      comment: "the worker has the library; the page's thread shows",
      severity: "error",
      from: { path: "^app/(page|viewer|text)/|^app/(main|protocol)\\.tsx?$" },
      to: { path: "^(src|app/worker)/" },
    },
    {
      name: "app-worker-without-page",
      comment: "they speak by app/protocol.ts",
      severity: "error",
      from: { path: "^app/worker/" },
      to: { path: "^app/(page|viewer|text)/" },
    },
    { name: "no-cycles", comment: "types included", severity: "error", from: {}, to: { circular: true } },
  ],
  options: {
    includeOnly: "^(src|test|bench|app|scripts|examples|shaders)/",
    exclude: { path: "node_modules|^app/dist/" },
    tsPreCompilationDeps: true, // type imports count: a type of a higher layer is a dependency too
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      conditionNames: ["voxgrad-source", "node", "import", "types", "default"],
      exportsFields: ["exports"],
    },
  },
};
