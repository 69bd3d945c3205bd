// Operands of the matrix products: two matrices per batch entry, read through strides, so that a transposed one costs no copy.

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,        // terms of each product
  slab: u32,         // terms per slab; the slabs are added later in fixed order
  a_row: u32,        // distances in elements
  a_inner: u32,
  b_inner: u32,
  b_column: u32,
  batch: vec4u,      // sizes of the batch axes, then their distances in a and b, 0 where broadcast
  a_batch: vec4u,
  b_batch: vec4u,
  batches: u32,
  slabs: u32,
  has_bias: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<X>;
@group(0) @binding(2) var<storage, read> b: array<X>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// 1: slabs have several blocks of BLOCK terms, which are added on their own.
override BLOCKED: u32;
const BLOCK = 128u;

// Row tile, column tile and batch entry (times slabs) of a workgroup; the grid is folded, since tiles, batch and slabs may each be many.
fn tile(id: u32, tile_rows: u32, tile_columns: u32) -> vec3u {
  let across = (p.columns + tile_columns - 1u) / tile_columns;
  let down = (p.rows + tile_rows - 1u) / tile_rows;
  return vec3u(id / across % down, id % across, id / across / down);
}

// Starts in a and b of batch entry z.
fn operands(z: u32) -> vec2u {
  var rest = z;
  var start = vec2u(0u);
  for (var i = 0u; i < 4u; i++) {
    let axis = 3u - i;
    start += rest % p.batch[axis] * vec2u(p.a_batch[axis], p.b_batch[axis]);
    rest /= p.batch[axis];
  }
  return start;
}

fn store(z: u32, m: u32, n: u32, value: f32) {
  if (m < p.rows && n < p.columns) {
    var v = value;
    if (p.has_bias != 0u && z < p.batches) {
      v += bias[n];
    }
    y[(z * p.rows + m) * p.columns + n] = v;
  }
}
