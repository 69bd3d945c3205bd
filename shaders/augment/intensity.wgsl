// Brightness, contrast about the mean within the range there is, gamma, noise: in this order, each channel of each sample by its own numbers.
// uses lib/philox

struct Params {
  plane: u32,    // elements of a channel
  channels: u32, // of all samples; more than a device dispatches go on in the same thread
}

// Words of a channel's numbers; see src/kernels/augment.ts.
const NUMBERS = 7u;
const STATISTICS = 3u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Normal numbers (Box and Muller): one of two by the parity of the element.
fn normal(words: vec2u, odd: bool) -> f32 {
  let radius = sqrt(-2.0 * log(1.0 - unit(words.x)));
  let angle = 6.283185307179586 * unit(words.y);
  return radius * select(cos(angle), sin(angle), odd);
}

fn element(k: u32, channel: u32) {
  let i = channel * p.plane + k;
  let at = channel * NUMBERS;
  let scale = numbers[at];
  let shift = numbers[at + 1u];
  let contrast = numbers[at + 2u];
  let gamma = numbers[at + 3u];
  let inverted = numbers[at + 4u] != 0.0;
  let noise = numbers[at + 5u];
  let bounds = vec3f(statistics[channel * STATISTICS], statistics[channel * STATISTICS + 1u], statistics[channel * STATISTICS + 2u]) * scale + shift;
  let mean = bounds.x;
  let low = min(bounds.y, bounds.z);
  let high = max(bounds.y, bounds.z);
  var v = x[i] * scale + shift;
  if (contrast != 1.0) {
    v = clamp((v - mean) * contrast + mean, low, high);
  }
  // Contrast keeps the order of values, so their range is that of its ends.
  var ends = vec2f(low, high);
  if (contrast != 1.0) {
    ends = clamp((ends - mean) * contrast + mean, vec2f(low), vec2f(high));
  }
  let range = ends.y - ends.x;
  if (gamma != 1.0 && range > 0.0) {
    // Rounding may leave the range by a little.
    var t = clamp((v - ends.x) / range, 0.0, 1.0);
    t = select(t, 1.0 - t, inverted);
    t = select(0.0, pow(t, gamma), t > 0.0);
    v = select(t, 1.0 - t, inverted) * range + ends.x;
  }
  if (noise > 0.0) {
    let words = philox(vec4u(k / 4u, 0u, channel, 0u), vec2u(u32(numbers[at + 6u]), 0x61756721u));
    v += noise * normal(select(words.xy, words.zw, k % 4u >= 2u), k % 2u == 1u);
  }
  y[i] = v;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let k = (group.y * groups.x + group.x) * 64u + lane;
  if (k >= p.plane) {
    return;
  }
  for (var channel = group.z; channel < p.channels; channel += groups.z) {
    element(k, channel);
  }
}
