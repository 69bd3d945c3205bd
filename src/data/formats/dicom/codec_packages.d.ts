/** @file What the packages that unpack pixels export; those of the cornerstone project come without types. */

declare module "@cornerstonejs/codec-libjpeg-turbo-8bit/decode" {
  const load: (options: object) => Promise<unknown>;
  export default load;
}
declare module "@cornerstonejs/codec-charls/decode" {
  const load: (options: object) => Promise<unknown>;
  export default load;
}
declare module "@cornerstonejs/codec-openjpeg/decode" {
  const load: (options: object) => Promise<unknown>;
  export default load;
}
declare module "@cornerstonejs/codec-openjph" {
  const load: (options: object) => Promise<unknown>;
  export default load;
}
declare module "jpeg-lossless-decoder-js" {
  export class Decoder {
    decompress(buffer: ArrayBuffer, offset?: number, length?: number): ArrayBuffer;
  }
}
