/**
 * The one-way rule of the house (ARCHITECTURE.md): shaders → kernels → autograd → nn → seg, `tensor` under all of them,
 * `data` beside `autograd` on `kernels`.
 */
const mayImport = {
  tensor: [],
  weights: ["tensor"],
  kernels: ["tensor"],
  data: ["tensor", "kernels"],
  autograd: ["tensor", "kernels"],
  nn: ["tensor", "kernels", "autograd", "weights"],
  onnx: ["tensor", "kernels", "autograd", "nn", "weights"],
  seg: ["tensor", "kernels", "autograd", "nn", "data", "weights", "onnx"],
};

const layers = Object.entries(mayImport).map(([layer, others]) => ({
  name: `${layer}-imports-only-what-lies-below`,
  comment: `src/${layer} may import ${["itself", ...others].join(", ")}`,
  severity: "error",
  from: { path: `^src/${layer}/` },
  to: { path: "^src/", pathNot: `^src/(${[layer, ...others].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: "sources-import-no-client",
      comment: "src is the library; these are its clients",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(bench|test|app|scripts)/" },
    },
    {
      name: "shaders-only-through-kernels",
      comment: "WGSL is the kernels' business",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/kernels/" },
      to: { path: "^src/kernels/shaders[.]gen[.]ts$" },
    },
    {
      name: "no-cycles",
      comment: "at run time; two files of one folder may know each other's types",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    includeOnly: "^(src|test|bench|app|scripts|shaders)/",
    exclude: { path: "node_modules" },
    tsPreCompilationDeps: true, // type imports count: a type of a higher layer is a dependency too
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { conditionNames: ["source", "node", "import", "types", "default"], exportsFields: ["exports"] },
  },
};
