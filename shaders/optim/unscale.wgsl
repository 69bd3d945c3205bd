// Divides a flat gradient by the loss scale; that of a skipped step becomes zero, so that norms of it stay finite.
// uses lib/each lib/scaler

struct Params {
  count: u32,
  each: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> state: ScalerState;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  let skip = state.found != 0.0;
  let inverse = state.inverse;
  for (var i = own.first; i < own.end; i += APART) {
    gradient[i] = select(gradient[i] * inverse, vec4f(0.0), skip);
  }
}
