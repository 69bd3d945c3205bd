// What the updates of the optimizers share: one flat buffer of parameters, its gradient, and a step that a scaler may forbid.
// uses lib/guard

struct Params {
  count: u32,     // in units of four
  each: u32,      // of a thread, see lib/each
  variant: u32,   // 1: AdamW, Nesterov's momentum, centered RMSprop
  direction: f32, // -1 to maximize
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(3) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> weight: array<vec4f>;
