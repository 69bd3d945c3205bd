// Batched matrix product  y[z] = a[z] · b[z] (+ bias along the columns)  through shared memory, for hardware adapters: a workgroup of 256 owns 64 rows
// times 64 columns and walks the terms in steps of 16; a thread owns 4 rows times 4 columns.
// uses lib/grid lib/matmul

const STEP = 16u;
// One vec4 more than the 16 that hold 64 values: lanes that differ in their term then store to different banks.
const PITCH = 17u;

var<workgroup> a_shared: array<vec4f, STEP * PITCH>;
var<workgroup> b_shared: array<vec4f, STEP * PITCH>;

// Term and group of four that a lane fetches: neighbouring lanes follow the operand's adjacent elements.
fn slot(lane: u32, inner_adjacent: bool) -> vec2u {
  return select(vec2u(lane / 16u, lane % 16u), vec2u(lane % 16u, lane / 16u), inner_adjacent);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = tile(linear_group(group, groups), 64u, 64u);
  let z = at.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = at.x * 64u;
  let n0 = at.y * 64u;
  let start = operands(z % p.batches);
  let first = z / p.batches * p.slab;
  let last = min(first + p.slab, p.inner);
  let a_slot = slot(lane, p.a_inner == 1u);
  let b_slot = slot(lane, p.b_inner == 1u);
  let y4 = lane / 16u;
  let x4 = lane % 16u;

  // Rows and columns beyond the end repeat the last one and are not stored.
  let am = min(vec4u(m0 + a_slot.y * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(p.rows - 1u)) * p.a_row + start.x;
  let bn = min(vec4u(n0 + b_slot.y * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(p.columns - 1u)) * p.b_column + start.y;

  var acc: array<vec4f, 4>;
  for (var k = first; k < last; k += STEP) {
    let ka = k + a_slot.x;
    let ia = am + ka * p.a_inner;
    a_shared[a_slot.x * PITCH + a_slot.y] = select(vec4f(0.0), vec4f(a[ia.x], a[ia.y], a[ia.z], a[ia.w]), ka < last);
    let kb = k + b_slot.x;
    let ib = bn + kb * p.b_inner;
    b_shared[b_slot.x * PITCH + b_slot.y] = select(vec4f(0.0), vec4f(b[ib.x], b[ib.y], b[ib.z], b[ib.w]), kb < last);
    workgroupBarrier();
    for (var t = 0u; t < STEP; t++) {
      let av = a_shared[t * PITCH + y4];
      let bv = b_shared[t * PITCH + x4];
      for (var i = 0u; i < 4u; i++) {
        acc[i] = fma(vec4f(av[i]), bv, acc[i]);
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      store(z, m0 + y4 * 4u + i, n0 + x4 * 4u + j, acc[i][j]);
    }
  }
}
