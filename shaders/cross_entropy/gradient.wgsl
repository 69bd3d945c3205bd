// dx_c = dy (softmax(x)_c Σ q - q_c), from the logits again: nothing was kept. dy is one number unless the loss was not REDUCED; a mean divides it by
// the total of the forward pass.
// uses lib/grid lib/cross_entropy

@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read> total: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

override REDUCED: u32;
const NONE = 0u;
const SUM = 1u;
const MEAN = 2u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.positions) {
    return;
  }
  let at = position(i);
  var g = dy[select(0u, i, REDUCED == NONE)];
  if (REDUCED == MEAN) {
    g /= total[0];
  }
  if (at.label < 0) {
    g = 0.0;
  }
  var sum = 0.0;
  var shares = 0.0;
  for (var c = 0u; c < p.classes; c++) {
    sum += exp(logits[at.base + c * p.inner] - at.top);
    shares += share(at, c);
  }
  let scale = shares / sum;
  for (var c = 0u; c < p.classes; c++) {
    let k = at.base + c * p.inner;
    dx[k] = select(g * (exp(logits[k] - at.top) * scale - share(at, c)), 0.0, at.label < 0);
  }
}
