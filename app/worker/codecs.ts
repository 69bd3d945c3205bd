/** @file How the page gets the decoders of packed DICOM: plain JavaScript where there is such a build, each loaded by the first file that needs it. */

import { setDicomCodec } from "voxgrad/data";
import openjphWasm from "@cornerstonejs/codec-openjph/wasm?url";

type Start = (options: object) => unknown;

setDicomCodec("jpeg", () => import("@cornerstonejs/codec-libjpeg-turbo-8bit/decode"));
setDicomCodec("jpegLs", () => import("@cornerstonejs/codec-charls/decode"));
setDicomCodec("jpeg2000", () => import("@cornerstonejs/codec-openjpeg/decode"));
setDicomCodec("jpegLossless", () => import("jpeg-lossless-decoder-js"));
setDicomCodec("htj2k", async () => {
  const { default: start } = (await import("@cornerstonejs/codec-openjph")) as unknown as { default: Start };
  // It would look for its file beside the page.
  const wasmBinary = await (await fetch(new URL(openjphWasm, import.meta.url))).arrayBuffer();
  return { default: (options: object) => start({ ...options, wasmBinary }) };
});
