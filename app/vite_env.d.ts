/** @file What Vite makes of imports that are no code. */

/// <reference types="vite/client" />

declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decode";
declare module "@cornerstonejs/codec-charls/decode";
declare module "@cornerstonejs/codec-openjpeg/decode";
declare module "@cornerstonejs/codec-openjph";
declare module "jpeg-lossless-decoder-js";
