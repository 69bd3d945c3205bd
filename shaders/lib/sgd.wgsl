// What SGD knows of a group of parameters.
struct SgdState {
  lr: f32,
  momentum: f32,
  dampening: f32,
  weight_decay: f32,
  steps: f32,
}
