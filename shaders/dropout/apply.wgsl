// y = x / (1 - rate) where a random number is at least the rate, else 0. One number per `inner` adjacent elements: 1 drops elements, the
// elements of a channel drop channels. The gradient is the same kernel on dy with the same draw.
// uses lib/grid lib/philox

struct Params {
  each: u32,  // elements of a thread
  count: u32,
  inner: u32,
  rate: f32,
  start: u32, // elements before this piece of a tensor
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> draw: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<E>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (linear_group(group, groups) * 64u + lane) * p.each;
  let end = min(first + p.each, p.count);
  for (var i = first; i < end;) {
    let k = (p.start + i) / p.inner;
    let words = philox(vec4u(k / 4u, 0u, draw[2], draw[3]), vec2u(draw[0], draw[1]));
    let kept = unit(words[k % 4u]) >= p.rate;
    let stop = min(end, (k + 1u) * p.inner - p.start);
    for (; i < stop; i++) {
      y[i] = E(select(0.0, f32(x[i]) / (1.0 - p.rate), kept));
    }
  }
}
