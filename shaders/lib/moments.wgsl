// What Adam and those after it share: the two moments of an element's gradient, and its decay, either an L2 penalty or of the weight itself
// (`p.variant`).
// uses lib/optim

@group(0) @binding(5) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> square: array<vec4f>;

// What they need of a state, whichever optimizer's it is.
struct Decays {
  lr: f32,
  weight_decay: f32,
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
}

struct Moments {
  weight: vec4f,   // decayed
  gradient: vec4f, // with the penalty
  mean: vec4f,
  square: vec4f,
}

// Takes the gradient of element `i` into its moments, as PyTorch orders the operations.
fn moments_of(i: u32, s: Decays) -> Moments {
  var w = weight[i];
  var g = p.direction * gradient[i];
  if (p.variant != 0u) {
    w *= 1.0 - s.lr * s.weight_decay;
  } else {
    g = fma(vec4f(s.weight_decay), w, g);
  }
  let before = mean[i];
  let m = fma(vec4f(s.one_minus_beta1), g - before, before);
  let v = fma(s.one_minus_beta2 * g, g, s.beta2 * square[i]);
  mean[i] = m;
  square[i] = v;
  return Moments(w, g, m, v);
}
