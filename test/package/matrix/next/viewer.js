"use client";
/** @file A client component with static and dynamic imports of the library; it computes when it is in a browser. */
import { createElement, useEffect, useState } from "react";
import { add, openDevice, relu } from "voxgrad";
import { makeVolume } from "voxgrad/data";
import { UNet } from "voxgrad/seg";

async function compute() {
  const [{ Compose }, seg, testing, benches] = await Promise.all([
    import("voxgrad/data"),
    import("voxgrad/seg"),
    import("voxgrad/testing"),
    import("voxgrad/bench"),
  ]);
  const device = await openDevice();
  const values = await relu(add(device.tensor({ data: [-3, 1], shape: [2] }), 1)).data();
  device.close();
  const { shape } = makeVolume({ data: new Float32Array(8), shape: [1, 2, 2, 2] });
  const own = [testing.gradCheck, benches.bench].map((f) => typeof f);
  return [...values, typeof Compose, seg.UNet === UNet, ...shape, ...own].join(" ");
}

export function Viewer() {
  const [text, setText] = useState("waiting");
  useEffect(() => void compute().then(setText, (error) => setText(String(error))), []);
  return createElement("p", null, text);
}
