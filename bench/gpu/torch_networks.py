"""Training steps of the same networks, shapes, loss and optimizer in PyTorch, for bench/gpu/stages/torch.ts.

    python3 torch_networks.py SPEC.json

Prints one JSON object per line as it goes: {"torch": ...} first, or {"missing": why}; then {"begin": item} and {"item": ..., "value": ... or "error": ...}.
Ends when its standard input does, so that it never outlives the bench.
"""

import json
import math
import os
import struct
import sys
import threading
import time


def say(**line):
    finite = json.loads(json.dumps(line), parse_constant=lambda _: None)  # JSON has no NaN
    print(json.dumps(finite), flush=True)


def end_with_the_bench():
    sys.stdin.read()
    os._exit(1)


threading.Thread(target=end_with_the_bench, daemon=True).start()

try:
    import torch
    from torch_models import NETWORKS, dice_ce
except ImportError as error:
    say(missing=str(error))
    sys.exit(0)

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
HALF = torch.float16 if CUDA else torch.bfloat16

# What is measured: whether tf32 is allowed, channels-last memory, and mixed precision.
VARIANTS = {
    "eager f32": dict(tf32=False, last=False, amp=False),
    "eager tf32": dict(tf32=True, last=False, amp=False),
    "channels-last tf32": dict(tf32=True, last=True, amp=False),
    "channels-last AMP": dict(tf32=True, last=True, amp=True),
}


def settle():
    if CUDA:
        torch.cuda.synchronize()


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def sines(shape):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(i * 0.37).float().reshape(shape)


def batch(case):
    image = sines(case["input"])
    label = (image > 0.5).float() * min(case["classes"] - 1, 1)
    return image.to(DEVICE), label.to(DEVICE)


def memory_format(case):
    return torch.channels_last if len(case["input"]) == 4 else torch.channels_last_3d


def milliseconds(step, count):
    settle()
    start = time.perf_counter()
    for _ in range(count):
        step()
    settle()
    return 1000 * (time.perf_counter() - start) / count


def training_step(case, variant, until, tiny):
    tf32, last, amp = (VARIANTS[variant][key] for key in ("tf32", "last", "amp"))
    allow_tf32(tf32)
    torch.manual_seed(0)
    if CUDA:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    network = NETWORKS[case["network"]](**case["options"]).to(DEVICE).train()
    image, label = batch(case)
    if last:
        network = network.to(memory_format=memory_format(case))
        image = image.to(memory_format=memory_format(case))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=CUDA)
    scaler = torch.amp.GradScaler(DEVICE.type, enabled=amp and CUDA)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(DEVICE.type, dtype=HALF, enabled=amp):
            output = network(image)
        loss = dice_ce(output.float(), label)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    first = step().item()
    times = [milliseconds(step, 1) for _ in range(1 if tiny else 4)][-1:]  # the first ones choose algorithms
    burst = 5 if times[0] < 50 else 1
    start = time.perf_counter()
    while not tiny and len(times) < 50 and time.perf_counter() - start < 1 and time.time() < until:
        times += [milliseconds(step, burst)] * burst
    times.sort()
    return dict(
        network=case["name"],
        variant=variant,
        parameters=sum(p.numel() for p in network.parameters()),
        bestMs=times[0],
        medianMs=times[len(times) // 2],
        steps=len(times),
        peakBytes=torch.cuda.max_memory_allocated() if CUDA else 0,
        losses=[first, step().item()],
    )


def read_safetensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack("<Q", data[:8])
    types = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(data[start:end], dtype=types[entry["dtype"]]) if end > start else torch.empty(0)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def agreement(check):
    """The largest difference of the outputs on the same weights and input, as a part of the largest output."""
    allow_tf32(False)
    tensors = read_safetensors(check["file"])
    expected = tensors.pop("bench.output").to(DEVICE)
    network = NETWORKS[check["network"]](**check["options"])
    network.load_state_dict({name: value for name, value in tensors.items() if name != "bench.input"})
    network = network.to(DEVICE).eval()
    with torch.no_grad():
        output = network(tensors["bench.input"].to(DEVICE))
    error = ((output - expected).abs().max() / expected.abs().max()).item()
    return dict(error=error, parameters=sum(p.numel() for p in network.parameters()))


def item(name, work):
    say(begin=name)
    try:
        say(item=name, value=work())
    except Exception as error:  # one network that fails, for want of memory say, must not cost the others
        say(item=name, error=f"{type(error).__name__}: {str(error)[:500]}")


def main():
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    name = torch.cuda.get_device_name() if CUDA else "CPU"
    say(torch=torch.__version__, cuda=torch.version.cuda or "none", device=name, half=str(HALF))
    torch.backends.cudnn.benchmark = True
    jobs = [(check["item"], lambda check=check: agreement(check)) for check in spec["checks"]]
    for case in spec["cases"]:
        for variant in VARIANTS:
            work = lambda case=case, variant=variant: training_step(case, variant, spec["until"], spec["tiny"])
            jobs.append((f"{case['name']} {variant}", work))
    say(total=len(jobs))
    for name, work in jobs:
        if name in spec["skip"]:
            continue
        if time.time() > spec["until"]:
            say(cut=True)
            return
        item(name, work)


main()
