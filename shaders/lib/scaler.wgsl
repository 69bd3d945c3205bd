// State of dynamic loss scaling.
struct ScalerState {
  scale: f32,
  good: f32,      // steps since the scale changed
  found: f32,     // whether this step's gradients are not finite
  inverse: f32,   // of the scale that made this step's gradients
  growth: f32,
  backoff: f32,
  interval: f32,
}
