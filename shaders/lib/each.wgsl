// What a thread has of a flat buffer: `p.each` elements, 64 apart, so that words that all threads need are loaded once for all of these.
// uses lib/grid

struct Own {
  first: u32,
  end: u32,
}

fn own_elements(group: vec3u, groups: vec3u, lane: u32) -> Own {
  let begin = linear_group(group, groups) * 64u * p.each;
  return Own(begin + lane, min(begin + 64u * p.each, p.count));
}
