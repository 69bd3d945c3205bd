// What Adam knows of a group of parameters.
struct AdamState {
  lr: f32,
  beta1: f32,
  beta2: f32,
  one_minus_beta1: f32,  // rounded once from float64: 1 - 0.999f is off by 1e-5
  one_minus_beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  correction1: f32,      // 1 - beta1^t
  correction2: f32,      // 1 - beta2^t
}
