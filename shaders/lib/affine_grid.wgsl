// The regular grid under an affine one, and how its positions are numbered.

struct Params {
  size: vec4u,      // D, H, W, samples
  axes: u32,        // 2 or 3
  slabs: u32,       // per sample, in the gradient
  align: u32,       // -1 and 1 are the centers of the corner elements, rather than their outer edges
}

@group(0) @binding(0) var<uniform> p: Params;

fn center(at: u32, count: u32) -> f32 {
  if (p.align != 0u) {
    return select(2.0 * f32(at) / f32(count - 1u) - 1.0, 0.0, count == 1u);
  }
  return f32(2 * i32(at) + 1 - i32(count)) / f32(count);
}

// W, H, D and a one behind the last axis there is.
fn base(o: u32) -> vec4f {
  let w = center(o % p.size.z, p.size.z);
  let h = center(o / p.size.z % p.size.y, p.size.y);
  if (p.axes == 2u) {
    return vec4f(w, h, 1.0, 0.0);
  }
  return vec4f(w, h, center(o / (p.size.y * p.size.z), p.size.x), 1.0);
}
