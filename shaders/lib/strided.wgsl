// Position of element i of a six-axis shape under the strides of the uniform block `p`.
fn strided_index(i: u32) -> u32 {
  var rest = i;
  var at = i32(p.start);
  for (var k = 0u; k < 6u; k++) {
    let axis = 5u - k;
    let low = axis & 3u;
    let size = select(p.shape0[low], p.shape1[low], axis >= 4u);
    at += i32(rest % size) * select(p.stride0[low], p.stride1[low], axis >= 4u);
    rest /= size;
  }
  return u32(at);
}
