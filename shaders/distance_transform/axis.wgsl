// One axis of the exact Euclidean distance transform: the distance to the nearest zero. Squared distances separate: min over j of s²·(i - j)² + d(j) per
// axis, the lower envelope of parabolas (Felzenszwalb and Huttenlocher 2012). One thread takes one line, so the work is the same whatever the distances
// are; the envelope stands in two arrays of the size of the image. FAR: no zero on the lines so far.
// uses lib/grid lib/scalar lib/special

struct Params {
  size: u32,  // of the axis
  inner: u32, // from one voxel to the next along it
  lines: u32, // of all images
  square: f32, // of the voxel size along the axis
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> from_squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> to: array<f32>;
@group(0) @binding(3) var<storage, read_write> vertices: array<u32>; // positions of the parabolas in the envelope
@group(0) @binding(4) var<storage, read_write> starts: array<f32>; // from where on each is the lowest

override FIRST: u32; // reads the mask instead of squared distances
override LAST: u32;  // writes the distance, infinity without a zero

const FAR = 1e30;

fn square_at(i: u32) -> f32 {
  let v = from_squares[i];
  if (FIRST != 0u) {
    return select(FAR, 0.0, v == 0.0);
  }
  return v;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let line = linear_group(group, groups) * 64u + lane;
  if (line >= p.lines) {
    return;
  }
  let base = line / p.inner * p.size * p.inner + line % p.inner;
  var count = 0u;
  for (var q = 0u; q < p.size; q++) {
    let height = square_at(base + q * p.inner);
    if (height >= FAR) {
      continue;
    }
    var start = -1.0;
    while (count > 0u) {
      let top = base + (count - 1u) * p.inner;
      let v = vertices[top];
      let gap = f32(q - v);
      start = 0.5 * ((height - square_at(base + v * p.inner)) / (p.square * gap) + f32(q + v));
      if (start > starts[top]) {
        break;
      }
      count--;
    }
    let top = base + count * p.inner;
    vertices[top] = q;
    starts[top] = select(start, -1.0, count == 0u); // before the first voxel
    count++;
  }
  var k = 0u;
  for (var q = 0u; q < p.size; q++) {
    let i = base + q * p.inner;
    if (count == 0u) {
      to[i] = select(FAR, infinity(), LAST != 0u);
      continue;
    }
    while (k + 1u < count && starts[base + (k + 1u) * p.inner] < f32(q)) {
      k++;
    }
    let v = vertices[base + k * p.inner];
    let gap = f32(q) - f32(v);
    let square = p.square * gap * gap + square_at(base + v * p.inner);
    to[i] = select(square, sqrt(square), LAST != 0u);
  }
}
