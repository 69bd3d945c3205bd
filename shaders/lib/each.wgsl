// What a thread has of a flat buffer: `p.each` elements, so that words that all threads need are loaded once for all of these. APART threads side by side, a
// subgroup of a software adapter, have one run of memory, which a processor then fetches ahead; with one element each, neighbors have neighbors.
// uses lib/grid

const APART = 8u; // elements from one of a thread to its next

struct Own {
  first: u32,
  end: u32,
}

fn own_elements(group: vec3u, groups: vec3u, lane: u32) -> Own {
  let within = lane % APART;
  let run = (linear_group(group, groups) * 64u + lane - within) * p.each;
  return Own(run + within, min(run + APART * p.each, p.count));
}
