// Rows along the middle axis of [outer, axis, inner].

struct Params {
  outer: u32,
  axis: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

fn rows() -> u32 {
  return p.outer * p.inner;
}

// Where row `row` begins; its elements are `inner` apart.
fn start_of(row: u32) -> u32 {
  return row / p.inner * p.axis * p.inner + row % p.inner;
}
