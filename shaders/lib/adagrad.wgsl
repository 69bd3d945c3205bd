// What Adagrad knows of a group of parameters.
struct AdagradState {
  lr: f32,
  lr_decay: f32,
  epsilon: f32,
  weight_decay: f32,
  steps: f32,
}
