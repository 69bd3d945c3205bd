// Multiply-adds of f16 subgroup matrices with f32 sums, four independent chains per subgroup, nothing loaded in between. The host puts the sizes M, N, K of
// one of the adapter's configurations and the workgroup WG, a whole number of subgroups, before this.

@group(0) @binding(1) var<storage, read_write> y: array<f32>;

const ROUNDS = 1024u;

var<workgroup> left: array<f16, M * K>;
var<workgroup> right: array<f16, K * N>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = lane; i < M * K; i += WG) {
    left[i] = f16(f32(i % 7u) * 0.001);
  }
  for (var i = lane; i < K * N; i += WG) {
    right[i] = f16(f32(i % 5u) * 0.001);
  }
  workgroupBarrier();
  let a = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&left, 0u, K);
  let b = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, row_major>(&right, 0u, N);
  var c0 = subgroup_matrix_result<f32, N, M>();
  var c1 = c0;
  var c2 = c0;
  var c3 = c0;
  for (var r = 0u; r < ROUNDS; r++) {
    c0 = subgroupMatrixMultiplyAccumulate(a, b, c0);
    c1 = subgroupMatrixMultiplyAccumulate(a, b, c1);
    c2 = subgroupMatrixMultiplyAccumulate(a, b, c2);
    c3 = subgroupMatrixMultiplyAccumulate(a, b, c3);
  }
  let at = linear_group(group, groups) * 4u * M * N;
  subgroupMatrixStore<row_major>(&y, at, c0, N);
  subgroupMatrixStore<row_major>(&y, at + M * N, c1, N);
  subgroupMatrixStore<row_major>(&y, at + 2u * M * N, c2, N);
  subgroupMatrixStore<row_major>(&y, at + 3u * M * N, c3, N);
}
