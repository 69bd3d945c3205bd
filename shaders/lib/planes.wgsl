// A thread does one position of several planes (or channels), because they share its index arithmetic. Workgroups are 64 positions wide; positions come
// first, then groups of `together` planes.
fn position_and_plane(group: u32, lane: u32, positions: u32, together: u32) -> vec2u {
  let tiles = (positions + 63u) / 64u;
  return vec2u(group % tiles * 64u + lane, group / tiles * together);
}
