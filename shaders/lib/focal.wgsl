// What the focal loss and its gradient share. Per position and channel c, with target t and factor w_c of the channel:
//   sigmoid  w a ((1 - t) softplus(x) + t softplus(-x)) m^gamma,  m = sigmoid(-x (2 t - 1)),  a = t alpha + (1 - t) (1 - alpha)
//   softmax  -w t (1 - p_c)^gamma log p_c
// The channels before `first` take no part, neither in the softmax. Neither probabilities nor one-hot targets are stored.
// uses lib/activation lib/blocked lib/target

struct Params {
  channels: u32,
  first: u32,
  inner: u32,
  positions: u32, // N S
  gamma: f32,
  alpha: f32,
  slab: u32,
  divisor: f32, // of a mean
  ignored: i32, // class index whose positions count for nothing, if `ignores`
  ignores: u32,
  fault: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>; // words: f32 bits need not survive as indices, nor the other way round
@group(0) @binding(3) var<storage, read> weight: array<f32>; // of the channels from `first` on

override SOFTMAX: u32;
override WEIGHTED: u32;
override ALPHA: u32;    // sigmoid only: the weights hold it otherwise
override REDUCED: u32;

struct Place {
  base: u32,  // of its logits, `inner` apart
  row: u32,   // of its elements without the channels before `first`
  label: i32,
  top: u32,   // softmax: channel of the largest logit
  rest: f32,  // softmax: sum of exp(x - largest) over the other channels
}

fn place(i: u32) -> Place {
  let n = i / p.inner;
  let s = i % p.inner;
  let base = n * p.channels * p.inner + s;
  var label = 0;
  if (TARGET != CHANNELS) {
    label = class_index(labels[i]);
  }
  var top = p.first;
  var rest = 0.0;
  if (SOFTMAX != 0u) {
    for (var c = p.first + 1u; c < p.channels; c++) {
      top = select(top, c, logits[base + c * p.inner] > logits[base + top * p.inner]);
    }
    var sum = vec3f(0.0);
    var blocks = 0u;
    var start = p.first;
    loop {
      let end = block_end(start, p.channels);
      var block = 0.0;
      for (var c = start; c < end; c++) {
        if (c != top) {
          block += exp(logits[base + c * p.inner] - logits[base + top * p.inner]);
        }
      }
      blocks++;
      sum = raised(sum, block, blocks);
      continuing {
        start = end;
        break if done(start, p.channels);
      }
    }
    rest = sum_of(sum);
  }
  return Place(base, n * (p.channels - p.first) * p.inner + s, label, top, rest);
}

fn left_out(at: Place) -> bool {
  return TARGET != CHANNELS && p.ignores != 0u && at.label == p.ignored;
}

fn wanted(at: Place, c: u32) -> f32 {
  if (TARGET == CHANNELS) {
    return bitcast<f32>(labels[at.base + c * p.inner]);
  }
  return select(0.0, 1.0, at.label == i32(c));
}

fn channel_weight(c: u32) -> f32 {
  if (WEIGHTED != 0u) {
    return weight[c - p.first];
  }
  return 1.0;
}

// Factor of a channel with target t.
fn share(c: u32, t: f32) -> f32 {
  var a = 1.0;
  if (ALPHA != 0u) {
    a = t * p.alpha + (1.0 - t) * (1.0 - p.alpha);
  }
  return a * channel_weight(c);
}

// u v, and 0 where u is: the other may be infinite.
fn product(u: f32, v: f32) -> f32 {
  return select(u * v, 0.0, u == 0.0);
}

fn binary_entropy(x: f32, t: f32) -> f32 {
  return product(1.0 - t, log1p_exp(x)) + product(t, log1p_exp(-x));
}

// Softmax probability p, 1 - p without cancellation, and log p.
struct Odds {
  p: f32,
  q: f32,
  log_p: f32,
}

fn odds(at: Place, c: u32) -> Odds {
  let v = logits[at.base + c * p.inner] - logits[at.base + at.top * p.inner];
  let total = 1.0 + at.rest;
  let e = exp(v);
  // log1p's series is for [0, 1].
  let log_total = select(log(total), log1p(min(at.rest, 1.0)), at.rest <= 1.0);
  return Odds(e / total, select(total - e, at.rest, c == at.top) / total, v - log_total);
}
