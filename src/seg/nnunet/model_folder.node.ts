/** @file nnU-Net's results folders on a disk (Node). */

import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { type NnunetModel, openNnunetModel, type OpenNnunetOptions } from "./model_folder.ts";

/** Opens a results folder by its path; see `openNnunetModel`. @throws FormatError also for files that cannot be read */
export function openNnunetFolder(device: Device, folder: string, options: OpenNnunetOptions = {}): Promise<NnunetModel> {
  expectOptions("openNnunetFolder", options, "folds checkpoint configuration");
  expectArguments("openNnunetFolder", "text", { folder });
  const read = async (path: string): Promise<Uint8Array | undefined> => {
    try {
      return await readFile(join(folder, path));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT" || (cause as NodeJS.ErrnoException).code === "ENOTDIR")
        return undefined;
      throw new FormatError(`cannot read ${join(folder, path)}: ${(cause as Error).message}`, { cause });
    }
  };
  return openNnunetModel(device, read, options);
}
