// Adam divides by its second moment.

fn divisor(i: u32, v: vec4f) -> vec4f {
  return v;
}
