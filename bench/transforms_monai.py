"""Milliseconds of MONAI's transforms on one volume, for bench/transforms.ts: python bench/transforms_monai.py OUT.json [SIZE] [FILTER].

Needs torch and a MONAI that can be imported (PYTHONPATH may name its sources). A row per transform, named as in the TypeScript bench.
"""

import json
import sys
import time

import numpy as np
import torch
from monai import transforms as T

out, size, wanted = sys.argv[1], int((sys.argv[2:] or ["160"])[0]), (sys.argv[3:] or [""])[0]
image = torch.from_numpy(np.random.RandomState(0).normal(1, 0.3, (1, size, size, size)).astype(np.float32))
mask = (image > 1).to(torch.uint8)
label = torch.clamp((image * 2).floor(), min=0).to(torch.int32)

rows = {
    "ScaleIntensity": lambda: T.ScaleIntensity(),
    "ScaleIntensityRange": lambda: T.ScaleIntensityRange(0, 2, 0, 1, clip=True),
    "ScaleIntensityRangePercentiles": lambda: T.ScaleIntensityRangePercentiles(0.5, 99.5, 0, 1),
    "ClipIntensityPercentiles": lambda: T.ClipIntensityPercentiles(0.5, 99.5),
    "ClipIntensityPercentiles soft": lambda: T.ClipIntensityPercentiles(0.5, 99.5, sharpness_factor=10),
    "ScaleIntensityFixedMean": lambda: T.ScaleIntensityFixedMean(0.2, preserve_range=True),
    "NormalizeIntensity": lambda: T.NormalizeIntensity(),
    "NormalizeIntensity nonzero": lambda: T.NormalizeIntensity(nonzero=True),
    "ShiftIntensity": lambda: T.ShiftIntensity(0.5),
    "StdShiftIntensity": lambda: T.StdShiftIntensity(0.5),
    "ThresholdIntensity": lambda: T.ThresholdIntensity(1.0),
    "MaskIntensity": lambda: T.MaskIntensity(mask),
    "AdjustContrast": lambda: T.AdjustContrast(1.7),
    "AdjustContrast retainStats": lambda: T.AdjustContrast(1.7, retain_stats=True, invert_image=True),
    "RandGaussianNoise": lambda: T.RandGaussianNoise(prob=1),
    "RandRicianNoise": lambda: T.RandRicianNoise(prob=1),
    "RandBiasField": lambda: T.RandBiasField(prob=1),
    "GaussianSmooth": lambda: T.GaussianSmooth(1.0),
    "GaussianSmooth wide": lambda: T.GaussianSmooth(3.0),
    "GaussianSharpen": lambda: T.GaussianSharpen(1.0, 0.75),
    "SavitzkyGolaySmooth": lambda: T.SavitzkyGolaySmooth(7, 3),
    "MedianSmooth": lambda: T.MedianSmooth(),
    "HistogramNormalize": lambda: T.HistogramNormalize(),
    "RandHistogramShift": lambda: T.RandHistogramShift(prob=1),
    "GibbsNoise": lambda: T.GibbsNoise(0.4),
    "KSpaceSpikeNoise": lambda: T.KSpaceSpikeNoise((0, 70, 80, 90), 10),
    "RandCoarseDropout": lambda: T.RandCoarseDropout(8, 24, prob=1),
    "RandCoarseShuffle": lambda: T.RandCoarseShuffle(8, 24, prob=1),
    "DetectEnvelope": lambda: T.DetectEnvelope(),
    "ImageFilter mean": lambda: T.ImageFilter("mean", 3),
    "ImageFilter laplace": lambda: T.ImageFilter("laplace", 3),
    "AddCoordinateChannels": lambda: T.AddCoordinateChannels([0, 1, 2]),
    "LabelToMask": lambda: (lambda _: T.LabelToMask([1, 2])(label)),
    "MapLabelValue": lambda: (lambda _: T.MapLabelValue([1, 2], [5, 6])(label)),
}

results = {}
for name, make in rows.items():
    if wanted not in name:
        continue
    best = float("inf")
    for run in range(4):
        transform = make()
        # Some of them write into what they get.
        x = image.clone()
        start = time.perf_counter()
        transform(x)
        if run:
            best = min(best, 1000 * (time.perf_counter() - start))
    results[name] = best
    print(f"{name:32}{best:8.1f}", flush=True)
with open(out, "w") as file:
    json.dump(results, file, indent=2)
