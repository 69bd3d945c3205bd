// What the region sums and their gradient share: activations over [N, C, S] logits, targets as channels or class indices, and the
// three terms summed per channel. ACTIVATION: 0 none, 1 sigmoid, 2 softmax. MODE: 0 plain, 1 squared, 2 soft labels.
override ACTIVATION: u32;
override MODE: u32;
override INDEX_TARGET: u32;

struct Params {
  samples: u32,
  channels: u32,
  inner: u32,
  chunks: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<f32>;

// Maximum and 1 / sum of exponentials of the logits at one position, for softmax.
fn softmax_terms(n: u32, s: u32) -> vec2f {
  if (ACTIVATION != 2u) {
    return vec2f(0.0, 1.0);
  }
  let base = n * p.channels * p.inner + s;
  var top = logits[base];
  for (var c = 1u; c < p.channels; c++) {
    top = max(top, logits[base + c * p.inner]);
  }
  var sum = 0.0;
  for (var c = 0u; c < p.channels; c++) {
    sum += exp(logits[base + c * p.inner] - top);
  }
  return vec2f(top, 1.0 / sum);
}

fn predicted(n: u32, c: u32, s: u32, terms: vec2f) -> f32 {
  let v = logits[(n * p.channels + c) * p.inner + s];
  switch ACTIVATION {
    case 1u: { return sigmoid(v); }
    case 2u: { return exp(v - terms.x) * terms.y; }
    default: { return v; }
  }
}

fn wanted(n: u32, c: u32, s: u32) -> f32 {
  if (INDEX_TARGET != 0u) {
    return select(0.0, 1.0, i32(round(labels[n * p.inner + s])) == i32(c));
  }
  return labels[(n * p.channels + c) * p.inner + s];
}
