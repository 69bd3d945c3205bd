// How the lanes of a weight gradient go on along the positions of a: where a lane is is found once and then moved by additions.
// uses lib/conv_weight

// Its place on the axes of b that the tap reaches, and addresses without the channel in a and b.
struct Place {
  at: vec3i,
  a: u32,
  b: u32,
}

// What it takes to go on by some positions, and to the next line, slice and sample from the end of one.
struct Way {
  step: Place,
  line: Place,
  slice: Place,
  sample: Place,
  end: vec3i,
}

// Position q of a box of a: of so many slices, of so many lines, which have as many places as those of a or more.
fn position(q: u32, box: vec3i) -> vec4i {
  let plane = u32(box.x * box.y * box.z);
  let o = i32(q % plane);
  return vec4i(o / (box.y * box.z), o / box.z % box.y, o % box.z, i32(q / plane));
}

// A difference of positions in a as one of places.
fn place_of(d: vec4i) -> Place {
  let at = d.xyz * p.stride.xyz;
  let a = (d.x * p.a_size.y + d.y) * p.a_size.z + d.z + d.w * i32(p.a_pitch);
  let b = (at.x * p.b_size.y + at.y) * p.b_size.z + at.z + d.w * i32(p.b_pitch);
  return Place(at, u32(a), u32(b));
}

fn way(step: u32, box: vec3i, reach: vec3i) -> Way {
  return Way(
    place_of(position(step, box)),
    place_of(vec4i(0, 1, -box.z, 0)),
    place_of(vec4i(1, -box.y, 0, 0)),
    place_of(vec4i(-box.x, 0, 0, 1)),
    box * p.stride.xyz + reach,
  );
}

fn added(to: Place, step: Place, yes: bool) -> Place {
  return Place(to.at + select(vec3i(0), step.at, yes), to.a + select(0u, step.a, yes), to.b + select(0u, step.b, yes));
}

fn moved(start: Place, way: Way) -> Place {
  var to = added(start, way.step, true);
  to = added(to, way.line, to.at.z >= way.end.z);
  to = added(to, way.slice, to.at.y >= way.end.y);
  return added(to, way.sample, to.at.x >= way.end.x);
}
