// What NAdam knows of a group of parameters.
struct NadamState {
  lr: f32,
  beta1: f32,
  beta2: f32,
  one_minus_beta1: f32,  // rounded once from float64
  one_minus_beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  momentum_decay: f32,
  correction2: f32,      // 1 - beta2^t
  steps: f32,            // t
  momentum: f32,         // of step t
  momentum_next: f32,    // of step t + 1
  momentum_product: f32, // of all steps up to t
}
