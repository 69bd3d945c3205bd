/** @file Who trained a run: a line of sessions.jsonl for each time that it was begun or resumed. */

import { version } from "../../host/version.ts";
import type { Device } from "../../tensor/device.ts";
import { files } from "./files.ts";
import { readLines } from "./lines.ts";
import type { RunStore } from "./store.ts";

/** One start of a run. */
export interface Session {
  /** ISO 8601, UTC. */
  readonly started: string;
  /** The adapter's name. */
  readonly device: string;
  /** It computes on the processor. */
  readonly software: boolean;
  /** Node or the browser. */
  readonly runtime: string;
  /** Version of voxgrad. */
  readonly voxgrad: string;
  /** Epochs and steps that were done before. */
  readonly epoch: number;
  readonly step: number;
  /** Numbers that the networks learn. */
  readonly parameters: number;
  /** Device memory of a step, as planned. */
  readonly plannedBytes: number;
  /** Name of the dataset. */
  readonly dataset: string;
  /** Cases to train and to validate on. */
  readonly train: number;
  readonly val: number;
}

type Work = Omit<Session, "started" | "device" | "software" | "runtime" | "voxgrad">;

/** Adds a start of now. */
export async function writeSession(store: RunStore, { name: device, software }: Device, work: Work): Promise<void> {
  const session: Session = {
    started: new Date().toISOString(),
    device,
    software,
    runtime: navigator.userAgent,
    voxgrad: version,
    ...work,
  };
  await store.append(files.sessions, `${JSON.stringify(session)}\n`);
}

/** The starts of a run in order; none for runs of before. */
export const readSessions = (store: RunStore): Promise<Session[]> => readLines<Session>(store, files.sessions);
