// Linear sampling of `x` into `y`, at positions of lib/warp.

// Along a row of the image that starts at `line`.
fn along(line: u32, w: Taps, weight: f32) -> f32 {
  var sum = 0.0;
  if (weight != 0.0) { // what is not read may be infinite
    if (w.near != 0.0) {
      sum = w.near * x[line + w.low];
    }
    if (w.far != 0.0) {
      sum += w.far * x[line + w.high];
    }
  }
  return weight * sum;
}

fn linear_sample(n: u32, positions: u32, place: u32, position: vec3f) {
  let td = linear_at(position.x, p.in_size.x);
  let th = linear_at(position.y, p.in_size.y);
  let tw = linear_at(position.z, p.in_size.z);
  for (var c = 0u; c < p.in_size.w; c++) {
    let origin = (n * p.in_size.w + c) * p.in_size.x * p.in_size.y * p.in_size.z;
    let near = origin + td.low * p.in_size.y * p.in_size.z;
    let far = origin + td.high * p.in_size.y * p.in_size.z;
    var sum = along(near + th.low * p.in_size.z, tw, td.near * th.near);
    sum += along(near + th.high * p.in_size.z, tw, td.near * th.far);
    sum += along(far + th.low * p.in_size.z, tw, td.far * th.near);
    sum += along(far + th.high * p.in_size.z, tw, td.far * th.far);
    y[(n * p.in_size.w + c) * positions + place] = sum;
  }
}
