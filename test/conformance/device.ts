/** @file The one device of all adapters, opened when a case first asks for it. */
import { type Device, openDevice } from "../../src/index.ts";

let opened: Promise<Device> | undefined;
export const device = (): Promise<Device> => (opened ??= openDevice());
export const closeDevice = async (): Promise<void> => (await opened)?.close();
