// A layout of runs of words, AXES axes of them, last axis first; the host merged neighboring axes that are one run of addresses, because each axis costs a
// division: 4 times the move itself on lavapipe. A thread moves words of one run: a single one on hardware, whose neighbors share a cache line.

// 1: runs lie along another axis than the last.
override INSIDE: u32;

struct Params {
  shape: array<vec4u, 2>,    // of the runs
  stride: array<vec4i, 2>,   // negative for flips, 0 for expanded axes
  start: u32,
  run: u32,
  step: i32,                 // between the words of a run
  inner: u32,                // the same on the contiguous side
  each: u32,                 // words of a thread
  pieces: u32,               // threads that share a run
  count: u32,                // threads
}

@group(0) @binding(0) var<uniform> p: Params;

// What a thread moves: `count` words from `flat` on, every `inner`, on the contiguous side, and from `at` on, every `step`, on the strided one.
struct Piece {
  flat: u32,
  at: i32,
  count: u32,
}

fn piece(i: u32) -> Piece {
  var rest = i / p.pieces;
  let first = (i - rest * p.pieces) * p.each;
  var flat = rest * p.run + first;
  if (INSIDE != 0u) {
    let outer = rest / p.inner;
    flat = (outer * p.run + first) * p.inner + (rest - outer * p.inner);
  }
  var at = i32(p.start) + i32(first) * p.step;
  for (var k = 0u; k < AXES; k++) {
    var here = rest;
    if (k < AXES - 1u) {
      let size = p.shape[k / 4u][k % 4u];
      rest /= size;
      here -= rest * size;
    }
    at += i32(here) * p.stride[k / 4u][k % 4u];
  }
  return Piece(flat, at, min(p.each, p.run - first));
}
