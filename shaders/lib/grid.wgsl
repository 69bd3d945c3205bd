// Workgroup counts per dimension are capped at 65,535, so the host folds a linear grid into x and y.
fn linear_group(group: vec3u, groups: vec3u) -> u32 {
  return group.y * groups.x + group.x;
}
