/** @file Sources of images that become volumes as the first step of a chain. */

import { ConfigError } from "../../../host/errors.ts";
import { castTo } from "../../formats/cast.ts";
import type { ReadImageOptions } from "../../formats/format.ts";
import { readImage, readNames, type ImageSource } from "../../formats/read_image.ts";
import { makeVolume, type Volume } from "../../volume.ts";
import { checkedOptions } from "../options.ts";

/** How an image is read. */
export interface LoadImageOptions extends ReadImageOptions {
  /** Element type of the volume; default, and `null`, that of the file. MONAI's default is "f32". */
  readonly dtype?: string | null;
}

/**
 * MONAI's `LoadImage`: bytes, a Blob or File, or the files of one image, become a volume. In Node `LoadImageFile` takes paths. Waits for what it
 * reads, so it has `applyAsync`, and `apply` refuses.
 *
 * Shapes: to `[C, nx, ny, nz]`; channels are always first, so that MONAI's `ensure_channel_first` has nothing to do. Geometry: that of the file.
 */
export class LoadImage<Source = ImageSource> {
  private readonly dtype: string | null;
  /** How files are read. */
  protected readonly reading: ReadImageOptions;

  /** @throws ConfigError for options that are not known */
  constructor(options: LoadImageOptions = {}) {
    checkedOptions("LoadImage", options, `dtype:text ${readNames}`);
    const { dtype = null, ...reading } = options;
    this.dtype = dtype;
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
    const volume = await this.read(source);
    if (this.dtype === null) return volume;
    return makeVolume({ data: castTo("LoadImage", volume.data, this.dtype), shape: volume.shape }, volume.affine, volume.meta);
  }

  /** Reads one source; what subclasses do otherwise. */
  protected read(source: Source): Promise<Volume> {
    return readImage(source as ImageSource, this.reading);
  }
}
