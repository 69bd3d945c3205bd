/** @file Paths that become volumes, and volumes that become files, as steps of a chain (Node). */

import { expectArguments } from "../../../host/kinds.ts";
import { makeFolder } from "../../../host/files.node.ts";
import { dirname, join } from "node:path";
import { ConfigError } from "../../../host/errors.ts";
import { readImageFile, writeImageFile } from "../../formats/images.node.ts";
import { imageStem } from "../../formats/formats.ts";
import type { Volume } from "../../volume.ts";
import { LoadImage } from "./load_image.ts";
import { checkedOptions } from "../options.ts";

/** LoadImage of a path: a file, with those that its header names beside it, or the folder of a series. */
export class LoadImageFile extends LoadImage<string> {
  /** Reads the volume `[C, nx, ny, nz]` of a path. */
  protected override read(path: string): Promise<Volume> {
    if (typeof path !== "string")
      throw new ConfigError(`LoadImageFile: expected a path, got ${Object.prototype.toString.call(path)}`);
    return readImageFile(path, this.reading);
  }
}

/** Where volumes are saved, and as what. */
export interface SaveImageFileOptions {
  /** Folder of the results; default the working folder. */
  readonly outputDir?: string;
  /** What follows the name of the source; default "trans". "" for nothing. */
  readonly outputPostfix?: string;
  /** Ending, which says the format; default ".nii.gz". */
  readonly outputExt?: string;
  /** Element type; default that of the data. */
  readonly outputDtype?: string;
  /** Whether each source gets a folder of its name; default true. */
  readonly separateFolder?: boolean;
}

/**
 * MONAI's `SaveImage`: writes `outputDir/<source>/<source>_<outputPostfix><outputExt>`, named by `meta.source`, and gives the volume on. Waits for the
 * disk, so it has `applyAsync`, and `apply` refuses.
 *
 * Shapes: `[C, nx, ny, nz]`, unchanged. Geometry: kept, and written.
 */
export class SaveImageFile {
  private readonly options: Required<Omit<SaveImageFileOptions, "outputDtype">> & { readonly outputDtype?: string };

  /** @throws ConfigError for options that are not known */
  constructor(options: SaveImageFileOptions = {}) {
    checkedOptions(
      "SaveImageFile",
      options,
      "outputDir:text outputPostfix:text outputExt:text outputDtype:text separateFolder:boolean",
    );
    this.options = { outputDir: ".", outputPostfix: "trans", outputExt: ".nii.gz", separateFolder: true, ...options };
  }

  /** Always throws: use `applyAsync`. @throws ConfigError */
  apply(): never {
    throw new ConfigError("SaveImageFile: works asynchronously; use applyAsync, of Compose too, or a dataset");
  }

  /** Where a volume is written. */
  pathOf(volume: Volume): string {
    expectArguments("SaveImageFile", "volume", { volume });
    const { outputDir, outputPostfix, outputExt, separateFolder } = this.options;
    const stem = imageStem(volume.meta.source ?? "0") || "0";
    const name = (outputPostfix === "" ? stem : `${stem}_${outputPostfix}`) + outputExt;
    return separateFolder ? join(outputDir, stem, name) : join(outputDir, name);
  }

  /** @throws ConfigError, DataError as writeImageFile */
  async applyAsync(volume: Volume): Promise<Volume> {
    const path = this.pathOf(volume);
    await makeFolder(dirname(path));
    const { outputDtype } = this.options;
    await writeImageFile(path, volume, outputDtype === undefined ? {} : { dtype: outputDtype });
    return volume;
  }
}
