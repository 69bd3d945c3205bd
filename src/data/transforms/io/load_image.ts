/** @file Sources of images that become volumes as the first step of a chain. */

import { ConfigError } from "../../../host/errors.ts";
import { castTo, typeNamed } from "../../formats/cast.ts";
import type { ReadImageOptions } from "../../formats/format.ts";
import { readImage, readNames, type ImageSource } from "../../formats/read_image.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import { checkedOptions } from "../options.ts";
import type { ArraySource } from "../transform.ts";

/** How an image is read. */
export interface LoadImageOptions extends ReadImageOptions {
  /** Element type of the volume, "f32" or "float32"; `null`: that of the file. Default "f32", and of labels under `onKeys` that of the file. */
  readonly dtype?: string | null;
}

/**
 * MONAI's `LoadImage`: bytes, a Blob or File, or the files of one image, become a volume. In Node `LoadImageFile` takes paths. Waits for what it
 * reads, so it has `applyAsync`, and `apply` refuses.
 *
 * Images are float32 from here on, as in MONAI: some transforms give the type that they are given, and integers would lose what lies between them, or
 * wrap around.
 *
 * Shapes: to `[C, nx, ny, nz]`; channels are always first, so that MONAI's `ensure_channel_first` has nothing to do. Geometry: that of the file.
 */
export class LoadImage<Source = ImageSource> {
  private readonly dtype: string | null | undefined;
  /** How files are read. */
  protected readonly reading: ReadImageOptions;

  /** @throws ConfigError for options and types that are not known */
  constructor(options: LoadImageOptions = {}) {
    checkedOptions("LoadImage", options, `dtype:text ${readNames}`);
    const { dtype, ...reading } = options;
    this.dtype = typeof dtype === "string" ? typeNamed("LoadImage", dtype) : dtype;
    this.reading = reading;
  }

  /** Always throws: use `applyAsync`. @throws ConfigError */
  apply(): never {
    throw new ConfigError(`${this.constructor.name}: works asynchronously; use applyAsync, of Compose too, or a dataset`);
  }

  /**
   * Reads what `source` names or holds.
   * @throws FormatError naming the file and the field; DataError for values that `dtype` cannot hold
   */
  async applyAsync(source: Source): Promise<Volume> {
    return this.load(source, this.dtype === undefined ? "f32" : this.dtype);
  }

  /** The same for label maps: class numbers have the type of their file unless one was chosen. `onKeys` asks for it. */
  forLabels(): ArraySource {
    return { apply: () => this.apply(), applyAsync: (source: Source) => this.load(source, this.dtype ?? null) };
  }

  private async load(source: Source, dtype: string | null): Promise<Volume> {
    const volume = await this.read(source);
    if (dtype === null) return volume;
    return makeVolume({ data: castTo("LoadImage", volume.data, dtype), shape: volume.shape }, volume.affine, volume.meta);
  }

  /** Reads one source; what subclasses do otherwise. */
  protected read(source: Source): Promise<Volume> {
    return readImage(source as ImageSource, this.reading);
  }
}
