// What the region sums and their gradient share: activations over [N, C, S] logits, targets as channels or class indices, an optional mask over
// [N or 1, S], and the three terms summed per channel. Neither the activation nor one-hot targets are stored.
// uses lib/blocked lib/sigmoid lib/target

override ACTIVATION: u32;
const NONE = 0u;
const SIGMOID = 1u;
const SOFTMAX = 2u;

override MODE: u32;
const PLAIN = 0u;
const SQUARED = 1u;
const SOFT = 2u;

override MASK: u32;
const UNMASKED = 0u;
const OF_INPUTS = 1u; // a factor of logits and targets
const OF_TERMS = 2u;

struct Params {
  samples: u32,
  channels: u32,
  inner: u32,
  slabs: u32,
  mask_step: u32, // from one sample's mask to the next: 0 if they share it
  ignored: i32,   // class index whose positions count for nothing, if `ignores`
  ignores: u32,
  fault: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>; // words: f32 bits need not survive as indices, nor the other way round
@group(0) @binding(3) var<storage, read> mask: array<f32>;

fn masked(n: u32, s: u32) -> f32 {
  if (MASK == UNMASKED) {
    return 1.0;
  }
  return mask[n * p.mask_step + s];
}

fn logit(n: u32, c: u32, s: u32) -> f32 {
  let v = logits[(n * p.channels + c) * p.inner + s];
  if (MASK == OF_INPUTS) {
    return v * masked(n, s);
  }
  return v;
}

// Maximum and 1 / sum of exponentials of the logits at one position, for softmax.
fn softmax_terms(n: u32, s: u32) -> vec2f {
  if (ACTIVATION != SOFTMAX) {
    return vec2f(0.0, 1.0);
  }
  var top = logit(n, 0u, s);
  for (var c = 1u; c < p.channels; c++) {
    top = max(top, logit(n, c, s));
  }
  var sum = vec3f(0.0);
  var first = 0u;
  loop {
    let end = block_end(first, p.channels);
    var block = 0.0;
    for (var c = first; c < end; c++) {
      block += exp(logit(n, c, s) - top);
    }
    sum = raised(sum, block, first / BLOCK + 1u);
    continuing {
      first = end;
      break if done(first, p.channels);
    }
  }
  return vec2f(top, 1.0 / sum_of(sum));
}

fn predicted(n: u32, c: u32, s: u32, terms: vec2f) -> f32 {
  let v = logit(n, c, s);
  switch ACTIVATION {
    case SIGMOID: { return sigmoid(v); }
    case SOFTMAX: { return exp(v - terms.x) * terms.y; }
    default: { return v; }
  }
}

fn left_out(n: u32, s: u32) -> bool {
  return TARGET != CHANNELS && p.ignores != 0u && class_index(labels[n * p.inner + s]) == p.ignored;
}

// The class index at a position.
fn class_at(n: u32, s: u32) -> i32 {
  let word = labels[n * p.inner + s];
  if (MASK != OF_INPUTS) {
    return class_index(word);
  }
  var label = f32(i32(word));
  if (TARGET == FLOAT_INDEX) {
    label = bitcast<f32>(word);
  }
  return whole(masked(n, s) * label);
}

fn wanted(n: u32, c: u32, s: u32) -> f32 {
  if (TARGET == CHANNELS) {
    let t = bitcast<f32>(labels[(n * p.channels + c) * p.inner + s]);
    if (MASK == OF_INPUTS) {
      return t * masked(n, s);
    }
    return t;
  }
  return select(0.0, 1.0, class_at(n, s) == i32(c));
}
