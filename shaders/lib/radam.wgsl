// What RAdam knows of a group of parameters.
struct RadamState {
  lr: f32,
  beta1: f32,
  beta2: f32,
  one_minus_beta1: f32,  // rounded once from float64
  one_minus_beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  correction1: f32,      // 1 - beta1^t
  correction2: f32,      // 1 - beta2^t
  length: f32,           // (1 - beta2) sum of beta2^k (1 + 2k) over k < t
}
