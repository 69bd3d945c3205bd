// Radix select of the k-th largest of a list of floats, eight bits at a time from the top. Integer atomics only: counts are the same in any order.
// uses lib/ordered

struct Params {
  count: u32,
  shift: u32, // of the bits under view
  k: u32,     // how many are wanted
  slab: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

// Where the state lies behind the 256 counts.
const BOUND = 256u; // key of the k-th largest, as far as it is known
const OPEN = 257u;  // how many of those that agree with it so far are among the k
const TIES = 258u;  // how many agree with it
