/** @file Paths that become volumes, and volumes that become files, as steps of a chain (Node). */

import { described, expectArguments } from "../../../host/kinds.ts";
import { makeFolder } from "../../../host/files.node.ts";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { typeNamed } from "../../formats/cast.ts";
import { readImageFile, writeImageFile } from "../../formats/images.node.ts";
import { joinChannels } from "../../folders/join_case.ts";
import { imageStem } from "../../formats/formats.ts";
import { writerOf } from "../../formats/read_image.ts";
import type { Volume } from "../../volume.ts";
import { LoadImage } from "./load_image.ts";
import { checkedOptions } from "../options.ts";

/**
 * LoadImage of a path: a file, with those that its header names beside it, or the folder of a series. A list of paths is one image of several files, its
 * channels in their order.
 */
export class LoadImageFile extends LoadImage<string | readonly string[]> {
  /**
   * Reads the volume `[C, nx, ny, nz]` of a path, or of several.
   * @throws ShapeError and DataError for files that do not lie on one grid
   */
  protected override async read(path: string | readonly string[]): Promise<Volume> {
    const paths = typeof path === "string" ? [path] : path;
    if (!Array.isArray(paths) || paths.length === 0 || !paths.every((p) => typeof p === "string"))
      throw new ConfigError(`LoadImageFile: expected a path or a list of paths, got ${described(path)}`);
    const volumes = await Promise.all(paths.map((p) => readImageFile(p, this.reading)));
    return joinChannels("LoadImageFile", volumes);
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
  /** Element type, "u8" or "uint8"; default that of the data. */
  readonly outputDtype?: string;
  /** Whether each source gets a folder of its name; default true. */
  readonly separateFolder?: boolean;
  /** Folder of the sources, below which their own folders are kept: `cases/a/t1.nii.gz` of `cases` goes to `outputDir/a`. Default "": they are not. */
  readonly dataRootDir?: string;
}

/**
 * MONAI's `SaveImage`: writes `outputDir/<source>/<source>_<outputPostfix><outputExt>`, named by `meta.source`, and gives the volume on. Waits for the
 * disk, so it has `applyAsync`, and `apply` refuses. It does not resample, as MONAI's does unless told: what a chain did is taken back by its `inverse`.
 *
 * Sources of one name in several folders, such as `a/t1.nii.gz` and `b/t1.nii.gz`, need `dataRootDir`.
 *
 * Shapes: `[C, nx, ny, nz]`, unchanged. Geometry: kept, and written.
 */
export class SaveImageFile {
  private readonly options: Required<Omit<SaveImageFileOptions, "outputDtype">> & { readonly outputDtype?: string };
  /** What it has written, and of which source. */
  private readonly written = new Map<string, string | undefined>();

  /** @throws ConfigError for options, types and endings that are not known */
  constructor(options: SaveImageFileOptions = {}) {
    checkedOptions(
      "SaveImageFile",
      options,
      "outputDir:text outputPostfix:text outputExt:text outputDtype:text separateFolder:boolean dataRootDir:text",
    );
    const defaults = { outputDir: ".", outputPostfix: "trans", outputExt: ".nii.gz", separateFolder: true, dataRootDir: "" };
    if (options.outputDtype !== undefined) typeNamed("SaveImageFile", options.outputDtype);
    this.options = { ...defaults, ...options };
    writerOf(`*${this.options.outputExt}`); // an ending of no format is told now, not when all is computed
  }

  /** Always throws: use `applyAsync`. @throws ConfigError */
  apply(): never {
    throw new ConfigError("SaveImageFile: works asynchronously; use applyAsync, of Compose too, or a dataset");
  }

  /** Where a volume is written. @throws ConfigError for a source outside of `dataRootDir` */
  pathOf(volume: Volume): string {
    expectArguments("SaveImageFile", "volume", { volume });
    const { outputDir, outputPostfix, outputExt, separateFolder } = this.options;
    const stem = imageStem(volume.meta.source ?? "0") || "0";
    const name = (outputPostfix === "" ? stem : `${stem}_${outputPostfix}`) + outputExt;
    return join(outputDir, this.folderOf(volume.meta.source), separateFolder ? stem : "", name);
  }

  /** The folder of a source below that of all. */
  private folderOf(source: string | undefined): string {
    const { dataRootDir } = this.options;
    if (dataRootDir === "" || source === undefined) return "";
    const below = relative(dataRootDir, dirname(source));
    if (below.split(sep)[0] !== ".." && !isAbsolute(below)) return below;
    throw new ConfigError(`SaveImageFile: ${source} does not lie in dataRootDir, ${dataRootDir}`);
  }

  /** Refuses to write over what it wrote of another source. A source that comes again, in the next epoch, may. */
  private claim(path: string, source: string | undefined): void {
    const other = this.written.get(path);
    if (this.written.has(path) && (source === undefined || other !== source))
      throw new DataError(
        `SaveImageFile: ${path} has the result of ${other ?? "a volume without a source"} already, which that of ${source ?? "another one"} would replace; ` +
          (source === undefined ? "set meta.source, which names the file" : "set dataRootDir to the folder of all sources"),
      );
    this.written.set(path, source);
  }

  /** @throws ConfigError, DataError as writeImageFile, and for a file that it wrote of another source */
  async applyAsync(volume: Volume): Promise<Volume> {
    const path = this.pathOf(volume);
    this.claim(path, volume.meta.source);
    await makeFolder(dirname(path));
    const { outputDtype } = this.options;
    await writeImageFile(path, volume, outputDtype === undefined ? {} : { dtype: outputDtype });
    return volume;
  }
}
