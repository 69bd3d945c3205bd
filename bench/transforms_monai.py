"""Milliseconds of MONAI's transforms on one volume, for bench/transforms.ts, which starts it: python bench/transforms_monai.py SIZE THREADS CLOCK,
where CLOCK is wall or cpu (the processor time of all threads).

Reads the name of a row from each line of the standard input and answers with the milliseconds of one run, or with "none" where it has no such row, so
that both sides take turns. Needs torch and a MONAI that can be imported (PYTHONPATH may name its sources). A row per transform, named as in the
TypeScript bench; what torch would give as a view is made contiguous, since the next transform has to read it.
"""

import sys
import time
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import torch
from monai import transforms as T
from monai.data import MetaTensor

size, threads = int(sys.argv[1]), int(sys.argv[2])
now = time.process_time if sys.argv[3] == "cpu" else time.perf_counter
torch.set_num_threads(threads)
values = torch.from_numpy(np.random.RandomState(0).normal(1, 0.3, (1, size, size, size)).astype(np.float32))
image, untouched = values, values.clone()
volume = MetaTensor(values.clone(), affine=torch.eye(4))
mask = (image > 1).to(torch.uint8)
label = torch.clamp((image * 2).floor(), min=0).to(torch.int32)
label_volume = MetaTensor(label.to(torch.uint8), affine=torch.eye(4))
turned = {"rotate_params": (0.2, 0.3, 0.1), "scale_params": (1.1, 1.1, 1.1)}


def of_copy(transform):
    """MONAI's writes into its input, which a cache or another transform may have; who needs it makes a copy, as our transforms do."""
    return lambda x: transform(x.clone())


def of_label(transform):
    return lambda _: transform(label)


def solid(transform, x=volume):
    """Of a volume with its affine; views are copied."""

    def run(_):
        result = transform(x)
        return [r.contiguous() for r in result] if isinstance(result, (list, tuple)) else result.contiguous()

    return run


rows = {
    "ScaleIntensity": lambda: T.ScaleIntensity(),
    "ScaleIntensityRange": lambda: T.ScaleIntensityRange(0, 2, 0, 1, clip=True),
    "ScaleIntensityRangePercentiles": lambda: T.ScaleIntensityRangePercentiles(0.5, 99.5, 0, 1),
    "ClipIntensityPercentiles": lambda: T.ClipIntensityPercentiles(0.5, 99.5),
    "ClipIntensityPercentiles soft": lambda: T.ClipIntensityPercentiles(0.5, 99.5, sharpness_factor=10),
    "ScaleIntensityFixedMean": lambda: T.ScaleIntensityFixedMean(0.2, preserve_range=True),
    "NormalizeIntensity": lambda: T.NormalizeIntensity(),
    "NormalizeIntensity nonzero": lambda: of_copy(T.NormalizeIntensity(nonzero=True)),
    "ShiftIntensity": lambda: T.ShiftIntensity(0.5),
    "StdShiftIntensity": lambda: of_copy(T.StdShiftIntensity(0.5)),
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
    "RandCoarseDropout": lambda: of_copy(T.RandCoarseDropout(8, 24, prob=1)),
    "RandCoarseShuffle": lambda: of_copy(T.RandCoarseShuffle(8, 24, prob=1)),
    "DetectEnvelope": lambda: T.DetectEnvelope(),
    "ImageFilter mean": lambda: T.ImageFilter("mean", 3),
    "ImageFilter laplace": lambda: T.ImageFilter("laplace", 3),
    "AddCoordinateChannels": lambda: T.AddCoordinateChannels([0, 1, 2]),
    "LabelToMask": lambda: of_label(T.LabelToMask([1, 2])),
    "MapLabelValue": lambda: of_label(T.MapLabelValue([1, 2], [5, 6])),
    "Resize trilinear 4/5": lambda: solid(T.Resize([size * 4 // 5] * 3, mode="trilinear")),
    "Resize trilinear 6/5": lambda: solid(T.Resize([size * 6 // 5] * 3, mode="trilinear")),
    "Resize nearest": lambda: solid(T.Resize([size * 4 // 5] * 3, mode="nearest")),
    "Resize area 4/5": lambda: solid(T.Resize([size * 4 // 5] * 3, mode="area")),
    "Resize area 1/2": lambda: solid(T.Resize([size // 2] * 3, mode="area")),
    "Spacing bilinear": lambda: solid(T.Spacing([1.3] * 3)),
    "Spacing nearest": lambda: solid(T.Spacing([1.3] * 3, mode="nearest")),
    "Spacing spline 3": lambda: solid(T.Spacing([2] * 3, mode=3)),
    "Rotate bilinear": lambda: solid(T.Rotate([0.2, 0.3, 0.1])),
    "Rotate nearest": lambda: solid(T.Rotate([0.2, 0.3, 0.1], mode="nearest")),
    "Affine zeros": lambda: solid(T.Affine(**turned, padding_mode="zeros", image_only=True)),
    "Affine border": lambda: solid(T.Affine(**turned, padding_mode="border", image_only=True)),
    "Affine reflection": lambda: solid(T.Affine(**turned, padding_mode="reflection", image_only=True)),
    "Zoom area": lambda: solid(T.Zoom(1.2)),
    "Zoom out": lambda: solid(T.Zoom(0.8, mode="trilinear")),
    "Flip first": lambda: solid(T.Flip(0)),
    "Flip last": lambda: solid(T.Flip(2)),
    "Flip all": lambda: solid(T.Flip()),
    "Flip last label": lambda: solid(T.Flip(2), label_volume),
    "Rotate90 0 1": lambda: solid(T.Rotate90(spatial_axes=(0, 1))),
    "Rotate90 0 2": lambda: solid(T.Rotate90(spatial_axes=(0, 2))),
    "Rotate90 1 2": lambda: solid(T.Rotate90(spatial_axes=(1, 2))),
    "Rotate90 twice": lambda: solid(T.Rotate90(2, spatial_axes=(0, 2))),
    "Rotate90 0 2 label": lambda: solid(T.Rotate90(spatial_axes=(0, 2)), label_volume),
    "Orientation": lambda: solid(T.Orientation("PIR")),
    "Transpose": lambda: solid(T.Transpose((0, 3, 2, 1))),
    "BorderPad constant": lambda: solid(T.BorderPad(16)),
    "BorderPad reflect": lambda: solid(T.BorderPad(16, mode="reflect")),
    "BorderPad edge": lambda: solid(T.BorderPad(16, mode="edge")),
    "BorderPad wrap": lambda: solid(T.BorderPad(16, mode="wrap")),
    "BorderPad constant label": lambda: solid(T.BorderPad(16), label_volume),
    "SpatialPad": lambda: solid(T.SpatialPad([size + 32] * 3)),
    "CenterSpatialCrop": lambda: solid(T.CenterSpatialCrop([size * 4 // 5] * 3)),
    "CropForeground": lambda: solid(T.CropForeground()),
    "RandCropByPosNegLabel": lambda: (lambda t: lambda _: [c.contiguous() for c in t(volume, label=label_volume)])(
        T.RandCropByPosNegLabel([size * 3 // 5] * 3, num_samples=4)
    ),
    "Rand3DElastic": lambda: solid(T.Rand3DElastic((5, 7), (50, 150), prob=1)),
    "GridDistortion": lambda: solid(T.GridDistortion(4, [[1, 1.1, 0.9, 1, 1]] * 3)),
    "RandSimulateLowResolution": lambda: solid(T.RandSimulateLowResolution(prob=1)),
    "AsDiscrete onehot": lambda: solid(T.AsDiscrete(to_onehot=6), label_volume),
    "EnsureChannelFirst": lambda: solid(T.EnsureChannelFirst(channel_dim=-1), MetaTensor(values.permute(1, 2, 3, 0))),
}

for line in sys.stdin:
    make = rows.get(line.strip())
    if make is None:
        print("none", flush=True)
        continue
    transform = make()
    start = now()
    transform(image)
    print(1000 * (now() - start), flush=True)

assert torch.equal(image, untouched), "a row writes into the image: use of_copy"
