// What cross-entropy and its gradient share. At a position (n, s) of logits [N, C, S] the loss is Σ_c q_c (log Σ exp x - x_c) with shares
// q_c = weight_c ((1 - smoothing) t_c + smoothing / C), where t_c is the target's probability of class c: 1 for its class, else 0, if the target
// holds indices. Neither log-softmax nor one-hot targets are stored.
// uses lib/target

struct Params {
  classes: u32,
  inner: u32,
  positions: u32, // N S
  smoothing: f32,
  ignored: i32,
  slab: u32,
  fault: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>; // words: f32 bits need not survive as indices, nor the other way round
@group(0) @binding(3) var<storage, read> weight: array<f32>;

override WEIGHTED: u32;

const NO_CLASS = -2;

struct Position {
  base: u32,  // of its logits, `inner` apart
  label: i32, // class; below 0 if it counts for nothing: it is ignored, or there is NO_CLASS of that index
  top: f32,   // largest logit
}

fn position(i: u32) -> Position {
  let base = i / p.inner * p.classes * p.inner + i % p.inner;
  var label = 0;
  if (TARGET != CHANNELS) {
    label = class_index(labels[i]);
    if (label == p.ignored) {
      label = -1;
    } else if (u32(label) >= p.classes) {
      label = NO_CLASS;
    }
  }
  var top = logits[base];
  for (var c = 1u; c < p.classes; c++) {
    top = max(top, logits[base + c * p.inner]);
  }
  return Position(base, label, top);
}

fn class_weight(c: u32) -> f32 {
  if (WEIGHTED != 0u) {
    return weight[c];
  }
  return 1.0;
}

// q_c of a position that is not ignored.
fn share(at: Position, c: u32) -> f32 {
  var t = select(0.0, 1.0, at.label == i32(c));
  if (TARGET == CHANNELS) {
    t = bitcast<f32>(labels[at.base + c * p.inner]);
  }
  return class_weight(c) * ((1.0 - p.smoothing) * t + p.smoothing / f32(p.classes));
}
