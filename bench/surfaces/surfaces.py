"""Two heads of 256^3 voxels with 3 classes: HD95, ASSD and NSD by SciPy (the reference) and by MONAI (the time).

usage: python surfaces.py FOLDER, then `node surfaces.ts FOLDER` writes ours beside it, then again for the comparison.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter

SPACING = (1.0, 0.9, 1.2)
TOLERANCE = 1.5


def head(seed: int) -> np.ndarray:
    """Skin, skull and brain as nested ellipsoids with rough surfaces."""
    random = np.random.RandomState(seed)
    rough = gaussian_filter(random.randn(64, 64, 64), 2).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    z, y, x = np.ogrid[-1:1:256j, -1:1:256j, -1:1:256j]
    shift = 0.01 * random.randn(3)
    radius = np.sqrt(((z - shift[0]) / 0.8) ** 2 + ((y - shift[1]) / 0.9) ** 2 + ((x - shift[2]) / 0.7) ** 2) + 0.3 * rough
    return np.select([radius < 0.75, radius < 0.88, radius < 1], [3, 2, 1], 0).astype(np.uint8)


def reference(p: np.ndarray, t: np.ndarray) -> list:
    edges = [m ^ binary_erosion(m) for m in (p, t)]
    forward = distance_transform_edt(~edges[1], sampling=SPACING)[edges[0]]
    backward = distance_transform_edt(~edges[0], sampling=SPACING)[edges[1]]
    both = np.concatenate([forward, backward])
    return [max(np.percentile(forward, 95), np.percentile(backward, 95)), both.mean(), (both <= TOLERANCE).mean()]


def monai(p: np.ndarray, t: np.ndarray) -> tuple:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    a, b = (torch.from_numpy(np.stack([m == c for c in (1, 2, 3)])[None].astype(np.uint8)) for m in (p, t))
    common = {"include_background": True, "spacing": SPACING}
    start = time.perf_counter()
    hd = compute_hausdorff_distance(a, b, percentile=95, **common)
    assd = compute_average_surface_distance(a, b, symmetric=True, **common)
    nsd = compute_surface_dice(a, b, class_thresholds=[TOLERANCE] * 3, **common)
    return time.perf_counter() - start, np.stack([v[0].numpy() for v in (hd, assd, nsd)], 1).tolist()


def main() -> None:
    folder = Path(sys.argv[1])
    ours = folder / "ours.json"
    if not ours.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for seed in (0, 1):
            head(seed).tofile(folder / f"head{seed}.raw")
        seconds, values = monai(*(np.fromfile(folder / f"head{s}.raw", np.uint8).reshape(256, 256, 256) for s in (0, 1)))
        (folder / "monai.json").write_text(json.dumps({"seconds": seconds, "values": values}))
        print(f"MONAI {seconds:.2f} s")
        return
    p, t = (np.fromfile(folder / f"head{s}.raw", np.uint8).reshape(256, 256, 256) for s in (0, 1))
    exact = np.array([reference(p == c, t == c) for c in (1, 2, 3)])
    found = json.loads(ours.read_text())
    other = json.loads((folder / "monai.json").read_text())
    print("largest difference from SciPy", np.abs(exact - np.array(found["values"])).max())
    print("MONAI's from SciPy", np.abs(exact - np.array(other["values"])).max())
    print(f"MONAI {other['seconds']:.2f} s, ours {found['seconds']:.2f} s: {other['seconds'] / found['seconds']:.1f} times as fast")


main()
