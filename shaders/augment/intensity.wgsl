// Brightness, contrast about the mean within the range there is, gamma, noise: in this order, each channel of each sample by its own numbers.
// IN_PLACE reads from what it writes, and leaves channels alone whose numbers change nothing.
// uses lib/lines lib/philox

struct Params {
  threads: vec3u,
  plane: u32,    // elements of a channel
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

fn element(id: vec3u) {
  let channel = id.z;
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
  if (IN_PLACE != 0u && scale == 1.0 && shift == 0.0 && contrast == 1.0 && gamma == 1.0 && noise == 0.0) {
    return;
  }
  let seed = u32(numbers[at + 6u]);
  // A thread has several elements: the numbers are fetched once for all of them.
  for (var k = id.x; k < p.plane; k += p.threads.x) {
    let i = channel * p.plane + k;
    var v = 0.0;
    if (IN_PLACE != 0u) {
      v = y[i];
    } else {
      v = x[i];
    }
    y[i] = noisy(toned(v * scale + shift, contrast, gamma, inverted, mean, low, high), noise, seed, k, channel);
  }
}

fn toned(plain: f32, contrast: f32, gamma: f32, inverted: bool, mean: f32, low: f32, high: f32) -> f32 {
  var v = plain;
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
  return v;
}

fn noisy(v: f32, noise: f32, seed: u32, k: u32, channel: u32) -> f32 {
  if (noise <= 0.0) {
    return v;
  }
  let words = philox(vec4u(k / 4u, 0u, channel, 0u), vec2u(seed, 0x61756721u));
  return v + noise * normal(select(words.xy, words.zw, k % 4u >= 2u), k % 2u == 1u);
}
